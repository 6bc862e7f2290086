def rolling(values, rows, made, is_mean):
    """Sums or means of each value and those before it, `rows` together; nulls are left out."""
    # It only ever adds, so nothing is left of a value that has gone, be it huge or no number: the window is an older part,
    # of which each end has its sum, the longest on top, and a newer part with its own.
    items = [None if value is None else (value, 1) for value in values.to_list()]
    older, newer, results = [], None, []
    for at, item in enumerate(items):
        if at >= rows:
            if not older:
                both = None
                for leaving in reversed(items[at - rows : at]):
                    both = added(leaving, both)
                    older.append(both)
                newer = None
            older.pop()
        newer = added(newer, item)
        total = added(older[-1] if older else None, newer)
        if total and is_mean:
            results.append(float(total[0]) / total[1])
        else:
            is_beyond = total and made == pl.Int64 and not -(2**63) <= total[0] < 2**63
            results.append(None if total is None or is_beyond else total[0])
    return pl.Series(results, dtype=made)


def added(a, b):
    return a if b is None else b if a is None else (a[0] + b[0], a[1] + b[1])
