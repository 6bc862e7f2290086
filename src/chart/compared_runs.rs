//! Two runs as one picture: the time of each stage before and after, one bar over the other.

use super::Tone;
use super::picture::{Layer, LayerKind, LegendEntry, Mark, Picture};
use super::scale::{Quantity, Scale};
use crate::profile::events::{ApplicationDelta, OwnDelta, Paired};

/// Rows of the picture; those that changed least are left out.
const MAX_ROWS: usize = 16;

/// Wall time of the stages of a Spark application that changed most. A mark's action is its stage's place in the delta.
pub fn compared_stages_picture(delta: &ApplicationDelta) -> Picture {
    let rows: Vec<(String, Paired)> = delta
        .stages
        .iter()
        .take(MAX_ROWS)
        .map(|stage| {
            let name = if stage.before_stage == stage.after_stage {
                format!("stage {}", stage.after_stage)
            } else {
                format!("stage {} → {}", stage.before_stage, stage.after_stage)
            };
            (name, stage.wall())
        })
        .collect();
    let left_out = delta.stages.len().saturating_sub(rows.len());
    let note = if left_out > 0 {
        format!("exact; the {} that changed most", rows.len())
    } else {
        "exact".to_owned()
    };
    picture("Wall time of the stages", "wall time", &rows).note(note)
}

/// Time of each stage of work of our own runs.
pub fn compared_work_picture(delta: &OwnDelta) -> Picture {
    let rows: Vec<(String, Paired)> = delta
        .stages
        .iter()
        .map(|stage| (stage.name.to_owned(), *stage))
        .collect();
    picture("Time of each stage of work", "time of work", &rows)
        .note("exact; fetch to encode add up over threads")
}

fn picture(title: &str, axis: &str, rows: &[(String, Paired)]) -> Picture {
    let longest = rows
        .iter()
        .flat_map(|(_, pair)| [pair.before, pair.after])
        .flatten()
        .fold(0.0, f64::max);
    let mut marks = Vec::new();
    for (at, (name, pair)) in rows.iter().enumerate() {
        let tooltip = format!(
            "{name}\nbefore {}\nafter {}\n{}",
            pair.text(pair.before),
            pair.text(pair.after),
            pair.change_text()
        );
        let at_y = at as f64;
        for (value, y, tone) in [
            (pair.before, (at_y - 0.38, at_y - 0.02), Tone::Weak),
            (pair.after, (at_y + 0.02, at_y + 0.38), Tone::Data),
        ] {
            let mark = Mark::cell((0.0, value.unwrap_or(0.0)), y, tooltip.clone());
            marks.push(mark.tone(tone).action(at));
        }
    }
    Picture::new(
        title,
        Scale::from_zero(axis, Quantity::Seconds, longest),
        Scale::categories("", rows.iter().map(|(name, _)| name.clone()).collect()).reversed(),
    )
    .layer(Layer::new(LayerKind::Cells, Tone::Data, marks))
    .entry(LegendEntry::swatch(Tone::Weak, "before"))
    .entry(LegendEntry::swatch(Tone::Data, "after"))
}

#[cfg(test)]
mod tests {
    use super::compared_work_picture;
    use crate::chart::Tone;
    use crate::profile::events::{OwnRun, compare_own};

    fn run(decode: f64) -> OwnRun {
        let text = format!(
            r#"{{"kind":"RunReport","run_id":"r","status":"done","partitions":[{{"partition":"2020-01-01","status":
            "committed","rows_in":3,"rows_out":2,"n_files":3,"seconds":{{"list":1,"fetch":2,"decode":{decode},
            "transform":0,"encode":5,"commit":6}}}}]}}"#
        );
        OwnRun::from_json("report", &text).unwrap()
    }

    #[test]
    fn every_stage_of_work_has_a_bar_of_before_above_one_of_after_from_zero() {
        let picture = compared_work_picture(&compare_own(&run(3.0), &run(9.0)));
        let decode: Vec<_> = picture
            .marks()
            .filter(|(_, mark)| mark.action == Some(2))
            .collect();
        let [(_, before), (_, after)] = decode.as_slice() else {
            panic!("{decode:?}")
        };
        assert_eq!((before.x, before.tone), ((0.0, 3.0), Some(Tone::Weak)));
        assert_eq!((after.x, after.tone), ((0.0, 9.0), Some(Tone::Data)));
        // The first name is on top.
        assert!(before.y.1 < after.y.0 && picture.y.is_reversed);
        assert!(after.tooltip.contains("+6.0 s (+200%)"), "{}", after.tooltip);
        assert!(picture.x.ends().0.abs() < 1e-9);
    }
}
