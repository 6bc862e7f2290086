//! The raw text of values: the parsed tape keeps no text, so it is found again in the line, token by token.

/// Walks the tokens of a line that is known to be valid JSON. Each node of the tape is one token that is not a comma,
/// colon or closing bracket, so that the n-th such token is the n-th node. Moving forward costs the line's length once
/// per record, however many values ask for their text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RawCursor {
    pos: usize,
    node: usize,
}

impl RawCursor {
    /// The exact text of the value at `node`; empty only when `line` is not what the tape was made from.
    pub(super) fn text<'a>(&mut self, line: &'a [u8], node: usize) -> &'a str {
        let start = self.seek(line, node);
        let end = match line.get(start) {
            Some(b'{' | b'[') => end_of_container(line, start),
            _ => end_of_token(line, start),
        };
        line.get(start..end)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    fn seek(&mut self, line: &[u8], node: usize) -> usize {
        if node < self.node {
            *self = Self::default();
        }
        loop {
            while matches!(
                line.get(self.pos),
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b'}' | b']')
            ) {
                self.pos += 1;
            }
            if self.node == node || self.pos >= line.len() {
                return self.pos;
            }
            self.pos = end_of_token(line, self.pos);
            self.node += 1;
        }
    }
}

/// One past the token at `start`: a string, a number or word, or one bracket.
pub(super) fn end_of_token(line: &[u8], start: usize) -> usize {
    match line.get(start) {
        Some(b'"') => {
            let mut pos = start + 1;
            loop {
                match line.get(pos) {
                    Some(b'\\') => pos += 2,
                    Some(b'"') => return pos + 1,
                    Some(_) => pos += 1,
                    None => return line.len(),
                }
            }
        }
        Some(b'{' | b'[') => start + 1,
        _ => {
            let rest = line.get(start..).unwrap_or_default();
            let is_end = |byte: &u8| {
                matches!(
                    byte,
                    b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b'}' | b']' | b'"'
                )
            };
            start + rest.iter().position(is_end).unwrap_or(rest.len())
        }
    }
}

fn end_of_container(line: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut pos = start;
    while let Some(byte) = line.get(pos) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return pos + 1;
                }
            }
            b'"' => {
                pos = end_of_token(line, pos);
                continue;
            }
            _ => {}
        }
        pos += 1;
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::RawCursor;

    #[test]
    fn every_node_has_its_exact_text_in_any_order() {
        let line = br#"  {"a" : 1.50, "b":[ {"c\"]":"x,\\"} , null ],"d":-0e+1}"#;
        let expected = [
            (2, "1.50"),
            (4, r#"[ {"c\"]":"x,\\"} , null ]"#),
            (5, r#"{"c\"]":"x,\\"}"#),
            (7, r#""x,\\""#),
            (8, "null"),
            (10, "-0e+1"),
        ];
        let mut cursor = RawCursor::default();
        for (node, text) in expected.into_iter().chain(expected.into_iter().rev()) {
            assert_eq!(cursor.text(line, node), text, "node {node}");
        }
    }
}
