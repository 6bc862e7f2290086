//! Finding names by a few of their letters.

/// How well `query` fits `name`: none when a letter is missing, higher is better. Letters must come in order.
///
/// A hit at the start counts most, then whole runs of letters and starts of words, then short names.
pub fn score(query: &str, name: &str) -> Option<i32> {
    let query: Vec<char> = query
        .to_lowercase()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    if query.is_empty() {
        return Some(0);
    }
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let contiguous = name.windows(query.len()).position(|window| *window == query);
    let length_cost = i32::try_from(name.len().min(100)).unwrap_or(100);
    if let Some(at) = contiguous {
        let starts_word = at == 0 || name.get(at - 1).is_none_or(|c| !c.is_alphanumeric());
        let place = match (at, starts_word) {
            (0, _) => 1000,
            (_, true) => 800,
            _ => 600,
        };
        return Some(place - length_cost);
    }
    let mut total = 0;
    let mut wanted = query.iter().peekable();
    let mut before = '_';
    for c in name {
        if wanted.peek() == Some(&&c) {
            wanted.next();
            total += if before.is_alphanumeric() { 5 } else { 20 };
        }
        before = c;
    }
    wanted.peek().is_none().then_some(total - length_cost)
}

/// The names that fit, best first; all of them in their order for an empty query.
pub fn ranked<'a>(query: &str, names: &[&'a str]) -> Vec<&'a str> {
    let mut found: Vec<(i32, &str)> = names
        .iter()
        .filter_map(|name| Some((score(query, name)?, *name)))
        .collect();
    if !query.trim().is_empty() {
        // Stable, so that equal fits keep the order of the columns.
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    }
    found.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::{ranked, score};

    #[test]
    fn letters_in_order_are_enough_and_closer_fits_come_first() {
        let names = ["description", "salary_min", "posted_at", "min_salary", "min"];
        assert_eq!(ranked("min", &names), ["min", "min_salary", "salary_min"]);
        assert_eq!(ranked("pat", &names), ["posted_at"]);
        assert_eq!(ranked("SM", &names).first(), Some(&"salary_min"));
        assert_eq!(ranked("", &names), names);
        assert_eq!(score("zz", "salary"), None);
    }
}
