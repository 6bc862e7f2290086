//! One of our own runs as pictures: where the time of each day went, what each worker did when, and the slowest files.

use std::collections::BTreeSet;

use super::Tone;
use super::picture::{Layer, LayerKind, LegendEntry, Mark, Picture};
use super::scale::{Quantity, Scale};
use crate::base::units;
use crate::profile::events::{OwnDay, OwnRun};

/// Bytes against seconds of files that are named.
const MAX_FILES: usize = 200;

/// A lying bar a day, in one colour for each stage of work.
pub fn own_stages_picture(run: &OwnRun) -> Picture {
    let order = own_days(run);
    let days = || {
        order
            .iter()
            .filter_map(|place| Some((*place, run.partitions.get(*place)?)))
    };
    let names = days().map(|(_, day)| day.partition.clone()).collect();
    let longest = run
        .partitions
        .iter()
        .map(|day| day.seconds.total())
        .fold(0.0, f64::max);
    let mut picture = Picture::new(
        "Time of each stage of work",
        Scale::from_zero("time of work", Quantity::Seconds, longest),
        Scale::categories("", names).reversed(),
    )
    .note("exact; fetch to encode add up over threads");
    let mut marks = Vec::new();
    for (at, (place, day)) in days().enumerate() {
        let mut from = 0.0;
        for (n, (name, seconds)) in (0_u8..).zip(day.seconds.stages()) {
            if seconds > 0.0 {
                let tooltip = format!("{}: {name}\n{}", day.partition, units::seconds(seconds));
                let y = (at as f64 - 0.36, at as f64 + 0.36);
                marks.push(
                    Mark::cell((from, from + seconds), y, tooltip)
                        .tone(Tone::Series(n))
                        .action(place),
                );
            }
            from += seconds;
        }
    }
    picture = picture.layer(Layer::new(LayerKind::Cells, Tone::Data, marks));
    for (n, (name, _)) in (0_u8..).zip(run.seconds().stages()) {
        picture = picture.entry(LegendEntry::swatch(Tone::Series(n), name));
    }
    picture
}

/// Places of the days of a run by date: a run may do the newest first.
pub fn own_days(run: &OwnRun) -> Vec<usize> {
    let mut days: Vec<usize> = (0..run.partitions.len()).collect();
    days.sort_by_key(|place| run.partitions.get(*place).map(|day| &day.partition));
    days
}

/// Units of work of one day in a lane for each worker.
pub fn own_workers_picture(day: &OwnDay) -> Picture {
    let spans = &day.work.spans;
    let workers: BTreeSet<u32> = spans.iter().map(|span| span.worker).collect();
    let lane = |worker: u32| workers.range(..worker).count() as f64;
    let last = spans
        .iter()
        .map(|span| span.start_seconds + span.seconds)
        .fold(0.0, f64::max);
    let longest = spans.iter().map(|span| span.seconds).fold(0.0, f64::max);
    // A unit alone is not longer than others.
    let has_others = spans.len() > 1;
    let mut marks: Vec<Mark> = spans
        .iter()
        .map(|span| {
            let x = (span.start_seconds, span.start_seconds + span.seconds);
            let y = lane(span.worker);
            let tooltip = format!(
                "{} in {}\nworker {}, from {} on\n{} read, {} of requests before",
                units::plural(span.n_files, "file"),
                units::seconds(span.seconds),
                span.worker,
                units::seconds(span.start_seconds),
                units::bytes(span.n_bytes),
                units::seconds(span.fetch_seconds),
            );
            let tone = if has_others && span.seconds >= longest {
                Tone::Bad
            } else {
                Tone::Data
            };
            Mark::cell(x, (y - 0.4, y + 0.4), tooltip).tone(tone)
        })
        .collect();
    // The longest is drawn last.
    marks.sort_by(|a, b| (a.x.1 - a.x.0).total_cmp(&(b.x.1 - b.x.0)));
    let names = workers.iter().map(|worker| format!("worker {worker}")).collect();
    let left_out = day.work.n_spans_left_out;
    let note = if left_out > 0 {
        format!(
            "the first {} units of {}",
            spans.len(),
            spans.len() as u64 + left_out
        )
    } else {
        "exact".to_owned()
    };
    let picture = Picture::new(
        "Units of work by worker",
        Scale::from_zero("time since the day's work began", Quantity::Seconds, last),
        Scale::categories("", names).reversed(),
    )
    .note(note)
    .layer(Layer::new(LayerKind::Cells, Tone::Data, marks));
    if has_others {
        picture.entry(LegendEntry::swatch(Tone::Bad, "the longest unit"))
    } else {
        picture
    }
}

/// Decoding time of the slowest files against their bytes.
pub fn own_files_picture(run: &OwnRun) -> Picture {
    let files = run.slowest_files();
    let most = files
        .iter()
        .map(|(_, file)| file.n_bytes as f64)
        .fold(0.0, f64::max);
    let longest = files.first().map_or(0.0, |(_, file)| file.seconds);
    let marks = files.iter().take(MAX_FILES).map(|(day, file)| {
        let tooltip = format!(
            "{}\n{day}\n{} in {}",
            file.key,
            units::bytes(file.n_bytes),
            units::seconds(file.seconds)
        );
        Mark::point(file.n_bytes as f64, file.seconds, tooltip)
    });
    Picture::new(
        "Slowest files",
        Scale::from_zero("bytes", Quantity::Bytes, most),
        Scale::from_zero("time of decoding", Quantity::Seconds, longest),
    )
    .note("the slowest files of each day")
    .layer(Layer::new(LayerKind::Points, Tone::Data, marks.collect()))
}

#[cfg(test)]
mod tests {
    use super::{own_files_picture, own_stages_picture, own_workers_picture};
    use crate::chart::Tone;
    use crate::profile::events::OwnRun;

    fn run() -> OwnRun {
        let text = r#"{"kind":"RunReport","run_id":"r","status":"done","partitions":[{"partition":"2020-01-01","status":
            "committed","rows_in":3,"rows_out":2,"n_files":3,"seconds":{"list":1,"fetch":2,"decode":3,"transform":0,
            "encode":5,"commit":6},"work":{"spans":[
            {"worker":4,"start_seconds":0.5,"seconds":2,"n_files":2,"n_bytes":10},
            {"worker":1,"start_seconds":0,"seconds":1,"n_files":1,"n_bytes":10}],
            "slowest_files":[{"key":"a.jsonl","n_bytes":7,"seconds":2}]}}]}"#;
        OwnRun::from_json("report", text).unwrap()
    }

    #[test]
    fn the_stages_of_a_day_stand_one_after_another_and_add_up() {
        let picture = own_stages_picture(&run());
        let ends: Vec<(f64, f64)> = picture.marks().map(|(_, mark)| mark.x).collect();
        assert_eq!(
            ends,
            [(0.0, 1.0), (1.0, 3.0), (3.0, 6.0), (6.0, 11.0), (11.0, 17.0)]
        );
        assert_eq!(picture.legend.len(), 6);
    }

    #[test]
    fn days_stand_by_date_and_a_click_means_the_place_in_the_report() {
        let mut run = run();
        let mut earlier = run.partitions[0].clone();
        earlier.partition = "2019-12-31".to_owned();
        run.partitions.push(earlier);
        let picture = own_stages_picture(&run);
        let (_, first) = picture.marks().next().unwrap();
        assert_eq!((first.action, first.y), (Some(1), (-0.36, 0.36)));
        assert!(first.tooltip.starts_with("2019-12-31"), "{}", first.tooltip);
    }

    #[test]
    fn workers_have_lanes_and_the_longest_unit_is_marked() {
        let picture = own_workers_picture(&run().partitions[0]);
        let (_, last) = picture.marks().next_back().unwrap();
        assert_eq!((last.x, last.tone), ((0.5, 2.5), Some(Tone::Bad)));
        assert!(last.tooltip.contains("worker 4"), "{}", last.tooltip);
        assert_eq!(own_files_picture(&run()).marks().count(), 1);
    }
}
