def json_path(text, path, kind, many):
    """Whether the values on a path of a JSON text can be had as a type, and these values."""

    def fits(value):
        if value is None or kind == "json":
            return True
        if isinstance(value, bool):
            return kind == "bool"
        if isinstance(value, int):
            return kind == "float64" or (kind == "int64" and value < 2**63)
        return (kind == "float64" and isinstance(value, float)) or (kind == "string" and isinstance(value, str))

    def taken(value):
        if kind == "json" and value is not None:
            return json_of(value)
        return float(value) if kind == "float64" and value is not None else value

    if text is None:
        return True, None
    is_json, value = read_json(text)
    if not is_json:
        return False, None
    nodes = [value]
    for part in path:
        found = []
        for node in nodes:
            if part is None and isinstance(node, list):
                found.extend(node)
            elif isinstance(part, str) and isinstance(node, dict) and part in node:
                found.append(node[part])
            elif isinstance(part, int) and isinstance(node, list) and part < len(node):
                found.append(node[part])
        nodes = found
    if not all(map(fits, nodes)):
        return False, None
    values = [taken(node) for node in nodes]
    return True, values if many else next(iter(values), None)
