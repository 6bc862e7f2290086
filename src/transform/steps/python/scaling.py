def scaling(column, method):
    values = finite_numbers(column)
    if not values:
        return 0.0, 0.0
    if method == "standard":
        total = squares = 0.0
        for value in values:
            total += value
        mean = total / len(values)
        for value in values:
            squares += (value - mean) * (value - mean)
        return mean, math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else 0.0
    if method == "min_max":
        low, high = quantile(values, 0.0), quantile(values, 1.0)
        return low, high - low
    return quantile(values, 0.5), quantile(values, 0.75) - quantile(values, 0.25)
