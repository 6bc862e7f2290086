def by_frequency(column):
    counts = {}
    for text in column.cast(pl.String).drop_nulls():
        counts[text] = counts.get(text, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0].encode("utf-16-be")))
