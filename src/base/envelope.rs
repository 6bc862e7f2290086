//! The one way YAML enters and leaves: what people write and what runs leave is read here, with places in the errors.
//!
//! Leaves to others what a document means; each kind checks its own fields.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The version that every envelope of this release carries.
pub const API_VERSION: &str = "skewer/v1";

/// A text that is not the document it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{message}", place(*line, *column))]
pub struct YamlError {
    /// 1-based; 0 when the place is not known.
    pub line: u64,
    /// 1-based, in characters; 0 when the place is not known.
    pub column: u64,
    pub message: String,
}

fn place(line: u64, column: u64) -> String {
    if line == 0 {
        String::new()
    } else {
        format!("{line}:{column}: ")
    }
}

/// Reads one YAML (or JSON) document. Only `true` and `false` are booleans; unknown and doubled keys are errors.
///
/// # Errors
/// [`YamlError`] with the line and column of the first thing that does not fit.
pub fn from_yaml<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    // Editors on Windows put a byte order mark before the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let location = error.location();
        YamlError {
            // What is wrong with all of the text is wrong from its start on.
            line: location.map_or(1, |at| at.line()),
            column: location.map_or(1, |at| at.column()),
            message: plain(&bare_message(&error), text),
        }
    })
}

/// What the library says in words of its own, in words that say what to write.
fn plain(message: &str, text: &str) -> String {
    let said = |line: &&str| !line.is_empty() && !line.starts_with('#') && *line != "---" && *line != "...";
    let mut lines = text.lines().map(str::trim).filter(said);
    let is_nothing = match (lines.next(), lines.next()) {
        (None, _) => true,
        (Some(only), None) => matches!(only, "null" | "Null" | "NULL" | "~"),
        _ => false,
    };
    let remedy = match message {
        _ if is_nothing => "nothing is written here: begin with `apiVersion: skewer/v1` and `kind:`",
        "expected mapping start" => {
            "a map is expected here: write `key: value`, one on each line, or `{key: value}`"
        }
        "expected sequence start" => {
            "a list is expected here: begin each of its items with `- ` on a line of its own, or write `[a, b]`"
        }
        "expected string scalar" => {
            "one text is expected here: write a word or a quoted text, no list and no map"
        }
        "unexpected end of input" => "the text ends too early: something is missing at its end",
        _ if message.contains("found a tab") => return format!("{message}: indent with spaces"),
        _ => return message.to_owned(),
    };
    remedy.to_owned()
}

/// Writes a document so that YAML 1.1 readers understand it alike.
///
/// # Errors
/// [`YamlError`] without a place when a value has no YAML form.
pub fn to_yaml<T: Serialize>(value: &T) -> Result<String, YamlError> {
    serde_saphyr::to_string(value).map_err(|error| YamlError {
        line: 0,
        column: 0,
        message: error.to_string(),
    })
}

/// The error's own words, without the snippet and the place that the library adds.
fn bare_message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    let text = first.strip_prefix("error: ").unwrap_or(first);
    match text.rfind(" at line ") {
        Some(at) => text.get(..at).unwrap_or(text).to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::{from_yaml, to_yaml};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Small {
        name: String,
        n: u32,
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place() {
        let error = from_yaml::<Small>("name: a\nn: 1\nsise: 3\n").unwrap_err();
        assert_eq!((error.line, error.column), (3, 1), "{error}");
        assert!(error.message.contains("sise"), "{error}");
    }

    #[test]
    fn what_is_no_map_is_told_with_its_place_and_what_to_write() {
        let said = |text: &str| from_yaml::<Small>(text).unwrap_err().to_string();
        for nothing in ["", "null\n", "# later\n~\n", "---\n"] {
            let error = said(nothing);
            assert!(error.contains(": nothing is written here: begin with"), "{error}");
        }
        assert!(
            said("- a\n").contains(": a map is expected here: write `key: value`"),
            "{}",
            said("- a\n")
        );
        let error = said("name: [a]\nn: 1\n");
        assert!(error.starts_with("1:7: one text is expected"), "{error}");
        let error = from_yaml::<Vec<u32>>("a: 1\n").unwrap_err().to_string();
        assert!(error.contains("a list is expected here: begin each"), "{error}");
        assert!(
            said("name: a\n\tn: 1\n").contains("indent with spaces"),
            "{}",
            said("name: a\n\tn: 1\n")
        );
    }

    #[test]
    fn a_byte_order_mark_before_the_text_is_no_part_of_it() {
        assert_eq!(from_yaml::<Small>("\u{feff}name: a\nn: 7\n").unwrap().n, 7);
        assert_eq!(
            from_yaml::<Small>("\u{feff}{\"name\": \"a\", \"n\": 7}")
                .unwrap()
                .n,
            7
        );
    }

    #[test]
    fn words_that_look_like_booleans_stay_text_both_ways() {
        let small = Small {
            name: "no".to_owned(),
            n: 7,
        };
        let text = to_yaml(&small).unwrap();
        assert!(text.contains("\"no\"") || text.contains("'no'"), "{text}");
        assert_eq!(from_yaml::<Small>(&text).unwrap(), small);
        assert_eq!(from_yaml::<Small>("name: no\nn: 7").unwrap().name, "no");
    }
}
