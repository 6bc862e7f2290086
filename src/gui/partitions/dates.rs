//! Which dates are looked at, and which they are compared with.

use egui::Ui;

use super::PartitionsPanel;
use crate::gui::listed::ListedDataset;
use crate::gui::theme::{space, weak, weak_small};
use crate::gui::widgets::{card_button, labelled_field, secondary_button};
use crate::storage::DateRange;

/// Two ranges as they are typed.
#[derive(Debug, Default)]
pub struct DatesForm {
    /// The dataset that they are meant for.
    dataset: String,
    range: String,
    against: String,
}

/// A text's range; none for an empty text.
fn read(text: &str) -> Result<Option<DateRange>, String> {
    match text.trim() {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|error: crate::storage::DateRangeError| error.to_string()),
    }
}

impl DatesForm {
    /// The ranges of a dataset, as far as they can be read.
    pub fn ranges_of(&self, dataset: &str) -> (Option<DateRange>, Option<DateRange>) {
        if self.dataset != dataset {
            return (None, None);
        }
        let range = |text: &str| read(text).ok().flatten();
        (range(&self.range), range(&self.against))
    }

    fn set(&mut self, range: Option<DateRange>, against: Option<DateRange>) {
        let text = |range: Option<DateRange>| range.map(|range| range.to_string()).unwrap_or_default();
        self.range = text(range);
        self.against = text(against);
    }

    /// As a button says it.
    fn title(&self) -> String {
        let (range, against) = self.ranges_of(&self.dataset);
        let range = range.map_or_else(|| "all".to_owned(), |range| range.to_string());
        match against {
            Some(against) => format!("Dates: {range} against {against}"),
            None => format!("Dates: {range}"),
        }
    }
}

/// The line above the bars. Datasets without dates have none. `all` are the dates of the whole dataset.
pub fn dates_ui(ui: &mut Ui, dataset: &ListedDataset, panel: &mut PartitionsPanel) {
    let Some((first, last)) = dataset.keys.dates() else {
        return;
    };
    let form = &mut panel.dates;
    if form.dataset != dataset.keys.prefix {
        *form = DatesForm {
            dataset: dataset.keys.prefix.clone(),
            ..DatesForm::default()
        };
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        let title = form.title();
        card_button(ui, "dates", &title, |ui| {
            ui.set_width(320.0);
            form_ui(ui, form, DateRange::new(first, last));
        });
        if form.range.is_empty() && form.against.is_empty() {
            ui.label(weak_small(ui, format!("{first} to {last}")));
        } else if ui.button("All dates").clicked() {
            form.set(None, None);
        }
    });
}

fn form_ui(ui: &mut Ui, form: &mut DatesForm, all: DateRange) {
    let error = read(&form.range).err();
    labelled_field(ui, &mut form.range, "Dates", "all dates", error.as_deref());
    let error = read(&form.against).err();
    labelled_field(ui, &mut form.against, "Compare with", "nothing", error.as_deref());
    ui.label(weak(ui, "2020-01-01..2020-01-31, 2020-01 or 2020-01-01.."));
    ui.horizontal_wrapped(|ui| {
        for n_days in [7_u64, 28] {
            let recent = all.last.and_then(|last| {
                let first = last.checked_sub_days(chrono::Days::new(n_days - 1))?;
                Some(DateRange::new(first, last))
            });
            let label = format!("Last {n_days} days");
            if let Some(recent) = recent
                && secondary_button(ui, true, &label).clicked()
            {
                form.set(Some(recent), None);
            }
        }
        let range = read(&form.range).ok().flatten().unwrap_or(all);
        let before = range.before();
        if secondary_button(ui, before.is_some(), "Against the days before")
            .on_hover_text("The range of the same length just before")
            .clicked()
        {
            form.set(Some(range), before);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::DatesForm;

    #[test]
    fn ranges_belong_to_their_dataset_and_slips_count_as_none() {
        let mut form = DatesForm {
            dataset: "raw/".to_owned(),
            range: "2020-01".to_owned(),
            against: "2019-1".to_owned(),
        };
        assert_eq!(form.title(), "Dates: 2020-01-01..2020-01-31");
        assert!(form.ranges_of("raw/").0.is_some() && form.ranges_of("raw/").1.is_none());
        assert_eq!(form.ranges_of("clicks/"), (None, None));
        form.against = "2019-12".to_owned();
        assert_eq!(
            form.title(),
            "Dates: 2020-01-01..2020-01-31 against 2019-12-01..2019-12-31"
        );
        form.set(None, None);
        assert_eq!(form.title(), "Dates: all");
    }
}
