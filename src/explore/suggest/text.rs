//! What a column of text holds besides text: moments, numbers, JSON, HTML, and one category in several spellings.

use std::collections::HashMap;

use polars::prelude::{DataFrame, StringChunked};
use serde_json::{Value, json};

use super::{Look, MIN_READABLE, Seen, SuggestionCode, percent, shortened};
use crate::base::{Cancel, Cancelled, units};
use crate::transform::Step;

/// Values that choose among formats.
const N_TRIED: usize = 50;
/// Text formats of moments besides ISO 8601, the likelier first.
const FORMATS: &[&str] = &[
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y%m%d",
    "%Y%m%dT%H%M%S",
    "%Y%m%d%H%M%S",
    "%d %b %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%d/%b/%Y:%H:%M:%S %z",
    "%a %b %d %H:%M:%S %Y",
];
/// Share of values with tags or entities from which they are worth taking away.
const MIN_HTML: f64 = 0.01;
/// More spellings than this are not categories.
const MAX_SPELLINGS: usize = 1000;
/// Mean length, in characters and words, of text that is read rather than compared.
const LONG_CHARS: f64 = 80.0;
const LONG_WORDS: f64 = 8.0;

pub(super) fn look(look: &Look<'_>, cancel: &Cancel) -> Result<Vec<Seen>, Cancelled> {
    let Ok(texts) = look.column.str() else {
        return Ok(Vec::new());
    };
    let Some(values) = look.values(usize::MAX) else {
        return Ok(Vec::new());
    };
    let other_type = timestamp(look, texts, &values);
    cancel.check()?;
    let other_type = other_type
        .or_else(|| number(look, texts, &values))
        .or_else(|| json(look, texts));
    if let Some(seen) = other_type {
        return Ok(vec![seen]);
    }
    cancel.check()?;
    let mut found = Vec::new();
    found.extend(html(look, texts));
    found.extend(spelling(look, texts));
    cancel.check()?;
    found.extend(long(look, texts));
    Ok(found)
}

/// Share of the values for which `holds`.
fn share(look: &Look<'_>, texts: &StringChunked, holds: impl Fn(&str) -> bool) -> f64 {
    let n = texts.iter().flatten().filter(|text| holds(text)).count();
    n as f64 / look.n_values.max(1) as f64
}

fn timestamp(look: &Look<'_>, texts: &StringChunked, values: &DataFrame) -> Option<Seen> {
    // Most columns of text are none, and are told from those that are by their length and digits.
    let is_like_one =
        |text: &str| (6..=40).contains(&text.len()) && text.bytes().filter(u8::is_ascii_digit).count() >= 4;
    if share(look, texts, is_like_one) < MIN_READABLE {
        return None;
    }
    let params = |format: Option<&str>| match format {
        Some(format) => json!({"column": look.name, "format": format, "on_error": "null"}),
        None => json!({"column": look.name, "on_error": "null"}),
    };
    let first = values.head(Some(N_TRIED));
    let mut best = (0, None);
    let formats = std::iter::once(None).chain(FORMATS.iter().copied().map(Some));
    // Years written with two digits, or digits that are a number, are read by none of these.
    for format in formats {
        let n = look.n_computed("parse_timestamp", params(format), &first)?;
        if n > best.0 {
            best = (n, Some(format));
        }
        if n == first.height() {
            break;
        }
    }
    let format = best.1?;
    let n = look.n_computed("parse_timestamp", params(format), values)?;
    let share = n as f64 / look.n_values as f64;
    if share < MIN_READABLE {
        return None;
    }
    let what = format.map_or_else(
        || "read as ISO 8601 timestamps".to_owned(),
        |format| format!("read as timestamps in the form `{format}`"),
    );
    let other = format.and_then(|format| with_month_first(look, format, values, n));
    let doubt = other
        .map(|other| format!("; `{other}` reads as many"))
        .unwrap_or_default();
    let mut written = json!({"column": look.name});
    if let (Some(format), Value::Object(fields)) = (format, &mut written) {
        fields.insert("format".to_owned(), format.into());
    }
    Some(Seen {
        code: SuggestionCode::TimestampInText,
        reason: format!("{} {what}{doubt}", of_values(look, share)),
        share,
        step: Step::from_params("parse_timestamp", written),
    })
}

/// The same form with the month before the day, when that reads as many values: the data do not tell which is meant.
fn with_month_first(look: &Look<'_>, format: &str, values: &DataFrame, n: usize) -> Option<String> {
    let swapped = format.replace("%d/%m/", "%m/%d/");
    if swapped == format {
        return None;
    }
    let params = json!({"column": look.name, "format": swapped, "on_error": "null"});
    let n_swapped = look.n_computed("parse_timestamp", params, values)?;
    (n_swapped >= n).then_some(swapped)
}

fn number(look: &Look<'_>, texts: &StringChunked, values: &DataFrame) -> Option<Seen> {
    let is_like_one = |text: &str| {
        text.bytes().any(|b| b.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
    };
    if share(look, texts, is_like_one) < MIN_READABLE {
        return None;
    }
    // `01234` is a code: as a number it would lose its zero.
    let is_code = |text: &str| {
        let digits = text.trim_start_matches(['+', '-']).as_bytes();
        matches!(digits, [b'0', next, ..] if next.is_ascii_digit())
    };
    if texts.iter().flatten().any(is_code) {
        return None;
    }
    let n_read = |to: &str| {
        let params = json!({"column": look.name, "to": to, "on_error": "null"});
        look.n_computed("cast", params, values)
    };
    let (whole, fractions) = (n_read("int64")?, n_read("float64")?);
    let (n, to, what) = if whole >= fractions {
        (whole, "int64", "whole numbers")
    } else {
        (fractions, "float64", "numbers")
    };
    let share = n as f64 / look.n_values as f64;
    (share >= MIN_READABLE).then(|| Seen {
        code: SuggestionCode::NumberInText,
        reason: format!("{} read as {what}", of_values(look, share)),
        share,
        step: Step::from_params("cast", json!({"column": look.name, "to": to})),
    })
}

fn json(look: &Look<'_>, texts: &StringChunked) -> Option<Seen> {
    let is_like_one = |text: &str| {
        let text = text.trim();
        (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'))
    };
    if share(look, texts, is_like_one) < MIN_READABLE {
        return None;
    }
    let is_json =
        |text: &str| is_like_one(text) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let share = share(look, texts, is_json);
    if share < MIN_READABLE {
        return None;
    }
    let mut keys: HashMap<String, usize> = HashMap::new();
    for text in texts.iter().flatten().take(N_TRIED) {
        if let Ok(Value::Object(fields)) = serde_json::from_str(text) {
            for (key, _) in fields {
                *keys.entry(key).or_default() += 1;
            }
        }
    }
    let commonest = keys.into_iter().max_by(|a, b| (a.1, &b.0).cmp(&(b.1, &a.0)));
    let (key, _) = commonest.filter(|(key, _)| !key.contains('\''))?;
    Some(Seen {
        code: SuggestionCode::JsonInText,
        reason: format!("{} are JSON, most with the key `{key}`", of_values(look, share)),
        share,
        step: Step::from_params(
            "json_path",
            json!({"column": look.name, "path": format!("$['{key}']"), "into": look.free_name(&key)}),
        ),
    })
}

/// Whether a text has a tag or an entity, as `<br>`, `</p>` or `&amp;`.
fn has_html(text: &str) -> bool {
    let has_tag = text.match_indices('<').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let name = rest.strip_prefix('/').unwrap_or(rest);
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && rest.find('>').is_some_and(|end| {
                // A comparison such as `a <b and c> d` names no element.
                let inside = rest.get(..end).unwrap_or_default();
                let name_ends = name
                    .find(|c: char| !c.is_ascii_alphanumeric())
                    .unwrap_or(name.len());
                name_ends <= 10 && !inside.contains('<')
            })
    });
    has_tag
        || text.match_indices('&').any(|(at, _)| {
            let rest = text.get(at + 1..).unwrap_or_default();
            rest.find(';').is_some_and(|end| {
                let name = rest.get(..end).unwrap_or_default();
                let digits = name.strip_prefix('#').unwrap_or(name);
                (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_alphanumeric())
            })
        })
}

fn html(look: &Look<'_>, texts: &StringChunked) -> Option<Seen> {
    let share = share(look, texts, has_html);
    (share >= MIN_HTML).then(|| Seen {
        code: SuggestionCode::HtmlInText,
        reason: format!("{} hold HTML tags or entities", of_values(look, share)),
        share,
        step: Step::from_params(
            "normalize_text",
            json!({"column": look.name, "strip_html": true, "collapse_spaces": true, "trim": true}),
        ),
    })
}

fn spelling(look: &Look<'_>, texts: &StringChunked) -> Option<Seen> {
    let mut spellings: HashMap<&str, usize> = HashMap::new();
    for text in texts.iter().flatten() {
        *spellings.entry(text).or_default() += 1;
        // A category comes again and again.
        if spellings.len() > MAX_SPELLINGS {
            return None;
        }
    }
    if spellings.len() * 2 > look.n_values {
        return None;
    }
    let mut categories: HashMap<String, Vec<(&str, usize)>> = HashMap::new();
    for (text, n) in &spellings {
        let plain = text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase();
        categories.entry(plain).or_default().push((text, *n));
    }
    if categories.len() == spellings.len() {
        return None;
    }
    let mut n_other = 0;
    let mut example: Option<&Vec<(&str, usize)>> = None;
    for spelled in categories.values_mut() {
        spelled.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        n_other += spelled.iter().skip(1).map(|(_, n)| n).sum::<usize>();
    }
    for (_, spelled) in categories.iter().collect::<std::collections::BTreeMap<_, _>>() {
        if spelled.len() > 1 && example.is_none_or(|best| spelled.len() > best.len()) {
            example = Some(spelled);
        }
    }
    let named: Vec<String> = example?
        .iter()
        .take(3)
        .map(|(text, _)| format!("`{}`", shortened(text, 30)))
        .collect();
    let is_case_mixed = categories.values().any(|spelled| {
        let mut exact: Vec<String> = spelled
            .iter()
            .map(|(text, _)| text.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        exact.sort_unstable();
        exact.dedup();
        exact.len() > 1
    });
    let mut params = json!({"column": look.name, "collapse_spaces": true, "trim": true});
    if let (true, Value::Object(fields)) = (is_case_mixed, &mut params) {
        fields.insert("case".to_owned(), "lower".into());
    }
    let share = n_other as f64 / look.n_values as f64;
    Some(Seen {
        code: SuggestionCode::MixedSpelling,
        reason: format!(
            "{} spellings of {} that differ in case or white space, such as {}; {} have one of the rarer ones",
            units::count(spellings.len() as u64),
            units::plural(categories.len() as u64, "value"),
            named.join(" and "),
            of_values(look, share),
        ),
        share,
        step: Step::from_params("normalize_text", params),
    })
}

fn long(look: &Look<'_>, texts: &StringChunked) -> Option<Seen> {
    let (mut n_chars, mut n_words, mut n_long) = (0_usize, 0_usize, 0_usize);
    let mut n = 0_usize;
    // A thousand texts tell their mean length.
    for text in texts.iter().flatten().take(1000) {
        let words = text.split_whitespace().count();
        n += 1;
        n_chars += text.chars().count();
        n_words += words;
        n_long += usize::from(words as f64 >= LONG_WORDS);
    }
    let mean = |sum: usize| sum as f64 / n.max(1) as f64;
    if mean(n_chars) < LONG_CHARS || mean(n_words) < LONG_WORDS {
        return None;
    }
    Some(Seen {
        code: SuggestionCode::LongText,
        reason: format!(
            "{:.0} words on average: free text, which models take as words",
            mean(n_words)
        ),
        share: mean(n_long),
        step: Step::from_params(
            "tokenize",
            json!({"column": look.name, "into": look.free_name("words"), "pattern": "[^\\w#+]+"}),
        ),
    })
}

/// `99.8% of 10,000 values`.
fn of_values(look: &Look<'_>, share: f64) -> String {
    let values = units::plural(look.n_values as u64, "value");
    if share >= 1.0 {
        format!("all {values}")
    } else {
        format!("{} of {values}", percent(share))
    }
}
