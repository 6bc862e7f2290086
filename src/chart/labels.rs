//! Which labels of a side are shown, and how much of them, so that none touches another. The measure is the drawer's: fonts
//! of a file and of the window differ.

use super::scale::{Scale, ScaleKind, Tick};

/// Between the ends of neighbouring labels, in pixels.
const GAP: f64 = 10.0;
/// Names up to this, such as dates and hours, say nothing when they are cut: fewer of them are shown whole.
const SHORT_NAME: f64 = 112.0;
/// Names are no longer than this, in pixels.
pub const MAX_NAME: f64 = 140.0;

/// The text, shortened to `most` pixels as `width` measures them.
pub fn shortened(text: &str, most: f64, width: &dyn Fn(&str) -> f64) -> String {
    // Measuring a long text costs more than the answer is worth: no letter is narrower than two pixels.
    let may_fit = text.len() as f64 <= most * 2.0;
    if may_fit && width(text) <= most {
        return text.to_owned();
    }
    let ends: Vec<usize> = text
        .char_indices()
        .map(|(at, _)| at)
        .take_while(|at| *at as f64 <= most * 2.0)
        .collect();
    let start = |end: &usize| text.get(..*end).unwrap_or("");
    let n_fitting = ends.partition_point(|end| width(&format!("{}…", start(end))) <= most);
    let end = n_fitting.checked_sub(1).and_then(|at| ends.get(at)).unwrap_or(&0);
    format!("{}…", start(end).trim_end())
}

/// The ticks of a level side between two positions that is `length` pixels long: the most whose labels do not touch.
pub fn along(
    scale: &Scale,
    (first, last): (f64, f64),
    length: f64,
    width: &dyn Fn(&str) -> f64,
) -> Vec<(Tick, String)> {
    let per_position = length / (last - first);
    let named = |n_most| -> Vec<(Tick, String)> {
        let ticks = scale.ticks((first, last), n_most);
        let most = match scale.kind {
            // A name alone in its place is shortened before its neighbours are left out.
            ScaleKind::Category(_) => {
                let place = ticks.first().map_or(1.0, |tick| tick.step) * per_position;
                let is_short = |tick: &Tick| tick.label.len() <= 16 && width(&tick.label) <= SHORT_NAME;
                let whole = if ticks.iter().all(is_short) {
                    SHORT_NAME
                } else {
                    44.0
                };
                (place - GAP).clamp(whole, MAX_NAME)
            }
            _ => MAX_NAME,
        };
        let shortened = |tick: Tick| {
            let label = shortened(&tick.label, most, width);
            (tick, label)
        };
        ticks.into_iter().map(shortened).collect()
    };
    let mut n_most = most_of(length, 24.0);
    loop {
        let ticks = named(n_most);
        let fits = ticks.windows(2).all(|pair| match pair {
            [(a, a_label), (b, b_label)] => {
                // A machine without the font may set text a little wider.
                let half = |label: &str| width(label) * 1.05 / 2.0;
                (b.at - a.at).abs() * per_position >= half(a_label) + half(b_label) + GAP * 0.6
            }
            _ => true,
        });
        if fits || n_most <= 1 {
            return ticks;
        }
        n_most = (n_most * 4 / 5).min(n_most - 1);
    }
}

/// The ticks of an upright side between two positions that is `length` pixels long: as many as there is room for lines.
pub fn upright(scale: &Scale, ends: (f64, f64), length: f64) -> Vec<Tick> {
    let line = match scale.kind {
        ScaleKind::Category(_) => 14.0,
        _ => 30.0,
    };
    scale.ticks(ends, most_of(length, line))
}

fn most_of(length: f64, each: f64) -> usize {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of labels; a cast keeps within the type's range"
    )]
    let whole = (length / each).max(1.0) as usize;
    whole
}

#[cfg(test)]
mod tests {
    use super::{along, shortened};
    use crate::chart::{Quantity, Scale};

    /// Every letter is six pixels wide.
    fn width(text: &str) -> f64 {
        text.chars().count() as f64 * 6.0
    }

    #[test]
    fn a_long_text_ends_in_dots() {
        assert_eq!(shortened("short", 100.0, &width), "short");
        assert_eq!(
            shortened("a rather long name of a key", 60.0, &width),
            "a rather…"
        );
        assert_eq!(shortened("WWWW", 1.0, &width), "…");
        assert_eq!(shortened(&"x".repeat(1_000_000), 60.0, &width), "xxxxxxxxx…");
    }

    #[test]
    fn dates_are_whole_or_left_out_and_long_names_are_cut() {
        let cut = |name: &str| {
            let names = (0..60).map(|n| format!("{name}{n:02}")).collect();
            let scale = Scale::categories("", names);
            let ticks = along(&scale, scale.ends(), 800.0, &width);
            assert!(ticks.len() > 5, "{ticks:?}");
            ticks.iter().any(|(_, label)| label.contains('…'))
        };
        assert!(!cut("2020-03-"));
        assert!(cut("a rather long name of a key "));
    }

    #[test]
    fn labels_never_touch() {
        let many: Vec<String> = (0..1000).map(|n| format!("2020-01-{n}")).collect();
        let scales = [
            Scale::categories("", many),
            Scale::from_zero("", Quantity::Bytes, 5e6),
            Scale::time("", 1.5e9, 1.6e9),
        ];
        for scale in scales {
            let (first, last) = scale.ends();
            let ticks = along(&scale, (first, last), 400.0, &width);
            assert!(ticks.len() > 2, "{ticks:?}");
            for pair in ticks.windows(2) {
                let apart = (pair[1].0.at - pair[0].0.at) / (last - first) * 400.0;
                assert!(
                    apart > f64::midpoint(width(&pair[0].1), width(&pair[1].1)),
                    "{pair:?}"
                );
            }
        }
    }
}
