def row_bytes(value):
    """The canonical bytes of a value, by which rows are hashed."""
    if value is None:
        return b"\x00"
    if isinstance(value, bool):
        return b"\x01\x01" if value else b"\x01\x00"
    if isinstance(value, int):
        return struct.pack("<Bq", 2, value) if value < 2**63 else struct.pack("<BQ", 3, value)
    if isinstance(value, float):
        if value != value:
            return b"\x04\x00\x00\x00\x00\x00\x00\xf8\x7f"
        return struct.pack("<Bd", 4, value + 0.0)
    if isinstance(value, str):
        raw = value.encode()
        return struct.pack("<BQ", 5, len(raw)) + raw
    if isinstance(value, datetime.datetime):
        epoch = datetime.datetime(1970, 1, 1, tzinfo=value.tzinfo and datetime.timezone.utc)
        return struct.pack("<Bq", 7, (value - epoch) // datetime.timedelta(microseconds=1))
    if isinstance(value, datetime.date):
        return struct.pack("<Bq", 6, (value - datetime.date(1970, 1, 1)).days)
    if isinstance(value, datetime.timedelta):
        return struct.pack("<Bq", 8, value // datetime.timedelta(microseconds=1))
    if isinstance(value, bytes):
        return struct.pack("<BQ", 11, len(value)) + value
    tag, parts = (10, list(value.values())) if isinstance(value, dict) else (9, value)
    return struct.pack("<BQ", tag, len(parts)) + b"".join(row_bytes(part) for part in parts)
