class Reject(ValueError):
    """A record that is not what the schema declares."""


class Misfit(ValueError):
    """A value of another type."""


class Number(str):
    """A number as its text, which loses nothing."""


NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
ISO_DATE = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
ISO_TIME = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
ISO_OFFSET = r"(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
DATE = re.compile(ISO_DATE)
TIMESTAMP = re.compile(ISO_DATE + "[Tt ]" + ISO_TIME + ISO_OFFSET)
SPACES = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
MAX_DEPTH = 128


def read_jsonl(source, paths):
    """The records of JSON Lines by the declared schema, and how many were rejected.

    A record that does not fit is left out whole: invalid JSON, a key that stands twice, a value of another type, a
    required field that is missing or null.
    """
    columns, n_rejected = [[] for _ in source["fields"]], 0
    for name, file in files(source, paths):
        with file:
            n_before = n_rejected
            for line in lines(file):
                try:
                    row = record(source, line)
                except (ValueError, RecursionError):
                    n_rejected += 1
                    continue
                for column, value in zip(columns, row):
                    column.append(value)
            if n_rejected > n_before:
                print(f"{name}: {n_rejected - n_before} rejected", file=sys.stderr)
    names = [field["name"] for field in source["fields"]]
    data = {
        name: pl.Series(name, column, dtype=stored(dtype))
        for name, column, dtype in zip(names, columns, source["schema"].values())
    }
    return pl.DataFrame(data).cast(source["schema"]), n_rejected


def stored(dtype):
    """The type in which values of `dtype` are collected: times are numbers."""
    if isinstance(dtype, pl.List):
        return pl.List(stored(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: stored(field.dtype) for field in dtype.fields})
    return pl.Int64 if isinstance(dtype, pl.Datetime) else pl.Int32 if dtype == pl.Date else dtype


def lines(file):
    """Lines that are not blank; a cut or broken compressed file gives its whole lines and one line that is no JSON."""
    file = io.BufferedReader(file) if not hasattr(file, "peek") else file
    head = file.peek(4)[:4]
    if head.startswith(b"\x1f\x8b"):
        file = gzip.GzipFile(fileobj=file)
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        file = open_zstd(file)
    is_first = True
    try:
        for line in file:
            line = line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line
            line = line.removeprefix(b"\xef\xbb\xbf") if is_first else line
            is_first = False
            if line.strip(b" \t\n\x0c\r"):
                yield line
    except (EOFError, OSError, ValueError, zlib.error):
        yield b""


def open_zstd(file):
    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        try:
            import zstandard
        except ImportError:
            raise SystemExit("zstd is read by the package zstandard: pip install zstandard") from None
        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True))
    return zstd.ZstdFile(file)


def record(source, line):
    """The values of one record in the order of the fields."""
    if len(line) > source["max_line_bytes"]:
        raise Reject("the line is too long")
    text = line.decode("utf-8")
    values = json.loads(
        text, parse_int=Number, parse_float=Number, parse_constant=refuse, object_pairs_hook=without_doubles
    )
    if type(values) is not dict:
        raise Reject("no object")
    if "\\u" in text:
        # Half a surrogate pair is no character.
        json.dumps(values, ensure_ascii=False).encode("utf-8")
    if text.count("{") + text.count("[") > MAX_DEPTH:
        check_depth(values, 1)
    if source["on_unknown"] == "quarantine" and not values.keys() <= source["schema"].keys():
        raise Reject("a key that is not declared")
    places = members(text, 0) if source["keeps_text"] else {}
    row = []
    for field in source["fields"]:
        name = field["name"]
        if name not in values and source["on_missing"] == "quarantine":
            raise Reject("a field is missing")
        value = values.get(name)
        if value is None and field.get("required"):
            raise Reject("a required field is missing")
        is_lenient = source["on_mismatch"] == "null" and not field.get("required")
        options = (source, field.get("accept", ()), is_lenient)
        row.append(fit(field["type"], value, options, field.get("parse"), text, places.get(name)))
    return row


def refuse(word):
    raise Reject(word)


def without_doubles(pairs):
    values = dict(pairs)
    if len(values) < len(pairs):
        raise Reject("a key stands twice")
    return values


def check_depth(value, depth):
    if isinstance(value, (dict, list)):
        if depth > MAX_DEPTH:
            raise Reject("nested too deeply")
        for item in value.values() if isinstance(value, dict) else value:
            check_depth(item, depth + 1)


def fit(kind, value, options, form, text, place):
    """`value` as a column of `kind` holds it. Its JSON text starts at `place` of `text`, where that is asked for."""
    if value is None:
        return None
    try:
        return convert(kind, value, options, form, text, place)
    except Misfit:
        if options[2]:
            return None
        raise Reject("a value of another type") from None


def convert(kind, value, options, form, text, place):
    source, accept, _ = options
    if kind == "json":
        return text[place : end_of(text, place)]
    if kind == "string":
        if type(value) is str:
            return value
        if isinstance(value, bool) and ("bool" in accept or "json" in accept):
            return "true" if value else "false"
        if type(value) is Number and ("number" in accept or "json" in accept):
            return str(value)
        if isinstance(value, (dict, list)) and "json" in accept:
            return text[place : end_of(text, place)]
    elif kind == "bool":
        if isinstance(value, bool):
            return value
        if type(value) is str and value in ("true", "false") and "string" in accept:
            return value == "true"
    elif kind in ("int64", "float64"):
        if type(value) is str and "numeric_string" in accept:
            value = value.strip(SPACES)
        elif type(value) is not Number:
            raise Misfit
        parts = NUMBER.fullmatch(value)
        if not parts:
            raise Misfit
        return whole(parts) if kind == "int64" else real(value, parts, "number" in accept)
    elif kind in ("date", "timestamp"):
        if type(value) is str or (type(value) is Number and "number" in accept):
            if form:
                return by_form(form, value, kind)
            return iso_days(value) if kind == "date" else iso_micros(value)
    elif "list" in kind and type(value) is list:
        places = items(text, place) if place is not None else [None] * len(value)
        return [fit(kind["list"], item, options, None, text, at) for item, at in zip(value, places)]
    elif "struct" in kind and type(value) is dict:
        fields = kind["struct"]
        if source["on_unknown"] == "quarantine" and not value.keys() <= fields.keys():
            raise Reject("a key that is not declared")
        if source["on_missing"] == "quarantine" and not fields.keys() <= value.keys():
            raise Reject("a field is missing")
        places = members(text, place) if place is not None else {}
        return {
            name: fit(inner, value.get(name), options, None, text, places.get(name)) for name, inner in fields.items()
        }
    raise Misfit


def whole(parts):
    """The integer that a number is exactly, whatever its form: `7`, `7.0`, `0.7e1`."""
    sign, digits, fraction, exponent = parts.groups()
    fraction = fraction or ""
    point = len(digits) + int(exponent or 0)
    digits = digits + fraction
    if not digits.strip("0"):
        return 0
    if digits[max(point, 0) :].strip("0"):
        raise Misfit
    n_zeros = len(digits) - len(digits.lstrip("0"))
    if point - n_zeros > 19:
        raise Misfit
    value = int(sign + digits[:point].ljust(point, "0"))
    if not -(2**63) <= value < 2**63:
        raise Misfit
    return value


def real(text, parts, takes_rounded):
    """A finite float; integers beyond 2^53 only where a rounded one is taken."""
    if parts[3] is None and parts[4] is None:
        if not takes_rounded and (len(text) > 17 or abs(int(text)) > 2**53):
            raise Misfit
        if type(text) is Number and text == "-0":
            return 0.0
    value = float(text)
    if math.isinf(value):
        raise Misfit
    return value


def days_of(year, month, day):
    """Days since 1970-01-01."""
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    n_days = (31, 29 if is_leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not 1 <= month <= 12 or not 1 <= day <= n_days[month - 1]:
        raise Misfit
    year -= 1
    return year * 365 + year // 4 - year // 100 + year // 400 + sum(n_days[: month - 1]) + day - 719163


def iso_days(text):
    parts = DATE.fullmatch(text)
    if not parts:
        raise Misfit
    return days_of(*map(int, parts.groups()))


def iso_micros(text):
    """Microseconds since the epoch; UTC without an offset."""
    parts = TIMESTAMP.fullmatch(text)
    if not parts:
        raise Misfit
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = parts.groups()
    hour, minute, second = int(hour), int(minute), int(second or 0)
    hours, minutes = int(hours or 0), int(minutes or 0)
    if hour > 23 or minute > 59 or second > 59 or hours > 23 or minutes > 59:
        raise Misfit
    offset = (hours * 60 + minutes) * (-60 if sign == "-" else 60)
    seconds = days_of(int(year), int(month), int(day)) * 86_400 + hour * 3600 + minute * 60 + second - offset
    return seconds * 1_000_000 + int((fraction or "")[:6].ljust(6, "0"))


SCAN = json.JSONDecoder().scan_once


def end_of(text, at):
    return SCAN(text, at)[1]


def skip(text, at):
    while text[at] in " \t\n\r":
        at += 1
    return at


def members(text, at):
    """Where the values of the object at `at` start, by key."""
    places, at = {}, skip(text, skip(text, at) + 1)
    while text[at] != "}":
        key, at = SCAN(text, at)
        at = skip(text, skip(text, at) + 1)
        places[key] = at
        at = skip(text, end_of(text, at))
        at = skip(text, at + 1) if text[at] == "," else at
    return places


def items(text, at):
    """Where the items of the array at `at` start."""
    places, at = [], skip(text, at + 1)
    while text[at] != "]":
        places.append(at)
        at = skip(text, end_of(text, at))
        at = skip(text, at + 1) if text[at] == "," else at
    return places
