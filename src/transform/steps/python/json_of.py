def json_of(value):
    """A value as JSON text, as `to_json` writes it."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "null"
    if isinstance(value, dict):
        fields = (json.dumps(name, ensure_ascii=False) + ":" + json_of(field) for name, field in value.items())
        return "{" + ",".join(fields) + "}"
    if isinstance(value, list):
        return "[" + ",".join(json_of(item) for item in value) + "]"
    if isinstance(value, (bool, int, float, datetime.timedelta)):
        return text_of(value)
    return json.dumps(text_of(value), ensure_ascii=False)
