def limits(column, lower, upper):
    values = finite_numbers(column)
    return (quantile(values, lower), quantile(values, upper)) if values else (0.0, 0.0)
