//! A window on a desk of its own: temporary folders, dialogs that answer, and a small lake on disk.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use skewer::gui::{App, FilePicker, Picked, Setup, Start};
use skewer::storage::Connection;
use tempfile::TempDir;

/// Answers dialogs in the order the test gave them.
#[derive(Debug, Clone, Default)]
pub struct Answers(Rc<RefCell<VecDeque<PathBuf>>>);

impl Answers {
    pub fn push(&self, path: impl Into<PathBuf>) {
        self.0.borrow_mut().push_back(path.into());
    }

    fn next(&self) -> Picked {
        let answer = self.0.borrow_mut().pop_front();
        Box::pin(async move { answer })
    }
}

impl FilePicker for Answers {
    fn asks_a_person(&self) -> bool {
        true
    }
    fn pick_folder(&self, _title: &str) -> Picked {
        self.next()
    }
    fn pick_file(&self) -> Picked {
        self.next()
    }
    fn pick_log(&self) -> Picked {
        self.next()
    }
    fn pick_session(&self) -> Picked {
        self.next()
    }
    fn pick_recipe(&self) -> Picked {
        self.next()
    }
    fn save_file(&self, _name: &str) -> Picked {
        self.next()
    }
}

pub struct Desk {
    pub harness: Harness<'static, Option<App>>,
    pub answers: Answers,
    pub folder: TempDir,
}

/// Where the status line begins.
const BOTTOM: f32 = 960.0;

/// How long anything may take, on a machine that compiles beside it.
const PATIENCE: Duration = Duration::from_mins(1);

impl Desk {
    /// A window on `location`, with the preferences and session of `folder`.
    pub fn open(folder: TempDir, location: Option<&Path>) -> Self {
        // The lake holds scripts that no built-in face has, and no system font is looked for.
        Self::build(folder, location, true)
    }

    /// As [`Desk::open`], but a character without a glyph fails the test.
    pub fn open_strict(folder: TempDir, location: &Path) -> Self {
        Self::build(folder, Some(location), false)
    }

    fn build(folder: TempDir, location: Option<&Path>, allows_missing_glyphs: bool) -> Self {
        let answers = Answers::default();
        let setup = Setup {
            start: Start {
                location: location.map(|path| path.display().to_string().parse().unwrap()),
                connection: Connection::default(),
            },
            config: Some(folder.path().join("config")),
            cache: folder.path().join("cache"),
            picker: Box::new(answers.clone()),
            has_system_fonts: false,
        };
        let mut builder = Harness::builder().with_size(egui::vec2(1600.0, 1000.0));
        if allows_missing_glyphs {
            builder = builder.allow_missing_glyphs();
        }
        let mut setup = Some(setup);
        let draw = move |ui: &mut egui::Ui, app: &mut Option<App>| match app {
            Some(app) => app.frame(ui),
            // Fonts are there from the next frame on.
            None => *app = setup.take().map(|setup| App::new(ui.ctx(), setup).unwrap()),
        };
        let harness = builder.build_ui_state(draw, None);
        Self {
            harness,
            answers,
            folder,
        }
    }

    /// Steps until `is_so`, yielding to background work between frames.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, mut is_so: impl FnMut(&Harness<'static, Option<App>>) -> bool) {
        let start = Instant::now();
        loop {
            self.harness.step();
            if is_so(&self.harness) {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{what} did not come; the window shows: {:#?}",
                self.labels()
            );
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// Waits for anything whose label contains `text`.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |harness| {
            harness.query_all_by_label_contains(text).next().is_some()
        });
    }

    #[track_caller]
    pub fn click(&mut self, label: &str) {
        self.wait_until(label, |harness| {
            harness.query_all_by_label(label).next().is_some()
        });
        let node = |harness: &Harness<'static, Option<App>>, is_click: bool| {
            let node = harness.query_all_by_label(label).next();
            let node = node.expect("it was there a frame ago");
            // A pointer reaches only what is in view.
            let is_below = node.rect().center().y > BOTTOM;
            if is_click {
                node.click();
            } else if is_below {
                node.scroll_to_me();
            }
            is_below
        };
        if node(&self.harness, false) {
            self.harness.run_steps(20);
        }
        node(&self.harness, true);
        self.harness.run_steps(3);
    }

    /// Clicks as assistive technology does: also what the page has to be scrolled for.
    #[track_caller]
    pub fn press(&mut self, label: &str) {
        self.wait_until(label, |harness| {
            harness.query_all_by_label(label).next().is_some()
        });
        self.harness
            .query_all_by_label(label)
            .next()
            .expect("it was there a frame ago")
            .click_accesskit();
        self.harness.run_steps(3);
    }

    /// Clicks the first control whose label starts with `start`.
    #[track_caller]
    pub fn click_starting(&mut self, start: &str) {
        self.wait_for(start);
        let label = self
            .labels()
            .into_iter()
            .find(|label| label.starts_with(start))
            .expect("a label that starts so");
        self.click(&label);
    }

    #[track_caller]
    pub fn focus(&mut self, label: &str) {
        self.wait_for(label);
        self.harness.get_by_label(label).focus();
        self.harness.run_steps(2);
    }

    /// Types into whatever has the focus.
    pub fn type_text(&mut self, text: &str) {
        self.harness.event(egui::Event::Text(text.to_owned()));
        self.harness.run_steps(3);
    }

    pub fn has(&self, text: &str) -> bool {
        self.harness.query_all_by_label_contains(text).next().is_some()
    }

    /// Closes the window and gives its desk to the next one, once what it saves is written.
    pub fn into_folder(mut self) -> TempDir {
        self.wait_idle();
        let Self { harness, folder, .. } = self;
        drop(harness);
        folder
    }

    /// Every label, for messages.
    pub fn labels(&self) -> Vec<String> {
        self.harness
            .query_all_by_label_contains("")
            .filter_map(|node| node.accesskit_node().label())
            .filter(|label| !label.is_empty())
            .collect()
    }

    /// Every text that stands in the window, of controls and beside them.
    pub fn texts(&self) -> Vec<String> {
        self.harness
            .query_all_by_label_contains("")
            .filter_map(|node| {
                node.accesskit_node()
                    .label()
                    .or_else(|| node.accesskit_node().value())
            })
            .collect()
    }

    pub fn app(&self) -> &App {
        self.harness
            .state()
            .as_ref()
            .expect("the window was built in the first frame")
    }

    #[track_caller]
    pub fn wait_idle(&mut self) {
        self.wait_until("the end of background work", |harness| {
            harness.state().as_ref().is_some_and(App::is_idle)
        });
        self.harness.run_steps(3);
    }
}

/// Three days with a gap before the last; titles in several scripts, one broken line.
pub fn lake(root: &Path) -> PathBuf {
    let raw = root.join("lake");
    for (day, n_rows) in [("01", 20), ("02", 24), ("04", 30)] {
        let folder = raw.join("2020/01").join(day);
        std::fs::create_dir_all(&folder).unwrap();
        let mut lines = String::new();
        for i in 0..n_rows {
            let title = ["Store Manager", "看護師", "infirmière"][i % 3];
            writeln!(
                lines,
                r#"{{"id":{i},"title":"{title}","salary":{},"posted_at":"2020-01-{day}T0{}:00:00Z"}}"#,
                i * 1000,
                i % 10
            )
            .unwrap();
        }
        if day == "02" {
            lines.push_str("{broken\n");
        }
        std::fs::write(folder.join("part-0.jsonl"), lines).unwrap();
    }
    raw
}

pub fn desk() -> TempDir {
    tempfile::tempdir().unwrap()
}
