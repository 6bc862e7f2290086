def iso8601_days(text):
    """Days since 1970 of `2020-01-31`, or None."""
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text, re.ASCII)
    if not match:
        return None
    year, month, day = map(int, match.groups())
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = [31, 29 if is_leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1]:
        return None
    before = year - 1
    leap_days = before // 4 - before // 100 + before // 400
    return before * 365 + leap_days + sum(lengths[: month - 1]) + day - 719163


def iso8601_micros(text):
    """Microseconds since 1970 (UTC) of `2020-01-31T12:30:15.5+01:00`, or None. Without an offset it is UTC."""
    days = iso8601_days(text[:10])
    if days is None or len(text) == 10:
        return None if days is None else days * 86_400_000_000
    clock = r"[Tt ](\d\d?):(\d\d?)(?::(\d\d?)(?:\.(\d+))?)?([Zz]|[+-]\d\d(?::?\d\d)?)?"
    match = re.fullmatch(clock, text[10:], re.ASCII)
    if not match:
        return None
    hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3))
    if hour > 23 or minute > 59 or second > 60:
        return None
    seconds = days * 86_400 + hour * 3_600 + minute * 60 + second
    offset = match.group(5)
    if offset and offset not in "Zz":
        digits = offset[1:].replace(":", "")
        hours, minutes = int(digits[:2]), int(digits[2:] or 0)
        if hours > 23 or minutes > 59:
            return None
        seconds -= (hours * 3_600 + minutes * 60) * (-1 if offset[0] == "-" else 1)
    return seconds * 1_000_000 + int((match.group(4) or "")[:6].ljust(6, "0"))
