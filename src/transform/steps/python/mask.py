def mask(text, email, phone, date, salt, keep_domain):
    """A text without e-mail addresses and phone numbers."""
    if text is None:
        return None

    def hidden(what, value):
        if salt is None:
            return f"[{what.upper()}]"
        return what + "_" + hashlib.sha256(salt.encode() + b"\0" + value.encode()).hexdigest()[:16]

    def hide_email(found):
        domain = "@" + found[2] if keep_domain else ""
        return hidden("email", found[0].lower()) + domain

    def hide_phone(found):
        digits = re.sub(r"[^0-9]", "", found[2])
        is_whole = found[1] in ("", ":", ",", ".", "/", "-") and not found[3]
        if not is_whole or len(digits) < 9 or re.search(date, found[2]):
            return found[0]
        return found[1] + hidden("phone", digits)

    if email is not None:
        text = re.sub(email, hide_email, text)
    if phone is not None:
        text = re.sub(phone, hide_phone, text)
    return text
