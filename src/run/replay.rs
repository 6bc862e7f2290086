//! Replay: records in quarantine are read again, from their own files, with a spec that was mended, and added once.
//!
//! A record counts when a committed run put it in quarantine, its file is still the one that was read, and no replay has
//! added it before. The ledger remembers each line that was added. A record that is rejected again stays in quarantine as
//! the run before left it; a replay writes only rejects that are not there: behind the place where a file could not be
//! read before, and single rows of records that had none.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use chrono::NaiveDate;
use serde::Deserialize;

use super::commit::{Changes, Commit, CommitKind, DayLog, DayPart, staging};
use super::day::RunContext;
use super::ledger::{Cut, Entry, Ledger, LedgerBuilder, READ, REST, is_same};
use super::objects::{Listed, Objects};
use super::produced::{Assignment, Produced, fill};
use super::publish::Publication;
use super::selection::{Lines, Selection};
use super::slots::Slots;
use super::work::{Copy, made_ledger, next_ledger};
use super::{
    Opened, PartitionReport, PartitionStatus, RunError, RunOptions, RunReport, keep_report, list, quarantine,
    run_id,
};
use crate::base::{Cancel, Progress, units};
use crate::dataset::Reason;
use crate::job::{Job, Params, SinkLayout};
use crate::storage::Partition;
use crate::transform::Scope;

/// Which records are read again.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// Only those of this run.
    pub run_id: Option<String>,
    /// Only those rejected for this reason.
    pub reason: Option<Reason>,
    pub run: RunOptions,
}

/// What is read of a quarantine line.
#[derive(Debug, Deserialize)]
struct Entered {
    source: EnteredSource,
    line: u64,
    reason_code: Reason,
}

#[derive(Debug, Deserialize)]
struct EnteredSource {
    uri: String,
    etag: Option<String>,
    size: Option<u64>,
}

/// Replays the days of `params`, newest first, each its own commit.
///
/// # Errors
/// As [`super::run`].
pub async fn replay(
    job: &Job,
    params: &Params,
    options: &ReplayOptions,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<RunReport, RunError> {
    let run_id = run_id::new_run_id();
    let opened = Opened::open(job, &options.run).await?;
    let context = opened.context(job, &run_id, &options.run, 1, progress, cancel);
    let mut partitions = Vec::new();
    for day in params.days().iter().rev() {
        progress.set_note(day.to_string());
        let mut report = PartitionReport::new(Partition::Day(*day), PartitionStatus::Failed);
        let status = replay_day(&context, options, *day, &mut report).await;
        partitions.push(context.ended(report, status));
    }
    keep_report(&opened, job, run_id, partitions).await
}

#[allow(clippy::too_many_lines, reason = "the stages of a replay in their order")]
async fn replay_day(
    context: &RunContext<'_>,
    options: &ReplayOptions,
    day: NaiveDate,
    report: &mut PartitionReport,
) -> Result<PartitionStatus, RunError> {
    context.cancel.check()?;
    let job = context.job;
    if job.plan.scope() == Scope::Partition {
        return Err(RunError::ReplayMixed);
    }
    let log = DayLog::new(context.files, &job.sink, day);
    let state = log.recover(false).await?;
    let (Some(last), Some(old)) = (&state.last, log.ledger(&state).await?) else {
        report.message = Some("nothing was committed, so nothing can be added to it".to_owned());
        return Ok(PartitionStatus::NoData);
    };
    let parts = last.day_parts();
    check_day(job, last, &old)?;
    log.check_parts(&state).await?;
    let start = Instant::now();
    let listed = list::list(&job.source, context.source, day, context.cancel).await?;
    report.seconds.list = start.elapsed().as_secs_f64();
    report.n_files = listed.len() as u64;
    let (wanted, n_aside) = wanted(context, options, &log, day, &old).await?;
    let nothing = |report: &mut PartitionReport, message: String| {
        report.parts = last.part_reports(&job.sink, false);
        report.message = Some(message);
        Ok(PartitionStatus::AlreadyCommitted)
    };
    let (objects, lines, n_gone) = resolve(context, &listed, &old, wanted);
    let gone = gone(n_gone, n_aside);
    if objects.is_empty() {
        return nothing(report, format!("{NOTHING_LEFT}{gone}"));
    }
    let objects = Arc::new(objects);
    report.n_bytes_in = objects.n_bytes();
    context.progress.add_total(objects.len() as u64);
    let (copies, kept) = copied_and_kept(job, parts);
    let selection = Arc::new(selection(context, &objects, &lines));
    let inputs = context.inputs.list(day, context.cancel).await?;
    let inputs = context.open_inputs(&inputs).await?;
    let assignment = Assignment {
        objects: Arc::clone(&objects),
        copies: copies.clone(),
        slots: Slots::from(state.next_slot),
        staging: staging(&job.sink, context.run_id, day),
        quarantine: quarantine::FILE.to_owned(),
        plan: job.plan.clone().with_inputs(inputs.inputs),
        only: Some(Arc::clone(&selection)),
    };
    let cut = context.cut(assignment.slots);
    let mut produced = match context.produce(day, assignment).await {
        Ok(produced) => produced,
        Err(error) => {
            context.clean_up(day, &[]).await;
            return Err(log.lost_or(&state, error).await);
        }
    };
    fill(report, &produced);
    if let Err(error) = produced.books.check().and_then(|()| Ok(context.cancel.check()?)) {
        context.clean_up(day, &produced.parts).await;
        return Err(error);
    }
    let none = BTreeSet::new();
    let read = Read {
        objects: &objects,
        lines: &lines,
        copies: &copies,
        cut,
        selection: &selection,
    };
    let (made, n_mended) = read.ledgers(context, &produced, &old);
    if n_mended == 0 {
        context.clean_up(day, &produced.parts).await;
        return nothing(report, read.in_vain(&produced) + &gone);
    }
    let start = Instant::now();
    let changes = Changes {
        parts: mem::take(&mut produced.parts),
        kept,
        ..Changes::default()
    };
    let next = next_ledger(&changes.kept, &none, Some(&old), &made);
    let publication = Publication {
        is_traced: true,
        // The rows of before are still made by the steps of before.
        logic_sha256: &last.logic_sha256,
        columns_sha256: &last.columns_sha256,
        // Also those of the inputs of before: where they changed, the next run makes the day again.
        inputs_sha256: &last.inputs_sha256,
        ..context.publication(&log, &state, day)
    };
    let commit = context
        .commit(
            &publication,
            CommitKind::Replay,
            changes,
            &next,
            &produced,
            report,
        )
        .await?;
    report.seconds.commit = start.elapsed().as_secs_f64();
    report.parts = commit.part_reports(&job.sink, true);
    report.message = Some(format!(
        "{} mended{}{gone}",
        units::plural(n_mended, "record"),
        read.not_reached()
    ));
    Ok(PartitionStatus::Committed)
}

/// The day's parts as the layout has them: rows to write again, and parts that stay.
fn copied_and_kept(job: &Job, parts: Vec<DayPart>) -> (Vec<Copy>, Vec<DayPart>) {
    match job.sink.layout {
        SinkLayout::Parts => (Vec::new(), parts),
        SinkLayout::Single => (parts.into_iter().map(Copy::whole).collect(), Vec::new()),
    }
}

/// Refuses a day to which no record can be added alone.
fn check_day(job: &Job, last: &Commit, old: &Ledger) -> Result<(), RunError> {
    let has_rows = last.day_parts().iter().any(|part| part.rows > 0);
    if has_rows && old.entries().all(|entry| entry.slot.is_none()) {
        return Err(RunError::ReplayMixed);
    }
    if last.logic_sha256 != job.logic_sha256 && last.columns_sha256 != job.columns_sha256 {
        return Err(RunError::OtherColumns);
    }
    Ok(())
}

const NOTHING_LEFT: &str = "no record in quarantine that was not replayed";

/// What a replay leaves aside, and why.
fn gone(n_gone: u64, n_aside: u64) -> String {
    let gone = (n_gone > 0).then(|| {
        let files = units::plural(n_gone, "file");
        format!("; {files} changed or gone since, the next run reads what is there")
    });
    let aside = (n_aside > 0).then(|| {
        let records = units::plural(n_aside, "record");
        format!("; {records} left aside, of which other rows may be in the table: --replace computes the day again")
    });
    gone.unwrap_or_default() + &aside.unwrap_or_default()
}

/// The lines that are asked for, for the stages.
fn selection(context: &RunContext<'_>, objects: &Objects, lines: &BTreeMap<u32, Lines>) -> Selection {
    let location = |object: Listed<'_>| context.source.location(object.key).to_string();
    let indices = objects.iter().map(location).zip(0..).collect();
    Selection::new(lines.clone(), indices)
}

/// What a replay read again.
struct Read<'a> {
    objects: &'a Objects,
    lines: &'a BTreeMap<u32, Lines>,
    copies: &'a [Copy],
    cut: Cut,
    selection: &'a Selection,
}

impl Read<'_> {
    /// What to say of a replay that mended nothing.
    fn in_vain(&self, produced: &Produced) -> String {
        let n = units::plural(produced.books.rows_in, "record");
        let rest = self.not_reached();
        format!("{n} read again and rejected again, and left in quarantine as they were{rest}")
    }

    /// What to say of files that ended before the records that were asked for.
    fn not_reached(&self) -> String {
        let indices = (0_u32..).take(self.objects.len());
        let n = indices
            .filter(|index| self.selection.stopped(*index).is_some())
            .count();
        match n {
            0 => String::new(),
            n => format!(
                "; {} could not be read as far as before, their records stay in quarantine",
                units::plural(n as u64, "file")
            ),
        }
    }

    /// What the new parts are made of, every mended line remembered, and how many there are.
    fn ledgers(&self, context: &RunContext<'_>, produced: &Produced, old: &Ledger) -> ([Ledger; 2], u64) {
        let marks: Vec<Vec<u64>> = (0_u32..)
            .zip(self.objects.iter())
            .map(|(index, object)| self.marks(context, index, object, produced))
            .collect();
        let first_mark = |index: usize| marks.get(index).and_then(|marks| marks.first().copied());
        let made = made_ledger(
            self.copies,
            &BTreeSet::new(),
            Some(old),
            self.objects,
            &produced.segments,
            self.cut,
            &|index| first_mark(index).unwrap_or(REST),
        );
        let n_mended = marks.iter().map(|marks| marks.len() as u64).sum();
        ([made, rest_of_marks(self.objects, &marks)], n_mended)
    }

    /// What the ledger remembers of an object: the lines that are mended now.
    fn marks(
        &self,
        context: &RunContext<'_>,
        index: u32,
        object: Listed<'_>,
        produced: &Produced,
    ) -> Vec<u64> {
        let Some(lines) = self.lines.get(&index) else {
            return Vec::new();
        };
        let location = context.source.location(object.key).to_string();
        // Other rows of a record may be in the table where a step made several of it, so it must not be added again.
        let is_split = context.job.plan.makes_rows();
        let is_rejected = |line: u64, is_of_file: bool| {
            let here =
                (location.clone(), line, Reason::Truncated)..=(location.clone(), line, Reason::StepFailed);
            let mut reasons = produced.rejected.range(here).map(|(_, _, reason)| *reason);
            reasons.any(|reason| {
                reason.is_of_file() == is_of_file && !(is_split && reason == Reason::StepFailed)
            })
        };
        let is_reached = |line: u64| self.selection.stopped(index).is_none_or(|at| line < at);
        let singles = lines.single.iter().copied();
        let singles = singles.filter(|line| is_reached(*line) && !is_rejected(*line, false));
        let rest = lines.rest_from;
        let rest = rest.filter(|line| is_reached(*line) && !is_rejected(*line, true));
        singles.chain(rest.map(|line| line | REST)).collect()
    }
}

/// Lines by the full location of their file, with the file's etag and size as they were.
type Wanted = BTreeMap<String, (Option<String>, Option<u64>, Lines)>;

/// What committed runs of the day put in quarantine and no replay has added.
async fn wanted(
    context: &RunContext<'_>,
    options: &ReplayOptions,
    log: &DayLog<'_>,
    day: NaiveDate,
    old: &Ledger,
) -> Result<(Wanted, u64), RunError> {
    let mut wanted = Wanted::new();
    let mut n_aside = 0;
    let is_split = context.job.plan.makes_rows();
    for (n, run_id) in log.run_ids().await? {
        if options.run_id.as_ref().is_some_and(|asked| *asked != run_id) {
            continue;
        }
        let control = &context.job.sink.control;
        let folder = control.join(&format!("quarantine/day={day}/run={run_id}"));
        for name in context.files.names(&folder).await? {
            context.cancel.check()?;
            let at = folder.join(&name);
            let Some(text) = context.files.read(&at).await? else {
                continue;
            };
            for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let entered: Entered = serde_json::from_slice(line).map_err(|error| RunError::Record {
                    location: at.to_string(),
                    message: error.to_string(),
                })?;
                if options.reason.is_some_and(|reason| reason != entered.reason_code) {
                    continue;
                }
                if is_split && entered.reason_code == Reason::StepFailed {
                    n_aside += 1;
                    continue;
                }
                enter(&mut wanted, context, old, n, entered);
            }
        }
    }
    wanted.retain(|_, (_, _, lines)| *lines != Lines::default());
    Ok((wanted, n_aside))
}

/// Adds what commit `n` put in quarantine, unless it was added since, or its file was read again by a later commit.
fn enter(wanted: &mut Wanted, context: &RunContext<'_>, old: &Ledger, n: u64, entered: Entered) {
    let Some(key) = context.source.key_of(&entered.source.uri) else {
        return;
    };
    let mark = if entered.reason_code.is_of_file() {
        entered.line | REST
    } else {
        entered.line
    };
    let is_past = |line: u64| line & REST == 0 && line & READ != 0 && line & !READ > n;
    let is_added = old.of_key(&key).any(|index| {
        let line = old.entry(index).line;
        line == mark || is_past(line)
    });
    if is_added {
        return;
    }
    let EnteredSource { uri, etag, size } = entered.source;
    let (known_etag, _, lines) = wanted
        .entry(uri)
        .or_insert_with(|| (etag.clone(), size, Lines::default()));
    // A file that changed was read again as a whole: what an older content had in quarantine is past.
    if *known_etag != etag {
        (*known_etag, *lines) = (etag, Lines::default());
    }
    if entered.reason_code.is_of_file() {
        let from = lines
            .rest_from
            .map_or(entered.line, |from| from.min(entered.line));
        lines.rest_from = Some(from);
    } else {
        lines.single.insert(entered.line);
    }
}

/// The files that are still as they were, sorted, with their lines by index; and how many are not.
fn resolve(
    context: &RunContext<'_>,
    listed: &Objects,
    old: &Ledger,
    mut wanted: Wanted,
) -> (Objects, BTreeMap<u32, Lines>, u64) {
    let mut objects = Objects::default();
    let mut by_index = BTreeMap::new();
    for object in listed.iter() {
        let location = context.source.location(object.key).to_string();
        let Some((etag, size, _)) = wanted.get(&location) else {
            continue;
        };
        let is_as_read = object.etag == etag.as_deref() && size.is_none_or(|size| size == object.size);
        let in_table = old
            .of_key(object.key)
            .next()
            .is_some_and(|index| is_same(object, &old.entry(index)));
        if is_as_read
            && in_table
            && let Some((_, _, lines)) = wanted.remove(&location)
        {
            by_index.insert(u32::try_from(objects.len()).unwrap_or(u32::MAX), lines);
            objects.push(object);
        }
    }
    (objects, by_index, wanted.len() as u64)
}

/// Entries of the marks that have no rows of their own: an object's rows all belong to its first.
fn rest_of_marks(objects: &Objects, marks: &[Vec<u64>]) -> Ledger {
    let mut builder = LedgerBuilder::default();
    for (object, marks) in objects.iter().zip(marks) {
        for line in marks.iter().skip(1) {
            builder.push(Entry {
                key: object.key,
                etag: object.etag,
                size: object.size,
                line: *line,
                slot: None,
                first_row: 0,
                n_rows: 0,
            });
        }
    }
    builder.finish()
}
