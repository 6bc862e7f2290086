//! Places that name a day: `raw/{day:%Y/%m/%d}/`, checked once so that rendering cannot fail.

use std::fmt::Write as _;

use chrono::NaiveDate;
use thiserror::Error;

/// A text with `{day}` (the ISO date) or `{day:FORMAT}` (strftime) in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A strftime format that was tried on a date.
    Day(String),
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    #[error("`{text}`: `{{` is not closed")]
    Unclosed { text: String },
    #[error("`{{{name}}}` is no parameter: only {{day}} and {{day:%Y/%m/%d}} can be filled in")]
    UnknownName { name: String },
    #[error("`{{day:{format}}}` is no form of a date: use strftime fields of a date, such as %Y/%m/%d")]
    Format { format: String },
    #[error(
        "`{text}` does not tell one day from another: it needs {{day}}, or year, month and day as in {{day:%Y/%m/%d}}"
    )]
    Ambiguous { text: String },
}

impl Template {
    /// # Errors
    /// [`TemplateError`] for an unknown name, a wrong format, or a text that is the same for two days.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let template = Self::parse_any(text)?;
        if template.tells_days_apart() {
            Ok(template)
        } else {
            Err(TemplateError::Ambiguous {
                text: text.to_owned(),
            })
        }
    }

    /// As [`Template::parse`], for a place that several days may share: `{day:%Y/%m}`, or no day at all.
    ///
    /// # Errors
    /// [`TemplateError`] for an unknown name or a wrong format.
    pub fn parse_any(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (inside, after) = after.split_once('}').ok_or_else(|| TemplateError::Unclosed {
                text: text.to_owned(),
            })?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(day_part(inside)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Whether it names a day at all.
    pub fn has_day(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Day(_)))
    }

    pub fn render(&self, day: NaiveDate) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                // The format was tried when the template was parsed; writing into a String cannot fail otherwise.
                Part::Day(format) => {
                    let _written = write!(text, "{}", day.format(format));
                }
            }
        }
        text
    }

    /// The text before the first day, up to its last `/`, and the template of the rest.
    pub fn split_root(text: &str) -> (&str, &str) {
        let fixed = text.find('{').unwrap_or(text.len());
        let cut = text
            .get(..fixed)
            .and_then(|fixed| fixed.rfind('/'))
            .map_or(0, |at| at + 1);
        text.split_at(cut)
    }

    fn tells_days_apart(&self) -> bool {
        let days = [
            (2020, 1, 1),
            (2020, 1, 2),
            (2020, 1, 11),
            (2020, 2, 1),
            (2021, 1, 1),
        ]
        .into_iter()
        .filter_map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day));
        let mut texts: Vec<String> = days.map(|day| self.render(day)).collect();
        let n = texts.len();
        texts.sort();
        texts.dedup();
        texts.len() == n
    }
}

fn day_part(inside: &str) -> Result<Part, TemplateError> {
    let (name, format) = match inside.split_once(':') {
        Some((name, format)) => (name, format),
        None => (inside, "%Y-%m-%d"),
    };
    if name != "day" {
        return Err(TemplateError::UnknownName {
            name: inside.to_owned(),
        });
    }
    let mut tried = String::new();
    match write!(tried, "{}", NaiveDate::default().format(format)) {
        Ok(()) if !format.is_empty() => Ok(Part::Day(format.to_owned())),
        _ => Err(TemplateError::Format {
            format: format.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::{Template, TemplateError};

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2020, 3, 7).unwrap()
    }

    #[test]
    fn days_are_filled_in_as_written() {
        for (text, rendered) in [
            ("raw/{day}/", "raw/2020-03-07/"),
            ("raw/{day:%Y/%m/%d}/x", "raw/2020/03/07/x"),
            ("{day:%Y}/{day:%j}", "2020/067"),
        ] {
            assert_eq!(Template::parse(text).unwrap().render(day()), rendered);
        }
    }

    #[test]
    fn a_template_that_is_alike_for_two_days_is_refused_because_rows_would_double() {
        for text in ["raw/", "raw/{day:%Y/%m}/", "{day:%m-%d}", "{day:%Y}"] {
            assert!(
                matches!(Template::parse(text), Err(TemplateError::Ambiguous { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn names_forms_and_braces_that_do_not_fit_are_named() {
        for (text, expected) in [
            ("{hour}", "`{hour}` is no parameter"),
            ("{day:%H}", "`{day:%H}` is no form of a date"),
            ("{day:%Q}", "`{day:%Q}` is no form of a date"),
            ("{day", "not closed"),
        ] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn the_root_is_what_every_day_shares() {
        assert_eq!(
            Template::split_root("s3://lake/raw/d={day}/x/"),
            ("s3://lake/raw/", "d={day}/x/")
        );
        assert_eq!(Template::split_root("{day}/"), ("", "{day}/"));
    }
}
