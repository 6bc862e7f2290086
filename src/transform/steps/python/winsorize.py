def winsorize(value, dtype, lower, upper):
    # Where it is not a number, `clip` leaves it as it is.
    if dtype.is_integer():
        return value.clip(math.ceil(lower), math.floor(upper))
    return value.cast(pl.Float64).clip(lower, upper).cast(dtype)
