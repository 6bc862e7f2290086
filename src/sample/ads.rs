//! One job ad: its fields, how they vary from row to row and from day to day, and its line of JSON.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;

use super::SampleError;
use super::rng::Rng;
use super::text::{COUNTRIES, Country, EMOJI, EMPLOYMENT, HOT_COUNTRY, TAGS};

/// An ad with its fields in the order of the file.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Ad {
    pub id: String,
    pub title: String,
    company: Option<&'static str>,
    pub description: String,
    pub location: Place,
    tags: Vec<&'static str>,
    pub salary_min: Option<Salary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    salary_currency: Option<&'static str>,
    posted_at: String,
    remote: bool,
    employment_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    visa_sponsorship: Option<bool>,
    #[serde(skip)]
    pub posted: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Place {
    city: &'static str,
    pub country: &'static str,
    lat: f64,
    lon: f64,
}

/// A salary as it arrives: a number, on one day a string.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(super) enum Salary {
    Number(u64),
    Text(String),
}

/// What sets the ads of one day apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct DayTraits {
    pub date: NaiveDate,
    /// `"45000"` in place of `45000`.
    pub salary_as_text: bool,
    /// The late key is there.
    pub has_visa: bool,
    /// One sentence and few tags, for the day of tiny files.
    pub is_short: bool,
}

impl Ad {
    pub fn new(rng: &mut Rng, day: DayTraits) -> Self {
        let country = country(rng);
        let (city, lat, lon) = rng.pick(country.cities);
        let company = rng.pick(country.companies);
        let title = rng.pick(country.language.titles);
        let max_tags = if day.is_short { 2 } else { 6 };
        let n_tags = rng.below(max_tags + 1);
        let salary = (!rng.chance(220)).then(|| 1000 * rng.between(country.salary.0, country.salary.1));
        let posted = instant(rng, day.date);
        Self {
            id: uuid(rng),
            title: untidy(rng, title),
            description: description(rng, country, title, company, city, day.is_short),
            company: (!rng.chance(2)).then_some(company),
            location: Place {
                city,
                country: country.code,
                lat: f64::from(lat) / 1e4,
                lon: f64::from(lon) / 1e4,
            },
            tags: rng.pick_several(TAGS, n_tags),
            salary_min: salary.map(|n| {
                if day.salary_as_text {
                    Salary::Text(n.to_string())
                } else {
                    Salary::Number(n)
                }
            }),
            salary_currency: salary.map(|_| country.currency),
            posted_at: timestamp(rng, posted, country.offset),
            remote: rng.chance(280),
            employment_type: rng.pick(EMPLOYMENT),
            visa_sponsorship: (day.has_visa && rng.chance(600)).then(|| rng.chance(300)),
            posted,
        }
    }

    /// The same ad sent again a little later, as feeds do.
    pub fn again(&self, rng: &mut Rng) -> Self {
        let later = self.posted + TimeDelta::seconds(1);
        Self {
            posted: later,
            posted_at: timestamp(rng, later, 0),
            ..self.clone()
        }
    }

    pub fn salary(&self) -> Option<u64> {
        match &self.salary_min {
            Some(Salary::Number(n)) => Some(*n),
            Some(Salary::Text(text)) => text.parse().ok(),
            None => None,
        }
    }

    /// One line of JSON without its line end.
    pub fn line(&self) -> Result<Vec<u8>, SampleError> {
        serde_json::to_vec(self).map_err(|source| SampleError::Json { source })
    }
}

fn country(rng: &mut Rng) -> &'static Country {
    let mut roll = rng.below(1000);
    for country in COUNTRIES {
        if roll < country.weight {
            return country;
        }
        roll -= country.weight;
    }
    &HOT_COUNTRY
}

/// A random (version 4) UUID.
fn uuid(rng: &mut Rng) -> String {
    let (high, low) = (rng.next(), rng.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}

/// A title as people type it: other cases, stray spaces, an emoji.
fn untidy(rng: &mut Rng, title: &str) -> String {
    let cased = match rng.below(10) {
        0 | 1 => title.to_uppercase(),
        2 | 3 => title.to_lowercase(),
        _ => title.to_owned(),
    };
    match rng.below(20) {
        0 => format!("  {cased}"),
        1 => format!("{cased} "),
        2 => format!(" {} ", cased.replace(' ', "  ")),
        3 => format!("{cased} {}", rng.pick(EMOJI)),
        _ => cased,
    }
}

/// A few sentences; with HTML in 31% of ads.
fn description(
    rng: &mut Rng,
    country: &Country,
    title: &str,
    company: &str,
    city: &str,
    is_short: bool,
) -> String {
    let language = country.language;
    let opener = rng
        .pick(language.openers)
        .replace("{title}", title)
        .replace("{company}", company)
        .replace("{city}", city);
    let (n_duties, n_offers) = if is_short {
        (0, 0)
    } else {
        (rng.between(1, 3), rng.below(3))
    };
    let duties = rng.pick_several(language.duties, n_duties);
    let mut offers: Vec<String> = rng
        .pick_several(language.offers, n_offers)
        .into_iter()
        .map(str::to_owned)
        .collect();
    if rng.chance(80) {
        offers.push(rng.pick(EMOJI).to_owned());
    }
    if rng.chance(310) {
        let escape = |text: &str| text.replace('&', "&amp;");
        let items: Vec<String> = duties
            .iter()
            .map(|duty| format!("<li>{}</li>", escape(duty)))
            .collect();
        let wrapped = |open: &str, inner: &str, close: &str| match inner {
            "" => String::new(),
            inner => format!("{open}{inner}{close}"),
        };
        format!(
            "<p><b>{}</b></p>{}{}",
            escape(&opener),
            wrapped("<ul>", &items.concat(), "</ul>"),
            wrapped("<p>", &escape(&offers.join("\n")).replace('\n', "<br/>"), "</p>"),
        )
    } else {
        let mut sentences = vec![opener];
        sentences.extend(duties.into_iter().map(str::to_owned));
        sentences.extend(offers);
        sentences.join(language.space)
    }
}

/// A moment of `date` (UTC), to the microsecond.
fn instant(rng: &mut Rng, date: NaiveDate) -> DateTime<Utc> {
    let micros = rng.below(86_400_000_000 - 2_000_000);
    let micros = i64::try_from(micros).unwrap_or(0);
    date.and_time(NaiveTime::MIN).and_utc() + TimeDelta::microseconds(micros)
}

/// ISO 8601 as the feeds of a country write it: with `Z` or an offset, with or without a fraction.
fn timestamp(rng: &mut Rng, at: DateTime<Utc>, offset_minutes: i32) -> String {
    let precision = match rng.below(4) {
        0 => SecondsFormat::Millis,
        1 => SecondsFormat::Micros,
        _ => SecondsFormat::Secs,
    };
    match FixedOffset::east_opt(offset_minutes * 60) {
        Some(offset) if rng.chance(400) => at.with_timezone(&offset).to_rfc3339_opts(precision, false),
        _ => at.to_rfc3339_opts(precision, true),
    }
}

/// The `n`th day of the sample, from 1.
pub(super) fn date(n: u64) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap_or_default();
    first
        .checked_add_days(Days::new(n.saturating_sub(1)))
        .unwrap_or(first)
}
