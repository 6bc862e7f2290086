def whole_months(a, b):
    def count(t):
        return t.dt.year().cast(pl.Int64) * 12 + t.dt.month().cast(pl.Int64)

    def passed(t):
        return t - t.dt.truncate("1mo")

    n = count(b) - count(a)
    forward = n - (passed(b) < passed(a)).cast(pl.Int64)
    return pl.when(b >= a).then(forward).otherwise(n + (passed(b) > passed(a)).cast(pl.Int64))
