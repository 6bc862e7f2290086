MONTHS = "january february march april may june july august september october november december".split()
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
DIGITS = re.compile("[0-9]+")


def digits(text, most):
    found = DIGITS.match(text[:most])
    if not found:
        raise Misfit
    return int(found[0]), text[found.end() :]


def named(text, names, is_long):
    """One of `names` by its first three letters, or whole."""
    for index, name in enumerate(names):
        if text[:3].lower() == name[:3]:
            n_letters = len(name) if is_long and text[: len(name)].lower() == name else 3
            return index, text[n_letters:]
    raise Misfit


def offset_of(text, is_lax):
    """Seconds east of UTC."""
    text = text.lstrip(SPACES)
    if is_lax and text[:1] in ("Z", "z"):
        return 0, text[1:]
    found = re.match(r"([+\u2212-])([0-9]{2})[:\s]*([0-9]{2})" + ("?" if is_lax else ""), text, re.ASCII)
    if not found or int(found[2]) > 23 or int(found[3] or 0) > 59:
        raise Misfit
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return (minutes if found[1] == "+" else -minutes) * 60, text[found.end() :]


def by_form(form, text, kind):
    """A date or timestamp by the items of a strftime form."""
    text, seen = str(text), {}
    for item, what in form:
        if item == "literal":
            if not text.startswith(what):
                raise Misfit
            text = text[len(what) :]
        elif item == "space":
            text = text.lstrip(SPACES)
        elif item == "number":
            name, most, is_signed = what
            text = text.lstrip(SPACES)
            sign = -1 if is_signed and text[:1] == "-" else 1
            if is_signed and text[:1] in ("-", "+"):
                value, text = digits(text[1:], 20)
            else:
                value, text = digits(text, most)
            value *= sign
            if seen.setdefault(name, value) != value:
                raise Misfit
        elif item == "fraction":
            if text[:1] == ".":
                found = DIGITS.match(text[1:])
                if not found:
                    raise Misfit
                seen["nanosecond"] = int(found[0][:9].ljust(9, "0"))
                text = text[1 + found.end() :]
        elif item == "month":
            value, text = named(text, MONTHS, what)
            if seen.setdefault("month", value + 1) != value + 1:
                raise Misfit
        elif item == "weekday":
            value, text = named(text, WEEKDAYS, what)
            if seen.setdefault("weekday", value) != value:
                raise Misfit
        elif item == "half":
            if text[:2].lower() not in ("am", "pm"):
                raise Misfit
            seen["half"], text = text[:2].lower(), text[2:]
        else:
            value, text = offset_of(text, what)
            if seen.setdefault("offset", value) != value:
                raise Misfit
    if text:
        raise Misfit
    return moment(seen, kind)


def moment(seen, kind):
    if "timestamp" in seen and kind == "timestamp":
        seconds = seen["timestamp"]
        days = seconds // 86_400
    else:
        year = seen.get("year")
        if year is None and "short_year" in seen:
            year = seen["short_year"] + (2000 if seen["short_year"] < 70 else 1900)
        if year is None:
            raise Misfit
        if "ordinal" in seen and "month" not in seen:
            days = days_of(year, 1, 1) + seen["ordinal"] - 1
            if not 1 <= seen["ordinal"] or days >= days_of(year + 1, 1, 1):
                raise Misfit
        elif "month" in seen and "day" in seen:
            days = days_of(year, seen["month"], seen["day"])
        else:
            raise Misfit
        hour = seen.get("hour")
        if "hour12" in seen:
            if "half" not in seen or not 1 <= seen["hour12"] <= 12:
                raise Misfit
            hour = seen["hour12"] % 12 + (12 if seen["half"] == "pm" else 0)
        seconds = days * 86_400
        if kind == "timestamp" and hour is not None:
            if "minute" not in seen or ("nanosecond" in seen and "second" not in seen):
                raise Misfit
            minute, second = seen["minute"], seen.get("second", 0)
            if hour > 23 or minute > 59 or second > 60:
                raise Misfit
            seconds += hour * 3600 + minute * 60 + second
        elif kind == "timestamp" and ("minute" in seen or "offset" in seen):
            raise Misfit
        seconds -= seen.get("offset", 0)
    if "weekday" in seen and (days + 3) % 7 != seen["weekday"]:
        raise Misfit
    if kind == "date":
        return days
    return seconds * 1_000_000 + seen.get("nanosecond", 0) // 1_000
