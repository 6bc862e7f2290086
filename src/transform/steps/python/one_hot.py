def one_hot(place, n_places):
    vector = pl.concat_list([(place == here).cast(pl.Float64) for here in range(n_places)])
    return pl.when(place.is_not_null()).then(vector)
