//! Finds a key of a spec again in its text, so that an error found after parsing still has a line and a column.
//!
//! Follows block YAML by its indentation, and flow maps on the line of their key. Where the text goes another way, the
//! place of the nearest key above is the answer.

/// One step on the way to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    Key(&'a str),
    /// 1-based item of a list.
    Item(usize),
}

/// A place being narrowed down: lines `first..end`, from `column` of the first.
#[derive(Debug, Clone, Copy)]
struct Found {
    line: usize,
    /// 0-based byte column of the key or item.
    column: usize,
    /// 0-based byte column where the value starts, on the same line.
    value: usize,
    end: usize,
}

/// Line and column, 1-based, of the last segment that could be followed. `position` is a 1-based character of the
/// value, for an expression.
pub(super) fn find(text: &str, path: &[Segment<'_>], position: Option<usize>) -> Option<(u64, u64)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found: Option<Found> = None;
    let mut is_complete = true;
    for segment in path {
        let next = step(&lines, found, *segment);
        is_complete &= next.is_some();
        found = next.or(found);
    }
    let found = found?;
    let line = lines.get(found.line)?;
    let column = match position {
        Some(position) if is_complete => in_value(line, found.value, position).unwrap_or(found.column),
        _ => found.column,
    };
    let characters = line.get(..column)?.chars().count();
    Some((found.line as u64 + 1, characters as u64 + 1))
}

/// Where character `position` of a scalar is; none for block scalars and collections.
fn in_value(line: &str, value: usize, position: usize) -> Option<usize> {
    let text = line.get(value..)?;
    let quote = usize::from(text.starts_with(['"', '\'']));
    if text.is_empty() || text.starts_with(['|', '>', '{', '[', '&', '*']) {
        return None;
    }
    let (at, _) = text.char_indices().nth(quote + position.checked_sub(1)?)?;
    Some(value + at)
}

fn step(lines: &[&str], inside: Option<Found>, segment: Segment<'_>) -> Option<Found> {
    let key = match segment {
        Segment::Item(n) => return item(lines, inside?, n),
        Segment::Key(key) => key,
    };
    let (first, end) = inside.map_or((0, lines.len()), |found| (found.line, found.end));
    for (line, text) in lines.iter().enumerate().take(end).skip(first) {
        let from = match inside {
            Some(found) if line == found.line => found.value,
            _ => 0,
        };
        if text.trim_start().starts_with('#') {
            continue;
        }
        if let Some(column) = key_in(text, from, key, inside.is_none()) {
            let after = column + key.len() + 1;
            let value = after
                + text
                    .get(after..)
                    .map_or(0, |rest| rest.len() - rest.trim_start().len());
            let end = block_end(lines, line, column, end);
            return Some(Found {
                line,
                column,
                value,
                end,
            });
        }
    }
    None
}

/// `key:` as a word of its own in `text` from `from`; at the top level only at the start of the line.
fn key_in(text: &str, from: usize, key: &str, is_top: bool) -> Option<usize> {
    let needle = format!("{key}:");
    let rest = text.get(from..)?;
    rest.match_indices(&needle).map(|(at, _)| from + at).find(|at| {
        let before = text.get(..*at).unwrap_or_default();
        if is_top {
            return before.is_empty();
        }
        before.is_empty() || before.ends_with([' ', '{', ',', '-'])
    })
}

/// The line after the last that is indented more than `column`, or a list item at the same column.
fn block_end(lines: &[&str], line: usize, column: usize, limit: usize) -> usize {
    let mut end = line + 1;
    while end < limit {
        let Some(text) = lines.get(end) else { break };
        let trimmed = text.trim_start();
        let indent = text.len() - trimmed.len();
        let belongs = trimmed.is_empty()
            || trimmed.starts_with('#')
            || indent > column
            || (indent == column && trimmed.starts_with("- "));
        if !belongs {
            break;
        }
        end += 1;
    }
    end
}

fn item(lines: &[&str], list: Found, n: usize) -> Option<Found> {
    let mut indent = None;
    let mut seen = 0;
    for (line, text) in lines.iter().enumerate().take(list.end).skip(list.line + 1) {
        let trimmed = text.trim_start();
        let column = text.len() - trimmed.len();
        if !trimmed.starts_with("- ") || *indent.get_or_insert(column) != column {
            continue;
        }
        seen += 1;
        if seen == n {
            let mut end = line + 1;
            while end < list.end
                && lines.get(end).is_some_and(|next| {
                    let trimmed = next.trim_start();
                    trimmed.is_empty() || next.len() - trimmed.len() > column
                })
            {
                end += 1;
            }
            return Some(Found {
                line,
                column: column + 2,
                value: column + 2,
                end,
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Segment, find};

    const SPEC: &str = "\
kind: Job
source:
  uri: raw/
  # uri: commented/
steps:
  - filter: {id: valid, where: \"n > 0\"}
  - derive:
      columns:
        a: b + 1
  - filter:
      where: pricee > 3
sink: {uri: out/, partition: {name: \"\"}}
";

    #[test]
    fn keys_items_and_characters_of_expressions_are_found() {
        use Segment::{Item, Key};
        let check = |path: &[Segment<'_>], position: Option<usize>, expected: (u64, u64)| {
            assert_eq!(find(SPEC, path, position), Some(expected), "{path:?}");
        };
        check(&[Key("source"), Key("uri")], None, (3, 3));
        check(&[Key("sink"), Key("uri")], None, (12, 8));
        check(&[Key("sink"), Key("partition"), Key("name")], None, (12, 31));
        check(&[Key("steps"), Item(1), Key("where")], Some(5), (6, 37));
        check(&[Key("steps"), Item(2), Key("columns")], Some(5), (8, 7));
        check(&[Key("steps"), Item(3), Key("where")], Some(1), (11, 14));
    }

    #[test]
    fn a_key_that_is_not_written_has_the_place_of_the_one_above() {
        let path = [Segment::Key("source"), Segment::Key("match")];
        assert_eq!(find(SPEC, &path, None), Some((2, 1)));
        assert_eq!(find("{}", &path, None), None);
    }
}
