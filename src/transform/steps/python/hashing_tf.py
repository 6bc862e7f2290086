def hashing_tf(words, size, binary):
    """How often words hit each of `size` places, as Spark ML's HashingTF counts them."""
    if words is None:
        return None
    counts = {}
    for word in words:
        place = (42 if word is None else murmur3(word.encode(), 42)) % size
        counts[place] = 1.0 if binary else counts.get(place, 0.0) + 1.0
    places = sorted(counts)
    return {"indices": places, "values": [counts[place] for place in places]}
