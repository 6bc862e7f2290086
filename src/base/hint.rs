//! The nearest known name to one that was not found, for "did you mean".

/// The candidate most like `name`, or none when nothing is close enough to be a likely slip.
///
/// Likeness is the Damerau-Levenshtein distance without regard to case; at most a third of the longer name may differ.
///
/// ```
/// let columns = ["price", "title"];
/// assert_eq!(skewer::base::nearest("prise", columns), Some("price"));
/// assert_eq!(skewer::base::nearest("zzz", columns), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()),
                candidate,
            )
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| {
            let longer = wanted.chars().count().max(candidate.chars().count());
            *distance <= (longer / 3).max(1) && *distance < longer
        })
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_finds_none() {
        let known = ["array_length", "lower", "location"];
        assert_eq!(nearest("array_lenght", known), Some("array_length"));
        assert_eq!(nearest("Lower", known), Some("lower"));
        assert_eq!(nearest("qqqqqqq", known), None);
        assert_eq!(nearest("x", []), None);
    }
}
