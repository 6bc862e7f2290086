def json_map(text, keys, kind):
    """Whether a text is a JSON object with values of a type, and the values by key."""
    if text is None:
        return True, {}
    is_json, value = read_json(text)
    if not is_json or not (value is None or isinstance(value, dict)):
        return False, {}
    read = {key: json_path(text, [key], kind, False) for key in keys}
    if not all(is_good for is_good, _ in read.values()):
        return False, {}
    return True, {key: value for key, (_, value) in read.items()}
