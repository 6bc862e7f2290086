def bucketize(value, borders, has_extra):
    value = value.cast(pl.Float64)
    bucket = pl.lit(pl.Series(borders, dtype=pl.Float64)).search_sorted(value, side="right").cast(pl.Int32)
    for index, border in enumerate(borders):
        if border == 0.0 and math.copysign(1.0, border) > 0.0:
            # Minus zero lies below zero.
            below = pl.lit(index, dtype=pl.Int32)
            bucket = pl.when((value == 0.0) & (1.0 / value < 0.0)).then(below).otherwise(bucket)
    nan = pl.lit(len(borders) + 1 if has_extra else None, dtype=pl.Int32)
    return pl.when(value.is_null()).then(None).when(value.is_nan()).then(nan).otherwise(bucket)
