//! Lists of values of any kind as text, one value a line: what is typed keeps its type.
//!
//! `12` is a number, `true` a boolean and `null` no value; everything else is text. Text that would be read as one of these,
//! or that is empty or has spaces around it, stands in single quotes; text of several lines, and lists, are JSON.

use serde_json::Value;

use super::form::number;

/// One line a value.
pub(super) fn to_lines(values: &[Value]) -> String {
    values.iter().map(to_line).collect::<Vec<_>>().join("\n")
}

/// The values of a text; empty lines are none.
pub(super) fn from_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(from_line)
        .collect()
}

fn to_line(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains(['\n', '\r']) => value.to_string(),
        Value::String(text) if !text.is_empty() && from_line(text.trim()) == *value => text.clone(),
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

fn from_line(line: &str) -> Value {
    let quoted = line.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    if let Some(text) = quoted {
        return Value::String(text.to_owned());
    }
    let is_json = line.starts_with(['"', '[', '{']);
    if let Some(value) = is_json.then(|| serde_json::from_str(line).ok()).flatten() {
        return value;
    }
    match line {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => number(line).unwrap_or_else(|| Value::String(line.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{from_lines, to_lines};

    #[test]
    fn what_is_typed_keeps_its_type_and_quotes_make_text_of_anything() {
        let typed = "US\n 12 \n'12'\n\n-1.5\nnull\n'null'\ntrue\n''\n' a'\nO'Neil\n\"a\\nb\"\n[1, 2]\n[x]";
        let expected = json!([
            "US",
            12,
            "12",
            -1.5,
            null,
            "null",
            true,
            "",
            " a",
            "O'Neil",
            "a\nb",
            [1, 2],
            "[x]"
        ]);
        assert_eq!(Value::from(from_lines(typed)), expected);
        let lines = to_lines(expected.as_array().unwrap());
        assert_eq!(lines.lines().count(), 13);
        assert_eq!(Value::from(from_lines(&lines)), expected);
    }

    proptest! {
        #[test]
        fn every_list_of_values_survives_its_lines(
            texts in prop::collection::vec("\\PC{0,8}|['\"\\[{ ]{1,4}|[0-9.eE_-]{1,6}|null|true|a\nb", 0..8),
            numbers in prop::collection::vec(any::<i64>(), 0..3),
        ) {
            let mut values: Vec<Value> = texts.into_iter().map(Value::from).collect();
            values.extend(numbers.into_iter().map(Value::from));
            values.push(Value::Null);
            prop_assert_eq!(from_lines(&to_lines(&values)), values);
        }
    }
}
