def split_fields(pieces, cuts, n, trim, drop_empty):
    """The first pieces of a text one by one, and in the last field all that is left."""
    space = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
    fields = []
    at = 0
    while pieces is not None and at < len(pieces):
        is_last = len(fields) == n - 1
        end = len(pieces) if is_last else at + 1
        piece = "".join(piece + cut for piece, cut in zip(pieces[at:end], cuts[at : end - 1] + [""]))
        at = end
        piece = piece.strip(space) if trim else piece
        if piece or not drop_empty:
            fields.append(piece)
    return fields + [None] * (n - len(fields))
