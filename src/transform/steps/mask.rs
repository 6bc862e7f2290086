//! Hides e-mail addresses and phone numbers in a text.
//!
//! Each one is replaced by a token (`[EMAIL]`, `[PHONE]`), or with `by: hash` by a hash of it (`email_1f0c3a529d4e8b7a`), so
//! that two occurrences of one address can still be joined. `keep_domain: true` keeps what follows the `@`.
//!
//! ```yaml
//! - mask: {column: description, what: [email, phone]}
//! - mask: {column: contact, into: contact_key, what: [email], by: hash, salt: change-me, keep_domain: true}
//! ```
//!
//! An e-mail address is `name@host.tld` in ASCII. A phone number has nine digits or more and is written internationally
//! (`+43 664 1234567`, `0049...`), with a leading zero (`0664 123 4567`, `(030) 1234567`), or as in North America
//! (`(555) 234-5678`); digits stand in groups by spaces, `-`, `/`, `.` and parentheses. Dates are no phone numbers. The
//! hash is the first 16 hexadecimal digits of SHA-256 over the salt, a zero byte, and the address in lower case or the
//! digits of the number.
//!
//! Limits: patterns find what usually stands in text, not everything, and this is no anonymisation by law: a number
//! without separators or country code may be missed, an order number may be taken for one. A hash without a secret salt
//! can be guessed by trying, and a salt stands in the recipe for all to read.

use std::borrow::Cow;
use std::fmt::Write as _;

use polars::prelude::{DataType, LazyFrame, Schema};
use regex::{Captures, Regex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Params;
use super::each_text::{check_text, each_text};
use crate::transform::pattern;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, target};
use crate::transform::{CheckError, Inputs};

/// Parameters of `mask`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mask {
    /// Column of text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// What to hide.
    #[schemars(length(min = 1))]
    pub what: Vec<Masked>,
    /// What takes its place.
    pub by: MaskBy,
    /// Keep the part of an e-mail address after the `@`.
    pub keep_domain: bool,
    /// Text that goes into the hash, so that others cannot make the same one.
    pub salt: String,
}

impl Default for Mask {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: None,
            what: vec![Masked::Email, Masked::Phone],
            by: MaskBy::Token,
            keep_domain: false,
            salt: String::new(),
        }
    }
}

/// What can be hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Masked {
    Email,
    Phone,
}

/// What takes the place of something hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaskBy {
    /// `[EMAIL]` or `[PHONE]`.
    #[default]
    Token,
    /// A hash of what is hidden.
    Hash,
}

/// All of it is ASCII, so that Python's `re` finds the same.
const EMAIL: &str = r"([A-Za-z0-9._%+'-]*[A-Za-z0-9_%+-])@([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})";
/// With a country code; with a leading zero; as in North America. A digit or letter before it is in the match, so that
/// no number begins in the middle of another; it is taken only where none begins without.
const PHONE: &str = r"([0-9A-Za-z.,:/_-]??)((?:\+|00)[1-9](?:[ ./()-]{0,2}[0-9]){6,13}|\(?0[1-9][0-9]{0,4}\)?(?:[ ./-]{0,3}[0-9]){4,11}|(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4})([0-9A-Za-z]?)";
/// How a date begins that looks like a number with a leading zero.
const DATE: &str = r"^[0-9]{2}[ ./-][0-9]{2}[ ./-][0-9]{4}([^0-9]|$)|^[0-9]{2}[ ./-][0-9]{4}$";

/// The compiled patterns, and what to put in their place.
struct Masker {
    params: Mask,
    email: Regex,
    phone: Regex,
    date: Regex,
}

impl Masker {
    fn new(params: Mask) -> Result<Self, CheckError> {
        Ok(Self {
            params,
            email: pattern::compile("what", EMAIL)?,
            phone: pattern::compile("what", PHONE)?,
            date: pattern::compile("what", DATE)?,
        })
    }

    fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        if self.params.what.contains(&Masked::Email)
            && text.contains('@')
            && let Cow::Owned(masked) = self
                .email
                .replace_all(&text, |found: &Captures<'_>| self.email(found))
        {
            text = Cow::Owned(masked);
        }
        if self.params.what.contains(&Masked::Phone)
            && let Cow::Owned(masked) = self
                .phone
                .replace_all(&text, |found: &Captures<'_>| self.phone(found))
        {
            text = Cow::Owned(masked);
        }
        text
    }

    fn email(&self, found: &Captures<'_>) -> String {
        let part = |group: usize| found.get(group).map_or("", |part| part.as_str());
        let hidden = match self.params.by {
            MaskBy::Token => "[EMAIL]".to_owned(),
            MaskBy::Hash => self.hash("email", &part(0).to_ascii_lowercase()),
        };
        if self.params.keep_domain {
            format!("{hidden}@{}", part(2))
        } else {
            hidden
        }
    }

    fn phone(&self, found: &Captures<'_>) -> String {
        let part = |group: usize| found.get(group).map_or("", |part| part.as_str());
        let (before, number, after) = (part(1), part(2), part(3));
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let is_whole = matches!(before, "" | ":" | "," | "." | "/" | "-") && after.is_empty();
        if !is_whole || digits.len() < 9 || self.date.is_match(number) {
            return part(0).to_owned();
        }
        let hidden = match self.params.by {
            MaskBy::Token => "[PHONE]".to_owned(),
            MaskBy::Hash => self.hash("phone", &digits),
        };
        format!("{before}{hidden}")
    }

    /// What was hidden and the first 16 digits of SHA-256 over salt and text. The word before keeps the digits from being
    /// taken for a number.
    fn hash(&self, what: &str, text: &str) -> String {
        let salted = Sha256::new().chain_update(&self.params.salt).chain_update([0]);
        let digest = salted.chain_update(text).finalize();
        digest.iter().take(8).fold(format!("{what}_"), |mut hex, byte| {
            // Writing to a string cannot fail.
            _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl Mask {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }
}

impl Params for Mask {
    const GROUP: &'static str = "text";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for Mask {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_text(schema, "column", &self.column)?;
        check_new_name("into", self.target())?;
        if self.what.is_empty() {
            return Err(CheckError::new("what", "`what` is empty").hint("choose `email`, `phone` or both"));
        }
        if !self.salt.is_empty() && self.by == MaskBy::Token {
            return Err(
                CheckError::new("salt", "`salt` is given, but no hash is made").hint("set `by: hash`")
            );
        }
        let mut output = schema.clone();
        output.with_column(self.target().into(), DataType::String);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let masker = Masker::new(self.clone())?;
        let hidden = each_text(&self.column, move |text| Some(masker.mask(text)));
        Ok(lf.with_column(hidden.alias(self.target())))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        script.import("hashlib");
        script.import("re");
        script.define("mask", include_str!("python/mask.py"));
        let email = self.what.contains(&Masked::Email).then(|| python::quoted(EMAIL));
        let phone = self.what.contains(&Masked::Phone).then(|| python::quoted(PHONE));
        let salt = (self.by == MaskBy::Hash).then(|| python::quoted(&self.salt));
        let none = || "None".to_owned();
        let call = format!(
            "mask(x, {}, {}, {}, {}, {})",
            email.unwrap_or_else(none),
            phone.unwrap_or_else(none),
            python::quoted(DATE),
            salt.unwrap_or_else(none),
            python::literal(&self.keep_domain.into())
        );
        script.with_columns([(
            self.target(),
            python::each(&self.column, &call, &DataType::String),
        )]);
        Ok(())
    }

    fn summary(&self) -> String {
        let what: Vec<&str> = self
            .what
            .iter()
            .map(|what| match what {
                Masked::Email => "e-mail",
                Masked::Phone => "phone",
            })
            .collect();
        let by = match self.by {
            MaskBy::Token => "token",
            MaskBy::Hash => "hash",
        };
        format!("{}: {} by {by}", self.column, what.join(", "))
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, run};

    fn masked(options: &str, text: &str) -> String {
        let input = df!("t" => [Some(text), None]).unwrap();
        let output = run(&format!("mask: {{column: t{options}}}"), &input);
        assert_eq!(output.column("t").unwrap().null_count(), 1);
        output
            .column("t")
            .unwrap()
            .str()
            .unwrap()
            .get(0)
            .unwrap()
            .to_owned()
    }

    #[test]
    fn addresses_and_numbers_are_hidden_and_the_rest_stays() {
        for (text, expected) in [
            ("Mail to jobs@example.com.", "Mail to [EMAIL]."),
            ("a.b+c@mail.example.co.uk, x", "[EMAIL], x"),
            ("no@host, @handle, a@b", "no@host, @handle, a@b"),
            ("+43 664 1234567", "[PHONE]"),
            ("Tel.: +1 (555) 123-4567!", "Tel.: [PHONE]!"),
            ("0049 30 901820 or 030/1234567", "[PHONE] or [PHONE]"),
            ("(0664) 123 45 67", "[PHONE]"),
            ("01 23 45 67 89", "[PHONE]"),
            ("call (555) 234-5678 or 555-234-5678", "call [PHONE] or [PHONE]"),
            ("01.02.2020 12:30", "01.02.2020 12:30"),
            (
                "2020-01-31, 1,000,000 and 123456789012",
                "2020-01-31, 1,000,000 and 123456789012",
            ),
            ("id 98006641234567", "id 98006641234567"),
            ("0664x1234567", "0664x1234567"),
            ("0800 12", "0800 12"),
        ] {
            assert_eq!(masked("", text), expected, "{text}");
        }
        assert_eq!(
            masked(", what: [phone]", "a@b.com +43 664 1234567"),
            "a@b.com [PHONE]"
        );
        assert_eq!(
            masked(", what: [email]", "a@b.com +43 664 1234567"),
            "[EMAIL] +43 664 1234567"
        );
        assert_eq!(masked(", keep_domain: true", "a@b.com"), "[EMAIL]@b.com");
    }

    #[test]
    fn a_hash_is_stable_and_depends_on_the_salt() {
        let hash = masked(", by: hash", "Ada@Example.com");
        assert_eq!(hash, masked(", by: hash", "ada@example.com"));
        assert!(hash.starts_with("email_") && hash.len() == 22, "{hash}");
        assert_ne!(hash, masked(", by: hash, salt: s", "ada@example.com"));
        let written = |text| masked(", by: hash", text);
        assert_eq!(written("+43 664 1234567"), written("+43 (664) 123-45-67"));
        assert!(masked(", by: hash, keep_domain: true", "a@b.com").ends_with("@b.com"));
    }

    #[test]
    fn a_salt_needs_a_hash_and_something_to_hide() {
        let input = df!("t" => ["a"]).unwrap();
        assert!(check_error("mask: {column: t, salt: s}", &input).ends_with("set `by: hash`"));
        assert!(check_error("mask: {column: t, what: []}", &input).starts_with("`what` is empty"));
    }
}
