def murmur3(data, seed):
    """MurmurHash3 (x86, 32 bits) as a signed number, as Spark ML hashes words."""
    m = 0xFFFFFFFF

    def mixed(word):
        word = word * 0xCC9E2D51 & m
        return (word << 15 | word >> 17) * 0x1B873593 & m

    h = seed
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        h ^= mixed(int.from_bytes(data[at : at + 4], "little"))
        h = ((h << 13 | h >> 19) & m) * 5 + 0xE6546B64 & m
    h ^= mixed(int.from_bytes(data[whole:], "little"))
    h ^= len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B & m
    h = (h ^ h >> 13) * 0xC2B2AE35 & m
    h ^= h >> 16
    return h - 2**32 if h >= 2**31 else h
