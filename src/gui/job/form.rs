//! The form of the job: what is written where, in which pieces, and how many bad records are tolerated.

use std::collections::BTreeMap;

use egui::{RichText, Ui};

use super::JobView;
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::theme::{self, colors, space};
use crate::gui::widgets::{secondary_button, section_label, text_field};
use crate::session::{Edit, JobSettings};

/// Texts that do not parse yet, by field.
#[derive(Debug, Default)]
pub(super) struct JobDraft {
    texts: BTreeMap<&'static str, String>,
    /// The settings these texts belong to.
    settings: Option<JobSettings>,
}

const COMPRESSIONS: [(&str, &str); 3] = [
    ("snappy", "snappy: fast, read everywhere"),
    ("zstd(3)", "zstd(3): about a third smaller"),
    ("none", "none"),
];

struct Form<'a> {
    settings: JobSettings,
    draft: &'a mut JobDraft,
    is_changed: bool,
    is_left: bool,
}

/// The form. Pushes an edit whenever a field parses to something new.
pub(super) fn form_ui(ui: &mut Ui, view: &JobView<'_>, draft: &mut JobDraft, commands: &mut Vec<Command>) {
    let settings = view.settings;
    if draft.settings.as_ref() != Some(settings) {
        draft.texts.clear();
        draft.settings = Some(settings.clone());
    }
    let mut form = Form {
        settings: settings.clone(),
        draft,
        is_changed: false,
        is_left: false,
    };
    ui.spacing_mut().item_spacing.y = 3.0;
    form.text(
        ui,
        "Name",
        "job_features",
        "Names the job in reports and in the ledger",
        |job| &mut job.name,
    );
    section(ui, "Table");
    form.sink(ui, view.default_sink, commands);
    form.text(
        ui,
        "Partition name",
        "day_partition",
        "The key in `day_partition=2020-01-01/`",
        |job| &mut job.partition_name,
    );
    form.parsed(
        ui,
        "Rows per file",
        "1,048,576",
        |job| units::count(job.rows_per_file),
        |job, text| match whole(text) {
            Some(0) | None => Err("write a whole number above 0".to_owned()),
            Some(n) => {
                job.rows_per_file = n;
                Ok(())
            }
        },
    );
    form.compression(ui);
    form.budget(ui);
    section(ui, "Run here");
    let hint = match view.default_days {
        "" => "2020-01-01..2020-01-07",
        days => days,
    };
    form.text(
        ui,
        "Days",
        hint,
        "One day, or first..last; the open day when empty",
        |job| &mut job.days,
    );
    let (is_changed, is_left, settings) = (form.is_changed, form.is_left, form.settings);
    if is_changed {
        draft.settings = Some(settings.clone());
        commands.push(Command::Edit(Edit::SetJob(settings)));
    }
    if is_left {
        commands.push(Command::Seal);
    }
}

fn section(ui: &mut Ui, text: &str) {
    ui.add_space(space::MD);
    section_label(ui, text);
    ui.add_space(space::XS / 2.0);
}

fn label(ui: &mut Ui, text: &str, explanation: &str) {
    let response = ui.label(RichText::new(text).font(theme::small()).color(colors(ui).weak));
    if !explanation.is_empty() {
        response.on_hover_text(explanation);
    }
}

impl Form<'_> {
    fn text(
        &mut self,
        ui: &mut Ui,
        name: &str,
        hint: &str,
        explanation: &str,
        field: impl FnOnce(&mut JobSettings) -> &mut String,
    ) {
        label(ui, name, explanation);
        let response = text_field(ui, field(&mut self.settings), &job_label(name), hint, true);
        self.is_changed |= response.changed();
        self.is_left |= response.lost_focus();
        ui.add_space(space::XS);
    }

    /// The table's place, with a button that asks for a folder.
    fn sink(&mut self, ui: &mut Ui, default: &str, commands: &mut Vec<Command>) {
        label(
            ui,
            "Sink folder",
            "Folder or prefix of the table; a relative one is relative to the spec's own folder",
        );
        let hint = match default {
            "" => "s3://bucket/features/",
            default => default,
        };
        let response = text_field(ui, &mut self.settings.sink, &job_label("Sink folder"), hint, true);
        self.is_changed |= response.changed();
        self.is_left |= response.lost_focus();
        if self.settings.sink.trim().is_empty() && !default.is_empty() {
            response.on_hover_text(format!("Left empty, the table is written to {default}"));
        }
        if secondary_button(ui, true, "Choose…")
            .accessible_name("Choose the sink folder")
            .on_hover_text("Pick a folder of this machine")
            .clicked()
        {
            commands.push(Command::ChooseSink);
        }
        ui.add_space(space::XS);
    }

    /// How many bad records and files a partition may have.
    fn budget(&mut self, ui: &mut Ui) {
        section(ui, "Error budget");
        ui.label(theme::weak_small(
            ui,
            "A partition that goes over either bound is not committed.",
        ));
        self.parsed(
            ui,
            "Bad records, share",
            "0.1%",
            |job| share_text(job.budget_records_ratio),
            |job, text| {
                job.budget_records_ratio = share(text)?;
                Ok(())
            },
        );
        self.parsed(
            ui,
            "Bad records, count",
            "1,000 records",
            |job| units::count(job.budget_records_abs),
            |job, text| {
                job.budget_records_abs = whole(text).ok_or("write a whole number")?;
                Ok(())
            },
        );
        self.parsed(
            ui,
            "Broken files, share",
            "0.5%",
            |job| share_text(job.budget_files_ratio),
            |job, text| {
                job.budget_files_ratio = share(text)?;
                Ok(())
            },
        );
        self.parsed(
            ui,
            "Broken files, count",
            "25 files",
            |job| units::count(job.budget_files_abs),
            |job, text| {
                job.budget_files_abs = whole(text).ok_or("write a whole number")?;
                Ok(())
            },
        );
    }

    /// A field whose text may not parse while it is typed.
    fn parsed(
        &mut self,
        ui: &mut Ui,
        name: &'static str,
        hint: &str,
        show: impl FnOnce(&JobSettings) -> String,
        read: impl FnOnce(&mut JobSettings, &str) -> Result<(), String>,
    ) {
        label(ui, name, "");
        let mut text = self
            .draft
            .texts
            .get(name)
            .cloned()
            .unwrap_or_else(|| show(&self.settings));
        let response = text_field(ui, &mut text, &job_label(name), hint, true);
        let mut settings = self.settings.clone();
        let result = read(&mut settings, &text);
        if response.changed() {
            self.draft.texts.insert(name, text);
            if result.is_ok() && settings != self.settings {
                self.settings = settings;
                self.is_changed = true;
            }
        }
        if let Err(message) = &result {
            ui.label(RichText::new(message).font(theme::small()).color(colors(ui).bad));
        }
        if response.lost_focus() {
            self.is_left = true;
            if result.is_ok() {
                self.draft.texts.remove(name);
            }
        }
        ui.add_space(space::XS);
    }

    fn compression(&mut self, ui: &mut Ui) {
        label(ui, "Compression", "");
        let mut chosen = self.settings.compression.clone();
        let response = egui::ComboBox::from_id_salt("compression")
            .width(ui.available_width())
            .selected_text(theme::body(&chosen))
            .show_ui(ui, |ui| {
                for (value, text) in COMPRESSIONS {
                    ui.selectable_value(&mut chosen, value.to_owned(), text);
                }
            })
            .response;
        ui.ctx()
            .accesskit_node_builder(response.id, |node| node.set_label(job_label("Compression")));
        if chosen != self.settings.compression {
            self.settings.compression = chosen;
            self.is_changed = true;
            self.is_left = true;
        }
        ui.add_space(space::XS);
    }
}

/// `Job: rows per file`: apart from the visible label, so that each is found alone.
fn job_label(name: &str) -> String {
    format!("Job: {}", name.to_lowercase())
}

fn whole(text: &str) -> Option<u64> {
    text.trim().replace([',', '_', ' '], "").parse().ok()
}

/// `0.1%`, exactly: only as many digits as the share has.
fn share_text(share: f64) -> String {
    let percent = (share * 1e12).round() / 1e10;
    format!("{percent}%")
}

fn share(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse::<f64>(),
    };
    share
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "write a share such as 0.1% or 0.001".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{share, share_text, whole};

    #[test]
    fn shares_and_counts_are_read_as_people_write_them() {
        assert_eq!(share("0.1%"), Ok(0.001));
        assert_eq!(share("0.25"), Ok(0.25));
        assert!(share("120%").is_err() && share("x").is_err() && share("").is_err());
        assert_eq!(share_text(0.001), "0.1%");
        assert_eq!(share_text(0.07), "7%");
        assert_eq!(whole("1,048,576"), Some(1_048_576));
        assert_eq!(whole("1.5"), None);
    }
}
