def bucketize(value, borders, has_extra):
    value = value.cast(pl.Float64)
    bucket = pl.lit(pl.Series(borders, dtype=pl.Float64)).search_sorted(value, side='right').cast(pl.Int32)
    nan = pl.lit(len(borders) + 1 if has_extra else None, dtype=pl.Int32)
    return pl.when(value.is_null()).then(None).when(value.is_nan()).then(nan).otherwise(bucket)
