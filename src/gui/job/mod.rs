//! The Job tab: the form, the live spec, export, and running it here.

mod contract;
mod form;
mod python;
mod report;
mod result;
mod spec_tests;

#[cfg(test)]
mod tests;

use egui::{Align, Label, Layout, RichText, ScrollArea, Ui, UiBuilder, vec2};

use self::form::JobDraft;
use self::report::Report;
use super::command::Command;
use super::job_facts::JobFacts;
use super::theme::{self, Tone, colors, size, space};
use super::widgets::{Icon, Problem, badge, card, card_with_head, error_box, icon, icon_button};
use super::widgets::{primary_button, progress_bar, secondary_button};
use crate::base::{ProgressView, units};
use crate::session::{JobSettings, NoJob};
use crate::transform::Recipe;

/// How "Run here" stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunView<'a> {
    pub progress: Option<&'a ProgressView>,
    /// The last run's report as JSON (the shape that `skewer run --json` prints).
    pub report: Option<&'a serde_json::Value>,
    pub error: Option<&'a str>,
}

/// What the tab shows.
#[derive(Debug, Clone, Copy)]
pub struct JobView<'a> {
    pub settings: &'a JobSettings,
    /// The spec as it would be exported, or why it cannot be yet.
    pub spec: Result<&'a str, &'a str>,
    pub run: RunView<'a>,
    /// Where the last export went.
    pub exported: Option<&'a str>,
    /// The day or range that "Run here" takes when the field is empty.
    pub default_days: &'a str,
    /// Where the table goes when the field is empty; itself empty when nothing is guessed.
    pub default_sink: &'a str,
    /// Contract, Python and tests, once they were computed for some recipe.
    pub facts: Option<&'a JobFacts>,
    /// The facts are those of an earlier recipe.
    pub is_facts_stale: bool,
    pub recipe: &'a Recipe,
}

/// Half-typed fields of the form.
#[derive(Debug, Default)]
pub struct JobPanel {
    draft: JobDraft,
    is_replacing: bool,
}

const FORM_WIDTH: f32 = 300.0;

/// The tab in the space that is there.
pub fn job_ui(ui: &mut Ui, view: JobView<'_>, panel: &mut JobPanel, commands: &mut Vec<Command>) {
    let available = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(available);
    let form_width = FORM_WIDTH.min(available.width() * 0.42);
    let left = egui::Rect::from_min_size(available.min, vec2(form_width, available.height()));
    let right = egui::Rect::from_min_max(left.right_top() + vec2(space::MD + 2.0, 0.0), available.max);
    ui.scope_builder(UiBuilder::new().id_salt("job form").max_rect(left), |ui| {
        ScrollArea::vertical()
            .id_salt("job form")
            .auto_shrink(false)
            .show(ui, |ui| {
                card(ui, |ui| form::form_ui(ui, &view, &mut panel.draft, commands));
            });
    });
    ui.scope_builder(UiBuilder::new().id_salt("job right").max_rect(right), |ui| {
        ScrollArea::vertical()
            .id_salt("job right")
            .auto_shrink(false)
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = space::MD;
                actions_ui(ui, &view, panel, commands);
                run_ui(ui, &view, commands);
                facts_ui(ui, &view, commands);
                spec_ui(ui, &view, commands);
            });
    });
}

fn actions_ui(ui: &mut Ui, view: &JobView<'_>, panel: &mut JobPanel, commands: &mut Vec<Command>) {
    const NO_DAYS: &str = "no days to run: open a day at the left, or write days into the form";
    let can_export = view.spec.is_ok();
    let days = match view.settings.days.trim() {
        "" => view.default_days,
        days => days,
    };
    let is_running = view.run.progress.is_some();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        let why = view.spec.err().unwrap_or_default();
        let export = primary_button(ui, can_export, "Export…");
        if export
            .on_hover_text("Write the job spec that `skewer run` takes")
            .on_disabled_hover_text(why)
            .clicked()
        {
            commands.push(Command::Export);
        }
        let run = secondary_button(ui, can_export && !is_running && !days.is_empty(), "Run here");
        if run
            .on_hover_text("Run the job on this machine")
            .on_disabled_hover_text(if can_export { NO_DAYS } else { why })
            .clicked()
        {
            let replace = panel.is_replacing;
            commands.push(Command::RunHere { replace });
        }
        ui.checkbox(&mut panel.is_replacing, "Replace committed days")
            .on_hover_text("Without it, a day that is already committed is left as it is");
        if !days.is_empty() {
            ui.label(theme::weak_small(ui, format!("takes {days}")));
        }
    });
    if days.is_empty() && can_export {
        ui.add(Label::new(theme::tone(ui, Tone::Warn, NO_DAYS)).wrap());
    }
    if let Some(path) = view.exported {
        ui.horizontal_wrapped(|ui| {
            let c = colors(ui);
            icon(ui, Icon::Check, c.good);
            ui.label(theme::body("Exported to"));
            ui.add(Label::new(theme::code(path)).wrap().selectable(true));
            if icon_button(ui, true, Icon::Copy, "Copy the spec's path").clicked() {
                commands.push(Command::CopyText(path.to_owned()));
            }
        });
    }
}

/// What comes out, how it is tested, and the same in Python.
fn facts_ui(ui: &mut Ui, view: &JobView<'_>, commands: &mut Vec<Command>) {
    if let Some(facts) = view.facts {
        let contract = facts.contract.as_deref().map_err(String::as_str);
        contract::contract_ui(ui, contract, view.is_facts_stale);
    }
    let outcomes = view
        .facts
        .filter(|_| !view.is_facts_stale)
        .map(|facts| facts.outcomes.as_slice());
    spec_tests::tests_ui(ui, &view.settings.tests, outcomes, commands);
    if let Some(facts) = view.facts {
        let names: Vec<&str> = view.recipe.steps.iter().map(|step| step.step.name()).collect();
        python::python_ui(ui, &facts.script, &names, commands);
    }
}

fn run_ui(ui: &mut Ui, view: &JobView<'_>, commands: &mut Vec<Command>) {
    if let Some(progress) = view.run.progress {
        card(ui, |ui| progress_ui(ui, progress, commands));
    }
    if let Some(message) = view.run.error {
        let problem = Problem {
            place: "The run failed",
            message,
            remedy: "Nothing half-written is visible: an output appears only by its commit. Mend the cause and run again.",
            action: None,
        };
        error_box(ui, problem);
    }
    if let Some(report) = view.run.report
        && view.run.progress.is_none()
    {
        result::result_ui(ui, &Report::read(report), commands);
    }
}

fn progress_ui(ui: &mut Ui, progress: &ProgressView, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.label(theme::strong("Running"));
        ui.label(theme::weak(ui, &progress.note));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if secondary_button(ui, true, "Cancel")
                .accessible_name("Cancel the run")
                .clicked()
            {
                commands.push(Command::CancelRun);
            }
            let done = match progress.n_total {
                Some(total) => format!("{} of {}", units::count(progress.n_done), units::count(total)),
                None => units::count(progress.n_done),
            };
            ui.label(theme::weak(
                ui,
                format!("{done}   {}", units::bytes(progress.n_bytes)),
            ));
        });
    });
    progress_bar(
        ui,
        ui.available_width(),
        progress.share(),
        Tone::Accent,
        "Progress of the run",
    );
}

fn spec_ui(ui: &mut Ui, view: &JobView<'_>, commands: &mut Vec<Command>) {
    let text = match view.spec {
        Ok(text) => text,
        Err(why) => {
            let problem = Problem {
                place: "The job cannot be exported yet",
                message: why,
                remedy: remedy(view, why),
                action: None,
            };
            error_box(ui, problem);
            return;
        }
    };
    card_with_head(
        ui,
        "Job spec",
        |ui| {
            badge(
                ui,
                Tone::Plain,
                &units::plural(text.lines().count() as u64, "line"),
            );
        },
        |ui| {
            if icon_button(ui, true, Icon::Copy, "Copy the spec").clicked() {
                commands.push(Command::CopyText(text.to_owned()));
            }
        },
        |ui| yaml_ui(ui, text),
    );
}

/// What to do about the reason, where the reason alone does not say it.
fn remedy(view: &JobView<'_>, why: &str) -> &'static str {
    if why == NoJob::NoSink.to_string() {
        "Fill in the sink folder at the left."
    } else if view.settings.name.is_empty() {
        "Give the job a name at the left."
    } else if why.contains("step") {
        "Mend the step in the recipe at the right, or switch it off."
    } else {
        ""
    }
}

/// Lines with their numbers; only those in view are laid out.
fn yaml_ui(ui: &mut Ui, text: &str) {
    let c = colors(ui);
    let lines: Vec<&str> = text.lines().collect();
    let height = ui.text_style_height(&egui::TextStyle::Monospace).max(size::ICON) + 2.0;
    let digits = lines.len().to_string().len();
    let visible = ui.clip_rect();
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::horizontal().id_salt("spec").show(ui, |ui| {
        for (at, line) in lines.iter().enumerate() {
            let top = ui.cursor().top();
            if top + height < visible.top() || top > visible.bottom() {
                ui.allocate_space(vec2(1.0, height));
                continue;
            }
            ui.horizontal(|ui| {
                ui.set_height(height);
                let number = RichText::new(format!("{:>digits$}", at + 1))
                    .font(theme::mono())
                    .color(c.weak);
                ui.label(number);
                ui.add(Label::new(highlighted(line, c)).extend().selectable(true));
            });
        }
    });
}

/// A line of YAML with its key in the colour of data and comments faint.
fn highlighted(line: &str, c: &theme::Colors) -> egui::text::LayoutJob {
    let mut job = egui::text::LayoutJob::default();
    let mut push = |text: &str, color| {
        job.append(text, 0.0, egui::TextFormat::simple(theme::mono(), color));
    };
    let trimmed = line.trim_start();
    if trimmed.starts_with('#') {
        push(line, c.weak);
    } else if let Some((key, rest)) = line
        .find(':')
        .and_then(|at| line.split_at_checked(at))
        .filter(|(key, _)| is_key(key))
    {
        push(key, c.data);
        push(rest, c.text);
    } else {
        push(line, c.text);
    }
    job
}

/// Whether the text before a colon is a key and not the inside of a value.
fn is_key(text: &str) -> bool {
    let key = text.trim_start_matches([' ', '-']);
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c))
}
