//! Tasks of one stage as pictures: when each ran where, its time against its data, and how times are spread.
//!
//! A stage can have hundreds of thousands of tasks, so neighbours that are narrower than a pixel are drawn as one mark,
//! but never a straggler.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Tone;
use super::picture::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture, Rule};
use super::scale::{Quantity, Scale};
use crate::base::units;
use crate::profile::events::{Application, Stage, StageProfile, Task, TaskEnding};

/// Marks of a Gantt chart: more than a screen tells apart.
const MAX_CELLS: usize = 10_000;
/// Places along each side that a scatter plot tells apart.
const SCATTER_PLACES: f64 = 150.0;
/// Bars of a histogram.
const N_BINS: usize = 40;
/// A task this many times the median run time is a straggler.
const STRAGGLER: f64 = 2.0;
/// Colours of a series repeat after these.
const N_SERIES: usize = 6;
/// How much later than the start of the next task the end of the one before it may be noted.
const MOMENT_MS: i64 = 100;
/// Lanes that are told apart by name.
const MAX_LANES: usize = 400;

/// A picture, and what a mark's action stands for: the place of a task among the stage's tasks.
struct Tasks<'a> {
    application: &'a Application,
    stage: &'a Stage,
    start_ms: i64,
    /// Tasks that are drawn last and by themselves.
    stragglers: HashSet<u64>,
    hot: Option<u32>,
    hosts: BTreeMap<&'a str, u8>,
}

impl<'a> Tasks<'a> {
    fn new(application: &'a Application, stage: &'a Stage, profile: &StageProfile) -> Self {
        let median = profile.run_ms.p50 as f64 / 1000.0;
        // Among few tasks the one that the stage waits for need not be twice as long as the middle one.
        let hot = profile.hot_partition.as_ref().map(|hot| hot.partition);
        let blamed = hot.filter(|_| profile.finding.code.is_of_data());
        let is_slow = |run_seconds: f64| run_seconds >= STRAGGLER * median && run_seconds > 0.0;
        let slow = profile
            .slowest
            .iter()
            .filter(|task| is_slow(task.run_seconds) || blamed == Some(task.partition));
        let mut hosts = BTreeMap::new();
        for task in &stage.tasks {
            if let Some(executor) = application.executors.get(task.executor as usize) {
                hosts.entry(executor.host.as_str()).or_insert(0);
            }
        }
        for (n, tone) in hosts.values_mut().enumerate() {
            *tone = u8::try_from(n % N_SERIES).unwrap_or(0);
        }
        Self {
            application,
            stage,
            start_ms: stage.tasks.iter().map(|task| task.launched_ms).min().unwrap_or(0),
            stragglers: slow.map(|task| task.task).collect(),
            hot,
            hosts,
        }
    }

    fn is_hot(&self, task: &Task) -> bool {
        self.hot == Some(task.partition) && task.is_success()
    }

    fn host(&self, task: &Task) -> &'a str {
        let executor = self.application.executors.get(task.executor as usize);
        executor.map_or("", |executor| executor.host.as_str())
    }

    /// By host where the colours suffice: all slow tasks in one colour are a slow host.
    fn tone(&self, task: &Task) -> Tone {
        if task.ending != TaskEnding::Success {
            Tone::Warn
        } else if self.stragglers.contains(&task.id) {
            Tone::Bad
        } else if self.hosts.len() > 1 && self.hosts.len() <= N_SERIES {
            Tone::Series(self.hosts.get(self.host(task)).copied().unwrap_or(0))
        } else {
            Tone::Data
        }
    }

    fn tooltip(&self, task: &Task) -> String {
        let executor = self.application.executors.get(task.executor as usize);
        let executor = executor.map_or("", |executor| executor.id.as_str());
        let ending = match task.ending {
            TaskEnding::Success => "",
            TaskEnding::Failed => ", failed",
            TaskEnding::Killed => ", killed",
        };
        format!(
            "Partition {}{}{ending}\ntask {}, executor {executor} on {}\nran {} of {}\n{}, {} records\nGC {}, fetch wait {}",
            task.partition,
            if self.is_hot(task) { " (hot)" } else { "" },
            task.id,
            self.host(task),
            units::seconds(f64::from(task.run_ms) / 1000.0),
            units::seconds(f64::from(task.duration_ms) / 1000.0),
            units::bytes(task.load_bytes()),
            units::count(task.load_records()),
            units::seconds(f64::from(task.gc_ms) / 1000.0),
            units::seconds(f64::from(task.fetch_wait_ms) / 1000.0),
        )
    }

    fn span(&self, task: &Task) -> (f64, f64) {
        let start = task.launched_ms.saturating_sub(self.start_ms) as f64 / 1000.0;
        (start, start + f64::from(task.duration_ms) / 1000.0)
    }

    /// The colours of hosts, where there are several and few enough.
    fn host_legend(&self, mut picture: Picture, shape: LegendShape) -> Picture {
        if self.hosts.len() > 1 && self.hosts.len() <= N_SERIES {
            for (host, n) in &self.hosts {
                picture = picture.entry(LegendEntry::new(Tone::Series(*n), shape, *host));
            }
        }
        picture
    }

    fn legend(&self, picture: Picture) -> Picture {
        let mut picture = self.host_legend(picture, LegendShape::Swatch(Fill::Full));
        if !self.stragglers.is_empty() {
            let is_hot = |task: &Task| self.is_hot(task) && self.stragglers.contains(&task.id);
            let what = if self.stage.tasks.iter().any(is_hot) {
                "the hot partition, and tasks of 2 × the median and more"
            } else {
                "stragglers, 2 × the median and more"
            };
            picture = picture.entry(LegendEntry::swatch(Tone::Bad, what));
        }
        if self.stage.tasks.iter().any(|task| !task.is_success()) {
            picture = picture.entry(LegendEntry::swatch(Tone::Warn, "failed or killed"));
        }
        picture
    }
}

/// Tasks in lanes of their executors over time, stragglers on top. A mark's action is its task's place in `stage.tasks`.
pub fn gantt_picture(application: &Application, stage: &Stage, profile: &StageProfile) -> Picture {
    let tasks = Tasks::new(application, stage, profile);
    let lanes = lanes(application, stage);
    let (lane_labels, places) = lane_names(application, &lanes);
    let last = stage
        .tasks
        .iter()
        .map(|task| tasks.span(task).1)
        .fold(0.0, f64::max);
    let width = last / (MAX_CELLS as f64 / lane_labels.len().max(1) as f64).max(50.0);
    let is_merged = stage.tasks.len() > MAX_CELLS;
    let mut ordinary: Vec<Mark> = Vec::new();
    let mut on_top = Vec::new();
    // The open mark of each lane, with how many tasks it holds.
    let mut open: HashMap<usize, (Mark, usize)> = HashMap::new();
    for (at, task) in stage.tasks.iter().enumerate() {
        let lane = lanes
            .get(at)
            .and_then(|lane| places.get(lane))
            .copied()
            .unwrap_or(0);
        let (from, to) = tasks.span(task);
        let y = (lane as f64 - 0.4, lane as f64 + 0.4);
        let mark = || {
            Mark::cell((from, to), y, tasks.tooltip(task))
                .tone(tasks.tone(task))
                .action(at)
        };
        if tasks.stragglers.contains(&task.id) {
            let label = if tasks.is_hot(task) {
                format!("partition {}", task.partition)
            } else {
                String::new()
            };
            on_top.push(mark().label(label));
        } else if !is_merged || to - from > width {
            ordinary.push(mark());
        } else if let Some((cell, n)) = open
            .get_mut(&lane)
            .filter(|(cell, _)| from >= cell.x.0 && to - cell.x.0 <= width)
        {
            cell.x.1 = cell.x.1.max(to);
            *n += 1;
            cell.action = None;
        } else if let Some((cell, n)) = open.insert(lane, (mark(), 1)) {
            ordinary.push(together(cell, n));
        }
    }
    ordinary.extend(open.into_values().map(|(cell, n)| together(cell, n)));
    let note = if is_merged {
        "exact; tasks narrower than a pixel are drawn together"
    } else {
        "exact"
    };
    let picture = Picture::new(
        "Tasks by executor",
        Scale::from_zero("time since the first launch", Quantity::Seconds, last),
        Scale::categories("", lane_labels).reversed(),
    )
    .note(note)
    .layer(Layer::new(LayerKind::Cells, Tone::Data, ordinary))
    .layer(Layer::new(LayerKind::Cells, Tone::Bad, on_top));
    tasks.legend(picture)
}

fn together(mut cell: Mark, n: usize) -> Mark {
    if n > 1 {
        cell.tooltip = format!("{n} short tasks");
    }
    cell
}

/// The lane of each task: its executor, and the first slot of it that is free.
fn lanes(application: &Application, stage: &Stage) -> Vec<(u32, usize)> {
    let mut free: HashMap<u32, Vec<i64>> = HashMap::new();
    let lanes = stage.tasks.iter().map(|task| {
        let slots = free.entry(task.executor).or_default();
        let executor = application.executors.get(task.executor as usize);
        let n_slots = executor.map_or(0.0, |executor| {
            f64::from(executor.n_cores) / application.cpus_per_task.max(0.01)
        });
        let free_slot = slots.iter().position(|end| *end <= task.launched_ms);
        // The next task starts a moment before the end of the last one is noted: it takes the slot that ends first.
        let is_full = n_slots >= 1.0 && slots.len() as f64 >= n_slots;
        let first_end = slots.iter().enumerate().min_by_key(|(_, end)| **end);
        let ends_first = first_end
            .filter(|(_, end)| is_full && **end <= task.launched_ms + MOMENT_MS)
            .map(|(at, _)| at);
        let at = free_slot.or(ends_first).unwrap_or(slots.len());
        match slots.get_mut(at) {
            Some(end) => *end = task.finished_ms().max(*end),
            None => slots.push(task.finished_ms()),
        }
        (task.executor, at)
    });
    lanes.collect()
}

/// Names of the lanes from the top, and where each lane is. Beyond [`MAX_LANES`] executors share one lane each.
fn lane_names(
    application: &Application,
    lanes: &[(u32, usize)],
) -> (Vec<String>, HashMap<(u32, usize), usize>) {
    let mut sorted: Vec<(u32, usize)> = lanes
        .iter()
        .copied()
        .collect::<HashSet<_>>()
        .into_iter()
        .collect();
    sorted.sort_unstable();
    let is_shared = sorted.len() > MAX_LANES;
    let mut names: Vec<String> = Vec::new();
    let mut places = HashMap::new();
    let mut last = None;
    for lane in sorted {
        let is_new = !is_shared || last != Some(lane.0);
        if is_new {
            let executor = application.executors.get(lane.0 as usize);
            let id = executor.map_or("?", |executor| executor.id.as_str());
            names.push(match lane.1 {
                0 => format!("executor {id}"),
                slot => format!("{id} · {}", slot + 1),
            });
            last = Some(lane.0);
        }
        places.insert(lane, names.len().saturating_sub(1));
    }
    (names, places)
}

/// Run time against data: what lies on the diagonal is skew of the data, what stands above others is computation or a
/// slow host. A mark's action is its task's place in `stage.tasks`.
pub fn scatter_picture(application: &Application, stage: &Stage, profile: &StageProfile) -> Picture {
    let tasks = Tasks::new(application, stage, profile);
    let is_bytes = profile.load_bytes.total > 0;
    let load = |task: &Task| if is_bytes { task.load_bytes() } else { task.load_records() } as f64;
    let (title, quantity) = if is_bytes {
        ("bytes read", Quantity::Bytes)
    } else {
        ("records read", Quantity::Count)
    };
    let run = |task: &Task| f64::from(task.run_ms) / 1000.0;
    let max = |of: &dyn Fn(&Task) -> f64| stage.tasks.iter().map(of).fold(0.0, f64::max);
    let (most, longest) = (max(&load), max(&run));
    let mut seen = HashSet::new();
    let (mut ordinary, mut on_top) = (Vec::new(), Vec::new());
    for (at, task) in stage
        .tasks
        .iter()
        .enumerate()
        .filter(|(_, task)| task.is_success())
    {
        let mark = || {
            Mark::point(load(task), run(task), tasks.tooltip(task))
                .tone(tasks.tone(task))
                .action(at)
        };
        if tasks.is_hot(task) {
            on_top.push(
                mark()
                    .tone(Tone::Bad)
                    .label(format!("partition {}", task.partition)),
            );
        } else if tasks.stragglers.contains(&task.id) {
            on_top.push(mark());
        } else if stage.tasks.len() <= MAX_CELLS
            || seen.insert((place(load(task), most), place(run(task), longest)))
        {
            ordinary.push(mark());
        }
    }
    let dot = |tone, text: &str| LegendEntry::new(tone, LegendShape::Dot, text);
    let mut picture = Picture::new(
        "Run time against data",
        Scale::from_zero(title, quantity, most),
        Scale::from_zero("run time", Quantity::Seconds, longest),
    )
    .note("exact")
    .layer(Layer::new(LayerKind::Points, Tone::Data, ordinary))
    .layer(Layer::new(LayerKind::Points, Tone::Bad, on_top));
    let hot = stage.tasks.iter().find(|task| tasks.is_hot(task));
    if let Some(task) = hot {
        let label = format!("partition {}", task.partition);
        picture = picture.rule(Rule::upright(load(task), label, Tone::Bad));
    }
    picture = tasks.host_legend(picture, LegendShape::Dot);
    if tasks.hot.is_some() || !tasks.stragglers.is_empty() {
        picture = picture.entry(dot(Tone::Bad, "stragglers and the hot partition"));
    }
    picture
}

/// Where a value is, to within a dot.
fn place(value: f64, max: f64) -> u32 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place between zero and a few hundred"
    )]
    let at = (value / max.max(f64::MIN_POSITIVE) * SCATTER_PLACES) as u32;
    at
}

/// How run times are spread, with the quantiles that Spark's page shows.
pub fn run_time_picture(stage: &Stage, profile: &StageProfile) -> Picture {
    let runs: Vec<f64> = stage
        .tasks
        .iter()
        .filter(|task| task.is_success())
        .map(|task| f64::from(task.run_ms) / 1000.0)
        .collect();
    let max = runs.iter().copied().fold(0.0, f64::max);
    let x = Scale::from_zero("run time", Quantity::Seconds, max);
    let width = x.last / N_BINS as f64;
    let mut bins = [0_u64; N_BINS];
    for run in &runs {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a bin between zero and the last"
        )]
        let at = ((run / width) as usize).min(N_BINS - 1);
        if let Some(bin) = bins.get_mut(at) {
            *bin += 1;
        }
    }
    let most = bins.iter().copied().max().unwrap_or(0);
    let marks = bins.iter().enumerate().filter(|(_, n)| **n > 0).map(|(at, n)| {
        let (from, to) = (at as f64 * width, (at + 1) as f64 * width);
        let tooltip = format!(
            "{} to {}\n{}",
            Quantity::Seconds.text(from),
            Quantity::Seconds.text(to),
            units::plural(*n, "task")
        );
        Mark::cell(
            (from + width * 0.05, to - width * 0.05),
            (0.0, *n as f64),
            tooltip,
        )
    });
    let mut picture = Picture::new(
        "Run times",
        x,
        Scale::from_zero("tasks", Quantity::Count, most as f64),
    )
    .note("exact")
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks.collect()));
    let run = &profile.run_ms;
    for (name, ms) in [("median", run.p50), ("p75", run.p75), ("max", run.max)] {
        let value = ms as f64 / 1000.0;
        if max > 0.0 {
            let label = format!("{name} {}", units::seconds(value));
            picture = picture.rule(Rule::upright(value, label, Tone::Text));
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::{gantt_picture, run_time_picture, scatter_picture};
    use crate::chart::Tone;
    use crate::profile::events::{Application, Executor, Stage, Task, diagnose};

    /// `n` tasks of a second on two executors of two slots, and one of a minute with most of the data.
    fn application(n: u32) -> Application {
        let executor = |id: &str| Executor {
            id: id.to_owned(),
            host: format!("host-{id}"),
            n_cores: 2,
            ..Executor::default()
        };
        let task = |index: u32| {
            let is_hot = index == n / 2;
            Task {
                id: u64::from(index),
                index,
                partition: index,
                executor: index % 2,
                launched_ms: 1_000_000 + i64::from(index / 4) * 1000,
                duration_ms: if is_hot { 60_000 } else { 990 },
                run_ms: if is_hot { 60_000 } else { 980 },
                n_bytes_shuffle_read: if is_hot { 1 << 30 } else { 1 << 20 },
                n_records_shuffle_read: if is_hot { 1 << 20 } else { 1 << 10 },
                ..Task::default()
            }
        };
        let stage = Stage {
            tasks: (0..n).map(task).collect(),
            n_tasks: u64::from(n),
            ..Stage::default()
        };
        Application {
            cpus_per_task: 1.0,
            executors: vec![executor("0"), executor("1")],
            stages: [((0, 0), stage)].into(),
            ..Application::default()
        }
    }

    fn pictures(n: u32) -> [crate::chart::Picture; 3] {
        let application = application(n);
        let profile = diagnose(&application).stages.remove(0);
        let stage = &application.stages[&(0, 0)];
        [
            gantt_picture(&application, stage, &profile),
            scatter_picture(&application, stage, &profile),
            run_time_picture(stage, &profile),
        ]
    }

    #[test]
    fn the_straggler_is_drawn_last_and_named_by_its_partition() {
        let [gantt, scatter, times] = pictures(40);
        for picture in [&gantt, &scatter] {
            assert_eq!(picture.marks().count(), 40);
            let (_, last) = picture.marks().next_back().unwrap();
            assert_eq!(
                (last.label.as_str(), last.tone),
                ("partition 20", Some(Tone::Bad))
            );
            assert_eq!(last.action, Some(20));
        }
        let names: Vec<&str> = gantt.legend.iter().map(|entry| entry.text.as_str()).collect();
        assert!(
            names.contains(&"host-0") && names.contains(&"host-1"),
            "{names:?}"
        );
        let n: f64 = times.marks().map(|(_, mark)| mark.y.1).sum();
        assert!((n - 40.0).abs() < f64::EPSILON, "{n}");
    }

    #[test]
    fn no_two_tasks_of_a_lane_lie_on_one_another() {
        let [gantt, ..] = pictures(40);
        let marks: Vec<_> = gantt.marks().map(|(_, mark)| mark).collect();
        for (n, a) in marks.iter().enumerate() {
            for b in &marks[..n] {
                let is_same_lane = (a.y.0 - b.y.0).abs() < 0.1;
                let overlap = a.x.1.min(b.x.1) - a.x.0.max(b.x.0);
                assert!(!is_same_lane || overlap < 0.01, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_hundred_thousand_tasks_are_few_marks_and_the_straggler_stays_by_itself() {
        for picture in pictures(100_000).into_iter().take(2) {
            let n = picture.marks().count();
            assert!(n < 25_000, "{n} marks in {}", picture.title);
            let (_, last) = picture.marks().next_back().unwrap();
            assert_eq!(last.label, "partition 50000");
        }
    }

    #[test]
    fn a_stage_without_tasks_has_empty_pictures() {
        for picture in pictures(0) {
            assert!(picture.is_empty(), "{}", picture.title);
        }
    }
}
