//! Undo and redo of every document change, with the labels that menus show.

use super::{Document, Edit};

/// Documents kept for undo; older ones are forgotten.
const MAX_UNDO: usize = 500;

#[derive(Debug, Clone)]
struct Past {
    before: Document,
    edit: Edit,
}

/// The document with what can be undone and redone.
#[derive(Debug, Clone, Default)]
pub struct History {
    document: Document,
    done: Vec<Past>,
    undone: Vec<Past>,
    /// Set by undo, redo and [`History::seal`]: the next edit starts an entry of its own.
    is_sealed: bool,
}

impl History {
    pub fn new(document: Document) -> Self {
        Self {
            document,
            ..Self::default()
        }
    }

    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Applies `edit`. An edit that changes nothing leaves no entry; one that continues the last joins its entry.
    pub fn apply(&mut self, edit: Edit) {
        let before = self.document.clone();
        edit.apply(&mut self.document);
        if self.document == before {
            return;
        }
        self.undone.clear();
        match self.done.last_mut() {
            Some(last) if !self.is_sealed && edit.continues(&last.edit) => last.edit = edit,
            _ => self.done.push(Past { before, edit }),
        }
        self.is_sealed = false;
        if self.done.len() > MAX_UNDO {
            self.done.remove(0);
        }
    }

    /// Ends the present entry: a field was left, so the next edit of it is an entry of its own.
    pub fn seal(&mut self) {
        self.is_sealed = true;
    }

    /// Takes the last entry back. Returns its label.
    pub fn undo(&mut self) -> Option<String> {
        let mut past = self.done.pop()?;
        std::mem::swap(&mut self.document, &mut past.before);
        let label = past.edit.label();
        self.undone.push(past);
        self.is_sealed = true;
        Some(label)
    }

    /// Does the last undone entry again. Returns its label.
    pub fn redo(&mut self) -> Option<String> {
        let mut past = self.undone.pop()?;
        std::mem::swap(&mut self.document, &mut past.before);
        let label = past.edit.label();
        self.done.push(past);
        self.is_sealed = true;
        Some(label)
    }

    pub fn undo_label(&self) -> Option<String> {
        self.done.last().map(|past| past.edit.label())
    }

    pub fn redo_label(&self) -> Option<String> {
        self.undone.last().map(|past| past.edit.label())
    }
}

#[cfg(test)]
mod tests {
    use super::History;
    use crate::session::{Document, Edit, JobSettings};

    fn named(name: &str) -> Edit {
        Edit::SetJob(JobSettings {
            name: name.to_owned(),
            ..JobSettings::default()
        })
    }

    #[test]
    fn typing_in_one_field_is_one_undo_and_leaving_it_starts_another() {
        let mut history = History::new(Document::default());
        for name in ["a", "ab", "abc"] {
            history.apply(named(name));
        }
        history.seal();
        history.apply(named("abcd"));
        assert_eq!(history.undo(), Some("edit the job".to_owned()));
        assert_eq!(history.document().job.name, "abc");
        history.undo();
        assert_eq!(history.document(), &Document::default());
        assert_eq!(history.undo(), None);
        history.redo();
        history.redo();
        assert_eq!(history.document().job.name, "abcd");
    }

    #[test]
    fn an_edit_that_changes_nothing_leaves_no_entry() {
        let mut history = History::new(Document::default());
        history.apply(Edit::DeleteStep { at: 7 });
        assert_eq!(history.undo_label(), None);
    }
}
