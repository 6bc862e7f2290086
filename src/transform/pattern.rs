//! Regular expressions in parameters: checked when they are typed, so that none can take more than linear time.

use regex::Regex;

use crate::transform::CheckError;

/// `pattern` in the syntax of Rust's `regex`, or why it is none. Look-around and back-references are refused there,
/// because with them no search in linear time exists.
pub(super) fn compile(param: &'static str, pattern: &str) -> Result<Regex, CheckError> {
    Regex::new(pattern).map_err(|error| explain(param, pattern, &error))
}

/// What is wrong with `pattern`, at which character, and what to do.
pub(super) fn explain(param: &'static str, pattern: &str, error: &regex::Error) -> CheckError {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default();
    let reason = reason.strip_prefix("error: ").unwrap_or(reason);
    let refused = if reason.starts_with("look-around") {
        Some("look-around cannot be matched in linear time; match what stands around and use a group `(...)`")
    } else if reason.starts_with("backreferences") {
        Some("a back-reference cannot be matched in linear time; compare two groups in a `derive` step")
    } else if matches!(error, regex::Error::CompiledTooBig(_)) {
        Some("the expression is too large; use smaller numbers of repetitions")
    } else {
        None
    };
    CheckError::new(param, format!("`{pattern}` is no regular expression"))
        .hint(refused.unwrap_or(reason))
        .at(position(pattern, &text))
}

/// The 1-based character that the error's text marks with a caret below the pattern.
fn position(pattern: &str, text: &str) -> Option<usize> {
    const INDENT: usize = 4;
    if pattern.contains('\n') {
        return None;
    }
    let marks = text.lines().find(|line| line.trim_start().starts_with('^'))?;
    (marks.chars().take_while(|c| *c == ' ').count() + 1).checked_sub(INDENT)
}

/// Refuses `$1` and `$name` in a replacement when the pattern has no such group.
pub(super) fn check_replacement(
    param: &'static str,
    regex: &Regex,
    replacement: &str,
) -> Result<(), CheckError> {
    let mut rest = replacement;
    while let Some((_, after)) = rest.split_once('$') {
        if let Some(after) = after.strip_prefix('$') {
            rest = after;
            continue;
        }
        let (name, after) = reference(after);
        rest = after;
        let known = match name.parse::<usize>() {
            Ok(number) => number < regex.captures_len(),
            Err(_) => name.is_empty() || regex.capture_names().flatten().any(|known| known == name),
        };
        if !known {
            let message = format!("the pattern has no group `{name}`");
            return Err(CheckError::new(param, message)
                .hint("write `${1}` before letters or digits, `$$` for a dollar sign"));
        }
    }
    Ok(())
}

/// The name of a group after a dollar sign, and what follows it.
fn reference(text: &str) -> (&str, &str) {
    if let Some((name, after)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) {
        return (name, after);
    }
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::{check_replacement, compile};

    #[test]
    fn what_cannot_be_linear_is_refused_with_the_reason_and_its_place() {
        for (pattern, position, reason) in [
            ("a(?=b)", Some(2), "look-around cannot be matched in linear time"),
            ("ä(?<!b)", Some(2), "look-around cannot be matched in linear time"),
            (
                r"(a)\1",
                Some(4),
                "a back-reference cannot be matched in linear time",
            ),
            ("(a", Some(1), "unclosed group"),
            (r"(?:\w{1000}){1000}", None, "the expression is too large"),
        ] {
            let error = compile("pattern", pattern).unwrap_err();
            assert_eq!(error.position, position, "{pattern}: {error}");
            assert!(error.hint.clone().unwrap().starts_with(reason), "{error}");
            assert!(error.message.starts_with('`'), "{error}");
        }
    }

    #[test]
    fn a_replacement_names_groups_that_there_are() {
        let regex = compile("pattern", "(?<word>a)(b)").unwrap();
        for good in ["$1$2", "${word}x", "$$9", "a", "$0", "5$"] {
            assert!(check_replacement("with", &regex, good).is_ok(), "{good}");
        }
        for bad in ["$3", "$1x", "${words}", "$wor d"] {
            let error = check_replacement("with", &regex, bad).unwrap_err().to_string();
            assert!(error.starts_with("the pattern has no group"), "{bad}: {error}");
        }
    }
}
