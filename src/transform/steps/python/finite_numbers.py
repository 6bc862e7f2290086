def finite_numbers(column):
    column = column.cast(pl.Float64).drop_nulls()
    return column.filter(column.is_finite()).to_list()
