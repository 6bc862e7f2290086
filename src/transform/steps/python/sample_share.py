def sample_share(seed, key):
    """Where a key lies between 0 and 1, by its hash."""
    return (xxh3_64(seed.to_bytes(8, "little") + b"".join(row_bytes(value) for value in key)) >> 11) / 2**53
