def scale(value, center, width, constant):
    value = value.cast(pl.Float64)
    if width == 0.0:
        return pl.when(value.is_finite()).then(constant).otherwise(value)
    return (value - center) * (1.0 / width)
