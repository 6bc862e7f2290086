//! Text without its HTML: tags become a space, the contents of `script` and `style` go, entities are decoded.
//!
//! A scanner, not a parser: it never fails, and a `<` that starts no tag stays text.

/// The text between the tags of `html`. Entities are decoded after tags are gone, so that `&lt;b&gt;` stays `<b>`.
pub(super) fn strip(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return html.to_owned();
    }
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at_checked(at).unwrap_or((rest, ""));
        text.push_str(before);
        let tag_len = tag_len(tag);
        text.push(if tag_len.is_some() { ' ' } else { '<' });
        rest = tag.get(tag_len.unwrap_or(1)..).unwrap_or_default();
    }
    text.push_str(rest);
    decode_entities(&text)
}

/// The bytes of the tag or comment that `text` starts with, together with the content of `script` and `style`.
fn tag_len(text: &str) -> Option<usize> {
    if text.starts_with("<!--") {
        return Some(text.find("-->").map_or(text.len(), |end| end + 3));
    }
    let first = text.chars().nth(1)?;
    if !(first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?')) {
        return None;
    }
    let len = end_of_tag(text)?;
    for name in ["script", "style"] {
        let is_named = text
            .get(1..=name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name));
        let is_whole = text
            .get(1 + name.len()..)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-'));
        let is_empty = text.get(..len).is_some_and(|tag| tag.ends_with("/>"));
        if is_named && is_whole && !is_empty {
            let content = text.get(len..).unwrap_or_default();
            let close = find_ignoring_case(content, &format!("</{name}")).unwrap_or(content.len());
            let closing = content.get(close..).unwrap_or_default();
            return Some(len + close + end_of_tag(closing).unwrap_or(closing.len()));
        }
    }
    Some(len)
}

/// The bytes up to the `>` that ends a tag; one inside a quoted attribute does not.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'>') => return Some(at + 1),
            _ => {}
        }
    }
    // A quote that never closes belongs to no attribute.
    tag.find('>').map(|at| at + 1)
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes()
        .windows(wanted.len())
        .position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn decode_entities(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at_checked(at).unwrap_or((rest, ""));
        decoded.push_str(before);
        let body = entity.get(1..).unwrap_or_default();
        let end = body.bytes().take(10).position(|byte| byte == b';');
        let known = end.and_then(|end| Some((end + 1, entity_char(body.get(..end)?)?)));
        let (len, c) = known.unwrap_or((0, '&'));
        decoded.push(c);
        rest = body.get(len..).unwrap_or_default();
    }
    decoded.push_str(rest);
    decoded
}

fn entity_char(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| *c != '\0');
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| *c)
}

/// Names that occur in real descriptions: markup, typography and the letters of western European languages.
/// Source: the HTML standard's table of named character references.
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("bull", '•'),
    ("middot", '·'),
    ("shy", '\u{ad}'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("deg", '°'),
    ("sect", '§'),
    ("para", '¶'),
    ("plusmn", '±'),
    ("times", '×'),
    ("divide", '÷'),
    ("frac12", '½'),
    ("frac14", '¼'),
    ("frac34", '¾'),
    ("euro", '€'),
    ("pound", '£'),
    ("cent", '¢'),
    ("yen", '¥'),
    ("iexcl", '¡'),
    ("iquest", '¿'),
    ("szlig", 'ß'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("euml", 'ë'),
    ("iuml", 'ï'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("aacute", 'á'),
    ("eacute", 'é'),
    ("iacute", 'í'),
    ("oacute", 'ó'),
    ("uacute", 'ú'),
    ("Aacute", 'Á'),
    ("Eacute", 'É'),
    ("Iacute", 'Í'),
    ("Oacute", 'Ó'),
    ("Uacute", 'Ú'),
    ("agrave", 'à'),
    ("egrave", 'è'),
    ("igrave", 'ì'),
    ("ograve", 'ò'),
    ("ugrave", 'ù'),
    ("Agrave", 'À'),
    ("Egrave", 'È'),
    ("acirc", 'â'),
    ("ecirc", 'ê'),
    ("icirc", 'î'),
    ("ocirc", 'ô'),
    ("ucirc", 'û'),
    ("atilde", 'ã'),
    ("otilde", 'õ'),
    ("ntilde", 'ñ'),
    ("Ntilde", 'Ñ'),
    ("ccedil", 'ç'),
    ("Ccedil", 'Ç'),
    ("aring", 'å'),
    ("Aring", 'Å'),
    ("aelig", 'æ'),
    ("AElig", 'Æ'),
    ("oslash", 'ø'),
    ("Oslash", 'Ø'),
    ("oelig", 'œ'),
];

#[cfg(test)]
mod tests {
    use super::{NAMED, strip};

    #[test]
    fn python_knows_the_same_names() {
        let python = include_str!("python/strip_html.py");
        for (name, c) in NAMED {
            let c = match c {
                '"' => "\\\"".to_owned(),
                '\u{a0}' | '\u{ad}' => format!("\\u{:04x}", u32::from(*c)),
                c => c.to_string(),
            };
            assert!(python.contains(&format!("\"{name}\": \"{c}\"")), "{name}");
        }
    }

    #[test]
    fn tags_become_a_space_and_their_text_stays() {
        for (html, text) in [
            ("plain", "plain"),
            ("<p>a</p><p>b</p>", " a  b "),
            ("a<br/>b", "a b"),
            ("<a href=\"x>y\">z</a>", " z "),
            ("a <b", "a <b"),
            ("1 < 2 > 0", "1 < 2 > 0"),
            ("<", "<"),
            ("a<!-- <p>no</p> -->b", "a b"),
            ("a<!-- no end", "a "),
            ("a<script type='x'>if (a<b) {}</script >b", "a b"),
            ("a<STYLE>p {}</Style>b", "a b"),
            ("<scripted>b</scripted>", " b "),
            ("a<style>no end", "a "),
            ("<!DOCTYPE html>x", " x"),
            ("日本<b>語</b>", "日本 語 "),
            ("<i title=\"oops>x", " x"),
        ] {
            assert_eq!(strip(html), text, "{html}");
        }
    }

    #[test]
    fn entities_are_decoded_once() {
        for (html, text) in [
            ("R&amp;D", "R&D"),
            ("&lt;b&gt;", "<b>"),
            ("&amp;lt;", "&lt;"),
            ("caf&eacute; &#8364; &#x20AC;", "café € €"),
            ("a & b", "a & b"),
            ("&unknown; &;", "&unknown; &;"),
            ("&#0; &#x110000;", "&#0; &#x110000;"),
            ("a&nbsp;b", "a\u{a0}b"),
        ] {
            assert_eq!(strip(html), text, "{html}");
        }
    }
}
