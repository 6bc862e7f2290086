def salt(salts, key, row):
    """One of the salts of a row's key, by the hash of the row; 0 for a key that has none."""
    of_key = salts.get(b"".join(map(row_bytes, key)), [0])
    return of_key[xxh3_64(b"".join(map(row_bytes, row))) % len(of_key)]
