//! Undo and redo of every edit of a document, as a tree: what was undone before another edit is put aside, not lost.
//!
//! Where a person looks is no edit: opening a folder or a day stands in no list, and undo and redo stay at the open place.
//!
//! The main line runs from the oldest document kept, through the present one, to the last that can be redone. Lines that
//! branch off it are the edits put aside; going to one makes it the main line. The tree is bounded in documents and in
//! bytes: what was put aside longest ago is forgotten first, then the beginning of the main line.

use std::collections::BTreeMap;

use super::{Document, Edit};
use crate::transform::Recipe;

/// Documents kept for undo; older ones are forgotten.
const MAX_ENTRIES: usize = 500;

/// Bytes of documents kept for undo, as they would be written: learned vocabularies are large.
const MAX_BYTES: usize = 64 << 20;

/// A place in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(u64);

/// One document and the edit that made it.
#[derive(Debug, Clone)]
struct Node {
    /// None for the oldest document kept.
    parent: Option<u64>,
    /// None for the document that was opened.
    edit: Option<Edit>,
    document: Document,
    n_bytes: usize,
    /// The child that redo goes to.
    next: Option<u64>,
}

/// One line of the undo list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: EntryId,
    pub label: String,
    /// The present document is this one or a later one.
    pub is_done: bool,
}

/// Edits that were undone before another edit was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// The document after the last of them.
    pub id: EntryId,
    pub n_edits: usize,
    /// Of the first and of the last edit.
    pub first: String,
    pub last: String,
}

/// The document with what can be undone, redone and restored.
#[derive(Debug, Clone)]
pub struct History {
    document: Document,
    nodes: BTreeMap<u64, Node>,
    current: u64,
    newest: u64,
    n_bytes: usize,
    /// Set by every move and by [`History::seal`]: the next edit starts an entry of its own.
    is_sealed: bool,
    max_entries: usize,
    max_bytes: usize,
}

impl Default for History {
    fn default() -> Self {
        Self::new(Document::default())
    }
}

impl History {
    pub fn new(document: Document) -> Self {
        let n_bytes = written_bytes(&document);
        let root = Node {
            parent: None,
            edit: None,
            document: document.clone(),
            n_bytes,
            next: None,
        };
        Self {
            document,
            nodes: BTreeMap::from([(0, root)]),
            current: 0,
            newest: 0,
            n_bytes,
            is_sealed: false,
            max_entries: MAX_ENTRIES,
            max_bytes: MAX_BYTES,
        }
    }

    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Applies `edit`. An edit that changes nothing leaves no entry; one that continues the last joins its entry. What
    /// could be redone is put aside.
    pub fn apply(&mut self, edit: Edit) {
        if edit.is_of_place() {
            self.visit(&edit);
            return;
        }
        let mut document = self.document.clone();
        edit.apply(&mut document);
        if self.document == document {
            return;
        }
        let joins = !self.is_sealed
            && self.nodes.get(&self.current).is_some_and(|node| {
                node.next.is_none() && node.edit.as_ref().is_some_and(|last| edit.continues(last))
            });
        if joins {
            if let Some(node) = self.nodes.get_mut(&self.current) {
                node.edit = Some(edit);
            }
            self.replace_present(document);
        } else {
            let n_bytes = written_bytes(&document);
            self.newest += 1;
            let node = Node {
                parent: Some(self.current),
                edit: Some(edit),
                document: document.clone(),
                n_bytes,
                next: None,
            };
            if let Some(parent) = self.nodes.get_mut(&self.current) {
                parent.next = Some(self.newest);
            }
            self.nodes.insert(self.newest, node);
            self.current = self.newest;
            self.n_bytes += n_bytes;
            self.document = document;
        }
        self.is_sealed = false;
        self.forget_oldest();
    }

    /// Goes to another place. What can be undone, redone and restored stays as it is.
    fn visit(&mut self, edit: &Edit) {
        let mut document = self.document.clone();
        edit.apply(&mut document);
        if document != self.document {
            self.replace_present(document);
            self.seal();
        }
    }

    /// Changes the recipe as part of the last edit: what steps learned from the sample is no edit of its own.
    pub fn amend_recipe(&mut self, recipe: Recipe) {
        if self.document.recipe == recipe {
            return;
        }
        let mut document = self.document.clone();
        document.recipe = recipe;
        self.replace_present(document);
    }

    /// Ends the present entry: a field was left, so the next edit of it is an entry of its own.
    pub fn seal(&mut self) {
        self.is_sealed = true;
    }

    /// Takes the last entry back. Returns its label.
    pub fn undo(&mut self) -> Option<String> {
        let label = self.undo_label()?;
        let parent = self.nodes.get(&self.current)?.parent?;
        self.show(parent);
        Some(label)
    }

    /// Does the last undone entry again. Returns its label.
    pub fn redo(&mut self) -> Option<String> {
        let label = self.redo_label()?;
        let next = self.nodes.get(&self.current)?.next?;
        self.show(next);
        Some(label)
    }

    /// Goes to a document on the main line or to one put aside, whose line then is the main one. Returns whether it was
    /// still there.
    pub fn go_to(&mut self, id: EntryId) -> bool {
        if !self.nodes.contains_key(&id.0) {
            return false;
        }
        let mut child = id.0;
        while let Some(parent) = self.nodes.get(&child).and_then(|node| node.parent) {
            if let Some(node) = self.nodes.get_mut(&parent) {
                node.next = Some(child);
            }
            child = parent;
        }
        self.show(id.0);
        true
    }

    pub fn undo_label(&self) -> Option<String> {
        let node = self.nodes.get(&self.current)?;
        node.parent?;
        node.edit.as_ref().map(Edit::label)
    }

    pub fn redo_label(&self) -> Option<String> {
        let next = self.nodes.get(&self.current)?.next?;
        self.label(next)
    }

    /// The main line, oldest first. The first line is the oldest document kept.
    pub fn entries(&self) -> Vec<Entry> {
        let mut is_done = true;
        self.main_line()
            .into_iter()
            .enumerate()
            .map(|(at, id)| {
                let entry = Entry {
                    id: EntryId(id),
                    label: if at == 0 {
                        "the beginning".to_owned()
                    } else {
                        self.label(id).unwrap_or_default()
                    },
                    is_done,
                };
                is_done &= id != self.current;
                entry
            })
            .collect()
    }

    /// The lines that branch off the main one, newest first.
    pub fn asides(&self) -> Vec<Aside> {
        let main = self.main_line();
        let mut asides = Vec::new();
        for tip in self.leaves().into_iter().rev() {
            let (mut at, mut n_edits, mut first) = (tip, 0, tip);
            while !main.contains(&at) {
                n_edits += 1;
                first = at;
                let Some(parent) = self.nodes.get(&at).and_then(|node| node.parent) else {
                    break;
                };
                at = parent;
            }
            if n_edits > 0 {
                asides.push(Aside {
                    id: EntryId(tip),
                    n_edits,
                    first: self.label(first).unwrap_or_default(),
                    last: self.label(tip).unwrap_or_default(),
                });
            }
        }
        asides
    }

    fn label(&self, id: u64) -> Option<String> {
        self.nodes.get(&id)?.edit.as_ref().map(Edit::label)
    }

    fn show(&mut self, id: u64) {
        if let Some(node) = self.nodes.get(&id) {
            let mut document = node.document.clone();
            document.stay_at(&self.document);
            self.current = id;
            self.is_sealed = true;
            self.replace_present(document);
        }
    }

    fn replace_present(&mut self, document: Document) {
        if let Some(node) = self.nodes.get_mut(&self.current) {
            let n_bytes = written_bytes(&document);
            self.n_bytes = self.n_bytes - node.n_bytes + n_bytes;
            node.n_bytes = n_bytes;
            node.document.clone_from(&document);
        }
        self.document = document;
    }

    /// From the oldest document kept to the last that can be redone.
    fn main_line(&self) -> Vec<u64> {
        let up = |id: &u64| self.nodes.get(id).and_then(|node| node.parent);
        let down = |id: &u64| self.nodes.get(id).and_then(|node| node.next);
        let mut line: Vec<u64> = std::iter::successors(Some(self.current), up).collect();
        line.reverse();
        line.extend(std::iter::successors(Some(self.current), down).skip(1));
        line
    }

    fn leaves(&self) -> Vec<u64> {
        let parents: std::collections::BTreeSet<u64> =
            self.nodes.values().filter_map(|node| node.parent).collect();
        self.nodes
            .keys()
            .copied()
            .filter(|id| !parents.contains(id))
            .collect()
    }

    /// Forgets until the tree is within its bounds. The present document always stays.
    fn forget_oldest(&mut self) {
        while self.nodes.len() > self.max_entries || self.n_bytes > self.max_bytes {
            let main = self.main_line();
            let aside = self.leaves().into_iter().find(|leaf| !main.contains(leaf));
            let root = main.first().copied().filter(|root| *root != self.current);
            let undone = main.last().copied().filter(|last| *last != self.current);
            let Some(gone) = aside.or(root).or(undone) else {
                return;
            };
            let Some(node) = self.nodes.remove(&gone) else {
                return;
            };
            self.n_bytes -= node.n_bytes;
            for other in self.nodes.values_mut() {
                if other.next == Some(gone) {
                    other.next = None;
                }
                if other.parent == Some(gone) {
                    other.parent = None;
                }
            }
        }
    }
}

/// What the document takes when it is written, which is close to what it holds in memory.
fn written_bytes(document: &Document) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // A document that cannot be written is counted as far as it could be.
    drop(serde_json::to_writer(&mut count, document));
    count.0
}

#[cfg(test)]
mod tests {
    use super::History;
    use crate::session::{Document, Edit, JobSettings};
    use crate::transform::{Recipe, RecipeStep, Step};

    fn named(name: &str) -> Edit {
        Edit::SetJob(JobSettings {
            name: name.to_owned(),
            ..JobSettings::default()
        })
    }

    fn filter(text: &str) -> RecipeStep {
        RecipeStep::new(Step::from_params("filter", serde_json::json!({"where": text})).unwrap())
    }

    fn add(at: usize) -> Edit {
        Edit::InsertStep {
            at,
            step: filter("n > 0"),
        }
    }

    fn labels(history: &History) -> Vec<(String, bool)> {
        let entries = history.entries().into_iter().skip(1);
        entries.map(|entry| (entry.label, entry.is_done)).collect()
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

    #[test]
    fn an_edit_after_undo_puts_what_was_undone_aside_and_it_can_be_restored() {
        let mut history = History::default();
        history.apply(add(0));
        history.apply(add(1));
        history.apply(Edit::ToggleStep { at: 1 });
        let tip = history.document().clone();
        history.undo();
        history.undo();
        assert_eq!(history.asides(), [], "redo still goes there");
        history.apply(Edit::DeleteStep { at: 0 });
        assert_eq!(history.redo_label(), None);
        let asides = history.asides();
        assert_eq!(asides.len(), 1);
        assert_eq!(asides[0].n_edits, 2);
        assert_eq!(
            (asides[0].first.as_str(), asides[0].last.as_str()),
            ("add step 2 filter", "switch step 2")
        );

        assert!(history.go_to(asides[0].id));
        assert_eq!(history.document(), &tip);
        let expected = ["add step 1 filter", "add step 2 filter", "switch step 2"];
        assert_eq!(labels(&history), expected.map(|label| (label.to_owned(), true)));
        let asides = history.asides();
        assert_eq!(asides.len(), 1, "what was left is put aside in its place");
        assert_eq!(asides[0].last, "delete step 1");
        history.go_to(asides[0].id);
        assert_eq!(history.document().recipe.steps.len(), 0);
    }

    #[test]
    fn a_line_of_the_list_is_gone_to_and_the_rest_can_be_redone() {
        let mut history = History::default();
        for at in 0..3 {
            history.apply(add(at));
        }
        let entries = history.entries();
        assert!(history.go_to(entries[1].id));
        assert_eq!(history.document().recipe.steps.len(), 1);
        let done: Vec<bool> = labels(&history).into_iter().map(|(_, is_done)| is_done).collect();
        assert_eq!(done, [true, false, false]);
        assert_eq!(history.redo(), Some("add step 2 filter".to_owned()));
        history.go_to(entries[0].id);
        assert_eq!(history.document(), &Document::default());
    }

    #[test]
    fn undo_and_redo_leave_the_open_place_alone_and_opening_one_puts_nothing_aside() {
        let open = |path: &str| {
            Edit::Open(Some(crate::session::Source {
                location: path.parse().unwrap(),
                connection: crate::storage::Connection::default(),
            }))
        };
        let place = |history: &History| history.document().source.as_ref().map(|s| s.location.to_string());
        let mut history = History::default();
        history.apply(open("/lake/a"));
        assert_eq!(history.undo_label(), None, "there is no edit to undo");
        history.apply(add(0));
        history.apply(add(1));
        history.undo();
        history.apply(open("/lake/b"));
        assert_eq!(history.redo_label().as_deref(), Some("add step 2 filter"));
        history.undo();
        assert_eq!(history.document().recipe.steps.len(), 0);
        assert!(place(&history).unwrap().contains("/lake/b"));
        assert_eq!(history.undo(), None);
        history.redo();
        history.redo();
        assert_eq!(history.document().recipe.steps.len(), 2);
        assert!(place(&history).unwrap().contains("/lake/b"));
        assert_eq!(history.asides(), []);
    }

    #[test]
    fn several_edits_in_a_group_are_one_entry() {
        let mut history = History::default();
        history.apply(Edit::Group {
            label: "paste 2 steps".to_owned(),
            edits: vec![add(0), add(1)],
        });
        assert_eq!(history.document().recipe.steps.len(), 2);
        assert_eq!(history.undo(), Some("paste 2 steps".to_owned()));
        assert_eq!(history.document(), &Document::default());
        history.redo();
        assert_eq!(history.document().recipe.steps.len(), 2);
    }

    #[test]
    fn what_steps_learned_belongs_to_the_edit_that_caused_it() {
        let mut history = History::default();
        history.apply(add(0));
        let learned = Recipe {
            steps: vec![filter("n > 1")],
        };
        history.amend_recipe(learned.clone());
        assert_eq!(labels(&history), [("add step 1 filter".to_owned(), true)]);
        history.undo();
        assert_eq!(history.document(), &Document::default());
        history.redo();
        assert_eq!(history.document().recipe, learned);
    }

    #[test]
    fn what_was_put_aside_is_forgotten_first_then_the_beginning_and_the_present_document_never() {
        let mut history = History {
            max_entries: 4,
            ..History::default()
        };
        history.apply(add(0));
        history.apply(add(1));
        history.undo();
        history.apply(Edit::ToggleStep { at: 0 });
        assert_eq!(history.asides().len(), 1);
        history.apply(add(1));
        assert_eq!(history.asides(), [], "the line put aside made room");
        history.apply(add(2));
        assert_eq!(history.entries().len(), 4);
        let mut n_undone = 0;
        while history.undo().is_some() {
            n_undone += 1;
        }
        assert_eq!(n_undone, 3);
        assert_eq!(
            history.document().recipe.steps.len(),
            1,
            "the empty recipe was forgotten"
        );

        let mut history = History {
            max_bytes: 10,
            ..History::default()
        };
        history.apply(add(0));
        assert_eq!(history.document().recipe.steps.len(), 1);
        assert_eq!(history.undo(), None, "nothing else fits");
    }
}
