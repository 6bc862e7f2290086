def quantile(values, q):
    values = sorted(values)
    return values[max(math.ceil(q * len(values)), 1) - 1] + 0.0
