def read_json(text):
    """Whether a text is JSON, and what it says."""

    def whole(digits):
        number = int(digits)
        if digits == "-0" or not -(2**63) <= number < 2**64:
            return fraction(digits)
        return number

    def fraction(digits):
        number = float(digits)
        if not math.isfinite(number):
            raise ValueError(digits)
        return number

    def constant(name):
        raise ValueError(name)

    def check(value, depth):
        if isinstance(value, str):
            value.encode()
        elif isinstance(value, (dict, list)):
            if depth >= 128:
                raise ValueError("too deep")
            for item in value.values() if isinstance(value, dict) else value:
                check(item, depth + 1)
            for name in value if isinstance(value, dict) else ():
                name.encode()

    try:
        value = json.loads(text, parse_int=whole, parse_float=fraction, parse_constant=constant)
        check(value, 1)
        return True, value
    except (ValueError, RecursionError):
        return False, None
