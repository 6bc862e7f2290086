def split_words(text):
    """A text cut at every ASCII white space character, without empty words at the end, as Java's split does."""
    if not text:
        return text if text is None else [""]
    words = re.split(r"[ \t\n\x0b\x0c\r]", text)
    while words and not words[-1]:
        words.pop()
    return words
