//! Which warnings and messages of one run another run has too. The same thing is told with other paths, names of runs and
//! numbers each time, so texts are compared by their kind.

use super::own_run::OwnRun;

/// A warning of a run, or the message of one of its days.
struct Told<'a> {
    day: Option<&'a str>,
    text: String,
    kind: String,
}

fn told(run: &OwnRun) -> Vec<Told<'_>> {
    let warnings = run.warnings.iter().map(|text| Told {
        day: None,
        text: text.clone(),
        kind: kind(text),
    });
    let messages = run.partitions.iter().filter_map(|day| {
        let message = day.message.as_deref()?;
        Some(Told {
            day: Some(&day.partition),
            text: format!("{}: {message}", day.partition),
            kind: kind(message),
        })
    });
    warnings.chain(messages).collect()
}

/// Warnings and messages of `of` that `other` does not tell: of the same day, or of any day where it did not run that day.
pub fn told_missing_in(of: &OwnRun, other: &OwnRun) -> Vec<String> {
    let others = told(other);
    let has_run = |day: &str| other.partitions.iter().any(|there| there.partition == day);
    let is_among = |told: &Told<'_>| {
        let is_any_day = told.day.is_some_and(|day| !has_run(day));
        others.iter().any(|there| {
            let is_there = there.day == told.day || is_any_day && there.day.is_some();
            is_there && there.kind == told.kind
        })
    };
    told(of)
        .into_iter()
        .filter(|told| !is_among(told))
        .map(|told| told.text)
        .collect()
}

/// The words of a text without what differs from run to run: a word with a slash is a path, one like a run's name is that
/// name, and a number is a number. What is quoted, such as a column, stays, unless it is a path.
fn kind(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        if word.contains(['/', '\\']) {
            "…".to_owned()
        } else if has_run_name(word) {
            "run".to_owned()
        } else if word.contains('`') {
            word.to_owned()
        } else {
            without_digits(word)
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a name such as `20261121T184925-0123456789abcdef` is in the word.
fn has_run_name(word: &str) -> bool {
    let n_digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    word.match_indices('T').any(|(at, _)| {
        let (before, after) = word.as_bytes().split_at(at);
        let reversed: Vec<u8> = before.iter().rev().copied().collect();
        n_digits(&reversed) == 8 && n_digits(after.get(1..).unwrap_or_default()) == 6
    })
}

/// `12,000` and `1.5` as one sign, `day2` as it is but for its number.
fn without_digits(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_ascii_digit() {
            let is_number = |c: &char| c.is_ascii_digit() || matches!(c, ',' | '.' | '-' | ':');
            while chars.next_if(is_number).is_some() {}
            out.push('0');
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn paths_runs_and_numbers_make_no_kind_and_columns_do() {
        let same = |a: &str, b: &str| kind(a) == kind(b);
        assert!(same(
            "no objects below /lake/2020/01/06",
            "no objects below s3://lake/raw/2020/02/07"
        ));
        assert!(same(
            "12,000 of 13,000 records, 600 allowed",
            "1 of 2 records, 3 allowed"
        ));
        assert!(same(
            "left by 20261121T184925-0123456789abcdef at 12:30",
            "left by 20261122T070000-fedcba9876543210 at 7:01"
        ));
        assert!(!same("column `a1` is uint64", "column `a2` is uint64"));
        assert!(!same("timed out", "not found"));
    }
}
