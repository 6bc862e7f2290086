def text_of(value):
    """A plain value as text, as `concat` and `to_json` write it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value:
            return "NaN"
        return re.sub(r"e(-?)\+?0*", r"e\1", repr(value))
    if isinstance(value, datetime.datetime):
        zone = "Z" if value.tzinfo else ""
        value = value.astimezone(datetime.timezone.utc) if value.tzinfo else value
        return value.replace(tzinfo=None).isoformat(timespec="microseconds") + zone
    if isinstance(value, datetime.timedelta):
        return str(value // datetime.timedelta(microseconds=1))
    return value.isoformat() if isinstance(value, datetime.date) else str(value)
