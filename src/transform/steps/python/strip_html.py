def strip_html(html):
    """Text without its HTML: tags become a space, scripts and styles go, entities are decoded."""
    if html is None or not ("<" in html or "&" in html):
        return html
    named = {
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": "\u00a0", "ndash": "–", "mdash": "—",
        "hellip": "…", "lsquo": "‘", "rsquo": "’", "sbquo": "‚", "ldquo": "“", "rdquo": "”", "bdquo": "„",
        "laquo": "«", "raquo": "»", "bull": "•", "middot": "·", "shy": "\u00ad", "copy": "©", "reg": "®",
        "trade": "™", "deg": "°", "sect": "§", "para": "¶", "plusmn": "±", "times": "×", "divide": "÷",
        "frac12": "½", "frac14": "¼", "frac34": "¾", "euro": "€", "pound": "£", "cent": "¢", "yen": "¥",
        "iexcl": "¡", "iquest": "¿", "szlig": "ß", "auml": "ä", "ouml": "ö", "uuml": "ü", "euml": "ë",
        "iuml": "ï", "Auml": "Ä", "Ouml": "Ö", "Uuml": "Ü", "aacute": "á", "eacute": "é", "iacute": "í",
        "oacute": "ó", "uacute": "ú", "Aacute": "Á", "Eacute": "É", "Iacute": "Í", "Oacute": "Ó", "Uacute": "Ú",
        "agrave": "à", "egrave": "è", "igrave": "ì", "ograve": "ò", "ugrave": "ù", "Agrave": "À", "Egrave": "È",
        "acirc": "â", "ecirc": "ê", "icirc": "î", "ocirc": "ô", "ucirc": "û", "atilde": "ã", "otilde": "õ",
        "ntilde": "ñ", "Ntilde": "Ñ", "ccedil": "ç", "Ccedil": "Ç", "aring": "å", "Aring": "Å", "aelig": "æ",
        "AElig": "Æ", "oslash": "ø", "Oslash": "Ø", "oelig": "œ",
    }

    def end_of_tag(tag):
        quote = None
        for at, c in enumerate(tag):
            if quote is not None:
                quote = None if c == quote else quote
            elif c in "\"'":
                quote = c
            elif c == ">":
                return at + 1
        return tag.find(">") + 1 or None

    def tag_len(text):
        if text.startswith("<!--"):
            end = text.find("-->")
            return end + 3 if end >= 0 else len(text)
        if not re.match(r"<[A-Za-z/!?]", text):
            return None
        length = end_of_tag(text)
        if length is None:
            return None
        name = re.match(r"<(script|style)(?![A-Za-z0-9-])", text, re.IGNORECASE | re.ASCII)
        if name and not text[:length].endswith("/>"):
            content = text[length:]
            close = re.search("</" + name[1], content, re.IGNORECASE | re.ASCII)
            close = close.start() if close else len(content)
            closing = content[close:]
            return length + close + (end_of_tag(closing) or len(closing))
        return length

    def entity(found):
        name = found[1]
        number = re.fullmatch(r"#(?:[xX]\+?([0-9a-fA-F]+)|\+?([0-9]+))", name)
        if not number:
            return named.get(name, found[0])
        code = int(number[1], 16) if number[1] else int(number[2])
        is_char = 0 < code < 0xD800 or 0xDFFF < code <= 0x10FFFF
        return chr(code) if is_char else found[0]

    parts = []
    rest = html
    while (at := rest.find("<")) >= 0:
        length = tag_len(rest[at:])
        parts += [rest[:at], "<" if length is None else " "]
        rest = rest[at + (length or 1) :]
    return re.sub(r"&([^&;]{0,9});", entity, "".join(parts) + rest)
