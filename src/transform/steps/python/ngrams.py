def ngrams(words, n):
    """Runs of n neighbouring words, as Spark ML's NGram makes them."""
    if words is None:
        return None
    words = ["null" if word is None else word for word in words]
    return [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
