def xxh3_64(data):
    """XXH3 with 64 bits and seed 0, as github.com/Cyan4973/xxHash defines it."""
    secret = bytes.fromhex(
        "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
        "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
        "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
        "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
        "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
        "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
    )
    m = (1 << 64) - 1
    p32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
    p64 = (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
    n = len(data)

    def word(b, at, size=8):
        return int.from_bytes(b[at : at + size], "little")

    def fold(a, b):
        product = a * b
        return (product & m) ^ (product >> 64)

    def avalanche(h):
        h ^= h >> 37
        h = h * 0x165667919E3779F9 & m
        return h ^ (h >> 32)

    def avalanche_64(h):
        h ^= h >> 33
        h = h * p64[1] & m
        h ^= h >> 29
        h = h * p64[2] & m
        return h ^ (h >> 32)

    def mix(at, s):
        return fold(word(data, at) ^ word(secret, s), word(data, at + 8) ^ word(secret, s + 8))

    if n == 0:
        return avalanche_64(word(secret, 56) ^ word(secret, 64))
    if n <= 3:
        joined = data[0] << 16 | data[n >> 1] << 24 | data[n - 1] | n << 8
        return avalanche_64(joined ^ word(secret, 0, 4) ^ word(secret, 4, 4))
    if n <= 8:
        joined = word(data, n - 4, 4) + (word(data, 0, 4) << 32)
        h = joined ^ word(secret, 8) ^ word(secret, 16)
        h ^= ((h << 49 | h >> 15) ^ (h << 24 | h >> 40)) & m
        h = h * 0x9FB21C651E98DF25 & m
        h ^= (h >> 35) + n
        h = h * 0x9FB21C651E98DF25 & m
        return h ^ (h >> 28)
    if n <= 16:
        low = word(data, 0) ^ word(secret, 24) ^ word(secret, 32)
        high = word(data, n - 8) ^ word(secret, 40) ^ word(secret, 48)
        swapped = int.from_bytes(low.to_bytes(8, "little"), "big")
        return avalanche((n + swapped + high + fold(low, high)) & m)
    if n <= 128:
        acc = n * p64[0]
        for i in range((n - 1) // 32 + 1):
            acc += mix(16 * i, 32 * i) + mix(n - 16 * (i + 1), 32 * i + 16)
        return avalanche(acc & m)
    if n <= 240:
        acc = n * p64[0] + sum(mix(16 * i, 16 * i) for i in range(8))
        acc = avalanche(acc & m)
        acc += sum(mix(16 * i, 16 * (i - 8) + 3) for i in range(8, n // 16))
        return avalanche((acc + mix(n - 16, 136 - 17)) & m)
    acc = [p32[2], p64[0], p64[1], p64[2], p64[3], p32[1], p64[4], p32[0]]

    def accumulate(at, s):
        for i in range(8):
            value = word(data, at + 8 * i)
            key = value ^ word(secret, s + 8 * i)
            acc[i ^ 1] = acc[i ^ 1] + value & m
            acc[i] = acc[i] + (key & 0xFFFFFFFF) * (key >> 32) & m

    blocks = (n - 1) // 1024
    for block in range(blocks):
        for stripe in range(16):
            accumulate(1024 * block + 64 * stripe, 8 * stripe)
        for i in range(8):
            acc[i] ^= acc[i] >> 47
            acc[i] = (acc[i] ^ word(secret, 128 + 8 * i)) * p32[0] & m
    for stripe in range((n - 1 - 1024 * blocks) // 64):
        accumulate(1024 * blocks + 64 * stripe, 8 * stripe)
    accumulate(n - 64, 192 - 64 - 7)
    h = n * p64[0]
    for i in range(4):
        h += fold(acc[2 * i] ^ word(secret, 11 + 16 * i), acc[2 * i + 1] ^ word(secret, 19 + 16 * i))
    return avalanche(h & m)
