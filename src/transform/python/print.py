def json_lines(df):
    """Rows as `skewer preview --json` shows them: times in ISO 8601, NaN and infinities as text."""
    columns = []
    for series in df:
        dtype = series.dtype
        if isinstance(dtype, pl.Duration) or dtype == pl.Time:
            series = series.dt.to_string("polars")
        values = series.cast(as_numbers(series.dtype)).to_list()
        columns.append([as_json(value, dtype) for value in values])
    for row in zip(*columns):
        yield json.dumps(dict(zip(df.columns, row)), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def as_numbers(dtype):
    if isinstance(dtype, pl.List):
        return pl.List(as_numbers(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: as_numbers(field.dtype) for field in dtype.fields})
    if isinstance(dtype, (pl.Categorical, pl.Enum, pl.Decimal)):
        return pl.String
    return pl.Int64 if isinstance(dtype, pl.Datetime) else pl.Int32 if dtype == pl.Date else dtype


def as_json(value, dtype):
    if value is None:
        return None
    if isinstance(dtype, pl.List):
        return [as_json(item, dtype.inner) for item in value]
    if isinstance(dtype, pl.Struct):
        return {field.name: as_json(value[field.name], field.dtype) for field in dtype.fields}
    if isinstance(dtype, pl.Datetime):
        return iso_time(value, dtype)
    if dtype == pl.Date:
        return iso_date(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def iso_time(ticks, dtype):
    """On the clock of a zone that is not UTC with its offset: `2020-01-31T13:30:00+01:00`."""
    per_second = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[dtype.time_unit]
    offset = "Z" if dtype.time_zone else ""
    if dtype.time_zone not in (None, "UTC"):
        at = pl.Series([ticks], dtype=pl.Int64).cast(dtype)
        local = at.dt.replace_time_zone(None).to_physical().item()
        minutes = (abs(local - ticks) // per_second + 30) // 60
        offset = f"{'-' if local < ticks else '+'}{minutes // 60:02}:{minutes % 60:02}"
        ticks = local
    seconds, fraction = divmod(ticks, per_second)
    days, seconds = divmod(seconds, 86_400)
    nanos = fraction * (1_000_000_000 // per_second)
    text = f"{iso_date(days)}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if nanos % 1_000:
        text += f".{nanos:09}"
    elif nanos % 1_000_000:
        text += f".{nanos // 1_000:06}"
    elif nanos:
        text += f".{nanos // 1_000_000:03}"
    return text + offset


def iso_date(days):
    """Also beyond the years that `datetime` knows."""
    cycle, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month = month + 3 if month < 10 else month - 9
    year += cycle * 400 + (month <= 2)
    return (f"{year:04}" if 0 <= year <= 9999 else f"{year:+05}") + f"-{month:02}-{day:02}"
