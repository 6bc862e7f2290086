def quantile_borders(column, buckets):
    values = finite_numbers(column)
    if not values:
        return []
    return sorted({quantile(values, bucket / buckets) for bucket in range(1, buckets)})
