//! What is unusual, worst first, each with its evidence, its remedy, its cost, and what can be done about it here.

use egui::{Align, Label, Layout, Ui};

use super::{PartitionsView, costs};
use crate::base::units;
use crate::gui::command::{Command, Tab};
use crate::gui::listed::ListedDataset;
use crate::gui::state::Commands;
use crate::gui::theme::{
    Tone, body, body_marked, code, colors, space, strong_marked, weak, weak_marked, weak_small,
};
use crate::gui::widgets::{divider, dot, quiet_button, secondary_button, stretched_card};
use crate::profile::{CostModel, Finding, FindingCode, Severity, SpikeRemedy};
use crate::session::{Edit, Expected, JobSettings};
use crate::storage::Partition;

const BUTTON_WIDTH: f32 = 136.0;
/// Findings that are shown before somebody asks for the others.
const MAX_SHOWN: usize = 8;

/// What of the findings is folded out.
#[derive(Debug, Default)]
pub struct FindingsPanel {
    /// The partition whose split by bytes is shown.
    planned: Option<Partition>,
    /// Whether those beyond the first are shown too.
    has_all: bool,
    /// Whether findings that were put aside are shown too.
    has_expected: bool,
}

/// The card is at least `height` tall.
pub fn findings_ui(
    ui: &mut Ui,
    dataset: &ListedDataset,
    view: PartitionsView<'_>,
    height: f32,
    panel: &mut FindingsPanel,
    commands: &mut Commands,
) {
    let head = |_: &mut Ui| {};
    stretched_card(ui, "Findings, by cost", height, head, head, |ui| {
        costs::costs_ui(ui, view.costs, commands);
        ui.spacing_mut().item_spacing.y = space::SM;
        let prefix = dataset.keys.prefix.as_str();
        let is_expected = |finding: &&Finding| {
            view.expected.iter().any(|expected| {
                expected.code == finding.code
                    && expected.partition == finding.partition
                    && expected.dataset == prefix
            })
        };
        let findings = || dataset.skew.findings.iter();
        let n_expected = findings().filter(is_expected).count();
        if n_expected == dataset.skew.findings.len() && !panel.has_expected {
            ui.label(weak(ui, "Nothing unusual: partitions are even and complete."));
        }
        let listed: Vec<&Finding> = findings().filter(|finding| !is_expected(finding)).collect();
        // What is good comes last, and is never folded away.
        let n_news = listed
            .iter()
            .filter(|finding| finding.severity != Severity::Good)
            .count();
        let n_folded = if panel.has_all || n_news <= MAX_SHOWN + 1 {
            0
        } else {
            n_news - MAX_SHOWN
        };
        let folded = (n_news - n_folded)..n_news;
        for (index, finding) in listed.iter().enumerate() {
            if index == folded.start && n_folded > 0 {
                divider(ui);
                let text = format!("Show {} more findings", units::count(n_folded as u64));
                panel.has_all |= quiet_button(ui, true, &text).clicked();
            }
            if folded.contains(&index) {
                continue;
            }
            if index > 0 {
                divider(ui);
            }
            finding_ui(ui, dataset, view, finding, panel, commands);
        }
        if panel.has_all && n_news > MAX_SHOWN + 1 && quiet_button(ui, true, "Show fewer findings").clicked()
        {
            panel.has_all = false;
        }
        if n_expected == 0 {
            return;
        }
        divider(ui);
        let text = if panel.has_expected {
            "Hide what is expected".to_owned()
        } else {
            format!(
                "{} expected, put aside: show",
                units::plural(n_expected as u64, "finding")
            )
        };
        if quiet_button(ui, true, &text).clicked() {
            panel.has_expected ^= true;
        }
        if panel.has_expected {
            for finding in findings().filter(is_expected) {
                expected_ui(ui, prefix, finding, commands);
            }
        }
    });
}

pub fn tone_of(severity: Severity) -> Tone {
    match severity {
        Severity::Good => Tone::Good,
        Severity::Note => Tone::Data,
        Severity::Warn => Tone::Warn,
        Severity::Bad => Tone::Bad,
    }
}

/// One that was put aside: its title and the way back.
fn expected_ui(ui: &mut Ui, prefix: &str, finding: &Finding, commands: &mut Commands) {
    ui.horizontal(|ui| {
        ui.label(weak(ui, &finding.title)).on_hover_text(&finding.message);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if quiet_button(ui, true, "Take back").clicked() {
                commands.push(Command::Edit(Edit::Expect {
                    finding: Expected::new(prefix, finding),
                    is_expected: false,
                }));
            }
        });
    });
}

fn finding_ui(
    ui: &mut Ui,
    dataset: &ListedDataset,
    view: PartitionsView<'_>,
    finding: &Finding,
    panel: &mut FindingsPanel,
    commands: &mut Commands,
) {
    let c = colors(ui);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::MD;
        dot(ui, c.of(tone_of(finding.severity)))
            .on_hover_text(format!("{:?}", finding.severity).to_lowercase());
        let width = (ui.available_width() - BUTTON_WIDTH - space::MD).max(120.0);
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 3.0;
            ui.add(Label::new(strong_marked(ui, &finding.title)).wrap());
            if !finding.message.is_empty() {
                ui.add(Label::new(weak_marked(ui, &finding.message)).wrap());
            }
            if !finding.remedy.is_empty() {
                ui.add(Label::new(body_marked(ui, &finding.remedy)).wrap());
            }
            if let Some(cost) = finding.cost_words() {
                ui.label(weak_small(ui, cost))
                    .on_hover_text(format!("With {}", view.costs));
            }
            let is_plannable = remedy_of(dataset, view.costs, finding) == Some(SpikeRemedy::Split);
            if is_plannable && panel.planned.is_some() && panel.planned == finding.partition {
                plan_ui(ui, dataset, finding, commands);
            }
        });
        ui.with_layout(Layout::top_down(Align::Max), |ui| {
            actions_ui(ui, dataset, view, finding, panel, commands);
        });
    });
}

/// What helps against a spike, as its text says; none for other findings.
fn remedy_of(dataset: &ListedDataset, costs: &CostModel, finding: &Finding) -> Option<SpikeRemedy> {
    let spike = Some(finding).filter(|finding| finding.code == FindingCode::PartitionSpike)?;
    let stats = dataset.stats(spike.partition.as_ref()?)?;
    Some(SpikeRemedy::of(stats, &dataset.skew.metrics, costs))
}

/// Whether a job that writes the rows anew is an answer to it, and the days that it is to read.
fn compacted_days(dataset: &ListedDataset, costs: &CostModel, finding: &Finding) -> Option<String> {
    let is_tiny = finding.code == FindingCode::TinyFiles && finding.severity != Severity::Good;
    if !is_tiny && remedy_of(dataset, costs, finding) != Some(SpikeRemedy::Merge) {
        return None;
    }
    if finding.partition.is_some() {
        return days_of(finding);
    }
    let (first, last) = dataset.keys.dates()?;
    Some(format!("{first}..{last}"))
}

/// Whether a person may know better than the rule.
fn may_be_expected(finding: &Finding) -> bool {
    use FindingCode as Code;
    matches!(
        finding.code,
        Code::PartitionSpike
            | Code::MissingDate
            | Code::MissingHour
            | Code::SeveralNames
            | Code::InvalidDate
            | Code::NullPartition
            | Code::OutsidePartitions
            | Code::EmptyPartition
            | Code::WeekdayOutlier
            | Code::ZeroByteFiles
            | Code::MixedFormats
            | Code::DuplicateObjects
            | Code::Growth
            | Code::LateFiles
            | Code::ClockSkew
    )
}

/// The date of a finding's partition as the job's days are written.
fn days_of(finding: &Finding) -> Option<String> {
    Some(finding.partition.as_ref()?.date()?.to_string())
}

fn actions_ui(
    ui: &mut Ui,
    dataset: &ListedDataset,
    view: PartitionsView<'_>,
    finding: &Finding,
    panel: &mut FindingsPanel,
    commands: &mut Commands,
) {
    let job = view.job;
    ui.spacing_mut().item_spacing.y = space::XS;
    ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
    // A missing date has nothing to open.
    let opens = finding
        .partition
        .as_ref()
        .filter(|partition| dataset.stats(partition).is_some());
    if remedy_of(dataset, view.costs, finding) == Some(SpikeRemedy::Split) {
        let is_shown = panel.planned == finding.partition;
        let text = if is_shown { "Hide plan" } else { "Plan by bytes" };
        if secondary_button(ui, true, text)
            .on_hover_text("What tasks cut by bytes would take, and how to get them")
            .clicked()
        {
            panel.planned = if is_shown { None } else { finding.partition.clone() };
        }
    }
    if let Some(days) = compacted_days(dataset, view.costs, finding) {
        let hover = format!(
            "Sets the job to {days}: it writes the rows in files of {}",
            units::plural(job.rows_per_file, "row")
        );
        if secondary_button(ui, true, "Compact by a job")
            .on_hover_text(hover)
            .clicked()
        {
            commands.push(Command::Edit(Edit::SetJob(JobSettings { days, ..job.clone() })));
            commands.push(Command::ShowTab(Tab::Job));
        }
    }
    if let Some(partition) = opens {
        let label = if dataset.unit() == "days" {
            "Open day"
        } else {
            "Open"
        };
        if secondary_button(ui, true, label)
            .on_hover_text(format!("Shows the rows of {partition}"))
            .clicked()
        {
            commands.push(Command::Edit(Edit::ShowPartition {
                dataset: dataset.keys.prefix.clone(),
                partition: Some(partition.clone()),
            }));
            commands.push(Command::ShowTab(Tab::Data));
        }
    }
    if may_be_expected(finding)
        && secondary_button(ui, true, "Mark as expected")
            .on_hover_text("Puts it aside for good, once your work is saved (Ctrl+S)")
            .clicked()
    {
        commands.push(Command::Edit(Edit::Expect {
            finding: Expected::new(&dataset.keys.prefix, finding),
            is_expected: true,
        }));
    }
}

/// What one pass takes by partitions and by bytes, with the command that plans the second.
fn plan_ui(ui: &mut Ui, dataset: &ListedDataset, finding: &Finding, commands: &mut Commands) {
    let split = &dataset.split;
    let unit = dataset.unit().trim_end_matches('s');
    ui.add(
        Label::new(body(format!(
            "One task a {unit}: {}. {} cut by bytes: {} (estimates).",
            units::seconds(split.by_partition_seconds),
            units::plural(split.n_tasks, "task"),
            units::seconds(split.by_bytes_seconds)
        )))
        .wrap(),
    );
    let days = match (dataset.keys.dates(), days_of(finding)) {
        (Some((first, last)), Some(_)) if first != last => format!("{first}..{last}"),
        (_, Some(day)) => day,
        _ => return,
    };
    let command = format!(
        "skewer plan job.yaml --param day={days} --tasks {}",
        split.n_tasks
    );
    ui.horizontal_wrapped(|ui| {
        ui.add(Label::new(code(&command)).wrap());
        if secondary_button(ui, true, "Copy")
            .on_hover_text("Copies the command")
            .clicked()
        {
            commands.push(Command::CopyText(command.clone()));
        }
    });
    ui.label(weak_small(
        ui,
        "Export the job first: its plan is a list of tasks of equal bytes.",
    ));
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;

    use super::{FindingsPanel, findings_ui};
    use crate::gui::listed::ListedDataset;
    use crate::gui::partitions::{PartitionsSlots, PartitionsView};
    use crate::gui::theme;
    use crate::profile::CostModel;
    use crate::session::JobSettings;
    use crate::storage::testing::days_from;

    /// Buttons of the findings of a lake of (files, bytes) a day.
    fn buttons(days: &[(u64, u64)]) -> Vec<&'static str> {
        let first = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
        let keys = days_from(first, days.iter().copied());
        let costs = CostModel::default();
        let dataset = ListedDataset::new(&keys, &costs);
        let (slots, job) = (PartitionsSlots::default(), JobSettings::default());
        let (mut panel, mut has_fonts) = (FindingsPanel::default(), false);
        let draw = move |ui: &mut egui::Ui| {
            if !has_fonts {
                theme::install_fonts(ui.ctx());
                has_fonts = true;
                return;
            }
            let view = PartitionsView {
                listed: None,
                dataset: None,
                slots: &slots,
                costs: &costs,
                expected: &[],
                job: &job,
                is_pending: false,
                error: None,
                place: None,
                open: None,
            };
            let mut commands = Vec::new();
            findings_ui(ui, &dataset, view, 0.0, &mut panel, &mut commands);
        };
        let mut harness = Harness::builder()
            .with_size(egui::vec2(700.0, 900.0))
            .build_ui(draw);
        harness.run_steps(3);
        ["Plan by bytes", "Compact by a job"]
            .into_iter()
            .filter(|label| harness.query_all_by_label(label).next().is_some())
            .collect()
    }

    #[test]
    fn a_button_offers_what_the_text_beside_it_advises() {
        let usual = vec![(10, 100_000_000); 12];
        let with = |n_files, n_bytes| {
            let mut days = usual.clone();
            days[4] = (n_files, n_bytes);
            buttons(&days)
        };
        assert_eq!(with(10, 2_000_000_000), ["Plan by bytes"]);
        assert_eq!(with(20_000, 2_000_000_000), ["Compact by a job"]);
        let mut small = vec![(1, 1_000_000); 12];
        small[4].1 = 20_000_000;
        assert_eq!(buttons(&small), Vec::<&str>::new());
        assert_eq!(buttons(&vec![(60, 108_000); 31]), ["Compact by a job"]);
        assert_eq!(buttons(&vec![(30, 54_000); 31]), Vec::<&str>::new());
    }
}
