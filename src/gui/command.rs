//! Everything a person can ask the window to do.
//!
//! [`Command`] is one request with its values. [`CommandKind`] lists the requests that need no values, and gives each
//! its text, tooltip and shortcut once: menus, the palette, the shortcut overview and the tests come from it.

use std::ops::Range;

use egui::{Key, KeyboardShortcut, Modifiers};

use super::keys::KeysCommand;
use super::partitions::PartitionsCommand;
use super::plot::PictureExport;
use super::profile::ProfileCommand;
use super::runs::RunsCommand;
use super::second_data::InputReader;
use super::theme::{Theme, Tone};
use crate::session::{Edit, EntryId, Source};
use crate::storage::Connection;
use crate::task::TaskId;

/// The centre tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tab {
    #[default]
    Partitions,
    Data,
    Profile,
    Keys,
    Job,
    Runs,
}

/// One request, pushed by `ui()` and carried out by the next `logic()`.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Changes the document, undoably.
    Edit(Edit),
    /// A field was left: the next edit is an undo entry of its own.
    Seal,
    Undo,
    Redo,
    /// Goes to a line of the undo list, or to edits that were put aside.
    GoToEntry(EntryId),
    Open(Source),
    OpenFolderDialog,
    OpenFileDialog,
    Refresh,
    ShowTab(Tab),
    /// Anything of the Keys tab.
    Keys(KeysCommand),
    /// Asks for a file and draws a chart there.
    ExportPicture(Box<PictureExport>),
    /// Anything of the Profile tab.
    Profile(ProfileCommand),
    /// Shows the data after this many steps; none shows them after all steps.
    ShowStep(Option<usize>),
    /// Puts the recipe on the clipboard as a Python program.
    CopyPython,
    /// Makes a test of these rows of the page, as they are before any step.
    MakeTest(Range<usize>),
    /// Makes a test of the records that these shown rows came from.
    MakeTestOfShown(Range<usize>),
    DeleteTest(usize),
    /// Opens the editor of the step at this place and shows the data after it.
    OpenStep(usize),
    /// Shows the data before and after this step side by side; 1-based.
    CompareStep(usize),
    /// Asks for a file and writes the job spec there.
    Export,
    /// Runs the job here, in the background.
    RunHere {
        replace: bool,
    },
    CancelRun,
    /// Of the Runs tab.
    Runs(RunsCommand),
    /// Shows the form that adds a second dataset, for what is going to read it.
    ShowAddInput(InputReader),
    /// Looks at a second dataset and adds it to the document.
    AddInput {
        name: String,
        location: String,
        reader: InputReader,
    },
    /// Asks for the folder of a second dataset.
    ChooseInput,
    /// Asks for the folder of the table.
    ChooseSink,
    CancelTask(TaskId),
    Partitions(PartitionsCommand),
    CopyText(String),
    /// A sentence for the status line.
    Say(Tone, String),
    /// Asks for a file and takes its recipe.
    OpenRecipeDialog,
    /// Asks for a file and writes the recipe there.
    SaveRecipeAs,
    /// Puts all steps on the clipboard, as YAML.
    CopySteps,
    /// Adds the steps on the clipboard.
    PasteSteps,
    /// Opens the place that a person typed or pasted, by this connection.
    GoTo(String, Connection),
    OpenSampleData,
    OpenSessionDialog,
    Save,
    SaveAs,
    GoBack,
    GoForward,
    GoUp,
    EditAddress,
    /// Shows the form that adds an S3 connection.
    AddConnection,
    /// Takes a source off the list.
    Forget(Source),
    SetTheme(Theme),
    ZoomIn,
    ZoomOut,
    ZoomReset,
    ToggleSources,
    ToggleRecipe,
    ToggleActivity,
    /// Shows or hides figures under the names of columns.
    ToggleColumnFigures,
    ShowPalette,
    ShowShortcuts,
    Quit,
}

/// The requests without values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandKind {
    OpenFolder,
    OpenFile,
    OpenSampleData,
    AddConnection,
    OpenSession,
    Save,
    SaveAs,
    OpenRecipe,
    SaveRecipeAs,
    Export,
    CopyPython,
    RunHere,
    Quit,
    Undo,
    Redo,
    CopySteps,
    PasteSteps,
    EditAddress,
    GoBack,
    GoForward,
    GoUp,
    Refresh,
    ShowPartitions,
    ShowData,
    ShowProfile,
    ShowKeys,
    ShowJob,
    ShowRuns,
    OpenLog,
    ToggleSources,
    ToggleRecipe,
    ToggleActivity,
    ZoomIn,
    ZoomOut,
    ZoomReset,
    ThemeSystem,
    ThemeLight,
    ThemeDark,
    ShowPalette,
    ShowShortcuts,
}

/// What is said of a request, in one place.
struct About {
    command: Command,
    text: &'static str,
    tooltip: &'static str,
    /// The first one is shown; the others work too.
    shortcuts: &'static [KeyboardShortcut],
}

const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const fn ctrl_shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), key)
}

const fn alt(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::ALT, key)
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

impl CommandKind {
    pub const ALL: [Self; 40] = [
        Self::OpenFolder,
        Self::OpenFile,
        Self::OpenSampleData,
        Self::AddConnection,
        Self::OpenSession,
        Self::Save,
        Self::SaveAs,
        Self::OpenRecipe,
        Self::SaveRecipeAs,
        Self::Export,
        Self::CopyPython,
        Self::RunHere,
        Self::Quit,
        Self::Undo,
        Self::Redo,
        Self::CopySteps,
        Self::PasteSteps,
        Self::EditAddress,
        Self::GoBack,
        Self::GoForward,
        Self::GoUp,
        Self::Refresh,
        Self::ShowPartitions,
        Self::ShowData,
        Self::ShowProfile,
        Self::ShowKeys,
        Self::ShowJob,
        Self::ShowRuns,
        Self::OpenLog,
        Self::ToggleSources,
        Self::ToggleRecipe,
        Self::ToggleActivity,
        Self::ZoomIn,
        Self::ZoomOut,
        Self::ZoomReset,
        Self::ThemeSystem,
        Self::ThemeLight,
        Self::ThemeDark,
        Self::ShowPalette,
        Self::ShowShortcuts,
    ];

    pub fn command(self) -> Command {
        self.about().command
    }

    /// As menus write it.
    pub fn text(self) -> &'static str {
        self.about().text
    }

    pub fn tooltip(self) -> &'static str {
        self.about().tooltip
    }

    pub fn shortcuts(self) -> &'static [KeyboardShortcut] {
        self.about().shortcuts
    }

    /// The shortcut as people write it, such as `Ctrl+K`; empty without one.
    pub fn shortcut_text(self, ctx: &egui::Context) -> String {
        self.shortcuts()
            .first()
            .map(|shortcut| ctx.format_shortcut(shortcut))
            .unwrap_or_default()
    }

    /// Whether a focused text field uses the same keys, and then keeps them.
    pub fn yields_to_text(self) -> bool {
        matches!(
            self,
            Self::Undo | Self::Redo | Self::GoBack | Self::GoForward | Self::GoUp
        )
    }

    #[allow(clippy::too_many_lines, reason = "one table, one line or two an entry")]
    fn about(self) -> About {
        let (command, text, tooltip, shortcuts): (_, _, _, &[KeyboardShortcut]) = match self {
            Self::OpenFolder => (
                Command::OpenFolderDialog,
                "Open folder…",
                "Opens a folder of partitions on this machine",
                const { &[ctrl(Key::O)] },
            ),
            Self::OpenFile => (
                Command::OpenFileDialog,
                "Open file…",
                "Opens one JSON Lines or Parquet file",
                const { &[ctrl_shift(Key::O)] },
            ),
            Self::OpenSampleData => (
                Command::OpenSampleData,
                "Open sample data",
                "Opens the small lake that comes with Skewer",
                &[],
            ),
            Self::AddConnection => (
                Command::AddConnection,
                "Add S3 connection…",
                "Opens a bucket by profile, region and endpoint",
                const { &[ctrl_shift(Key::N)] },
            ),
            Self::OpenSession => (
                Command::OpenSessionDialog,
                "Open session…",
                "Opens a saved source, recipe and job",
                &[],
            ),
            Self::Save => (
                Command::Save,
                "Save session",
                "Saves source, recipe and job",
                const { &[ctrl(Key::S)] },
            ),
            Self::SaveAs => (
                Command::SaveAs,
                "Save session as…",
                "Saves source, recipe and job to another file",
                const { &[ctrl_shift(Key::S)] },
            ),
            Self::OpenRecipe => (
                Command::OpenRecipeDialog,
                "Open recipe…",
                "Takes the steps of a recipe file, a job spec or a session",
                &[],
            ),
            Self::SaveRecipeAs => (
                Command::SaveRecipeAs,
                "Save recipe as…",
                "Writes the steps to a file of their own",
                &[],
            ),
            Self::Export => (
                Command::Export,
                "Export job…",
                "Writes the job spec that `skewer run` takes",
                const { &[ctrl(Key::E)] },
            ),
            Self::CopyPython => (
                Command::CopyPython,
                "Copy as polars (Python)",
                "A program for polars from PyPI that reads the same rows and applies the same steps",
                &[],
            ),
            Self::RunHere => (
                Command::RunHere { replace: false },
                "Run here",
                "Runs the job on this machine, in the background",
                const { &[ctrl(Key::Enter)] },
            ),
            Self::Quit => (
                Command::Quit,
                "Quit",
                "Closes the window; the session is kept",
                const { &[ctrl(Key::Q)] },
            ),
            Self::Undo => (
                Command::Undo,
                "Undo",
                "Takes the last change back",
                const { &[ctrl(Key::Z)] },
            ),
            Self::Redo => (
                Command::Redo,
                "Redo",
                "Does the undone change again",
                const { &[ctrl_shift(Key::Z), ctrl(Key::Y)] },
            ),
            Self::CopySteps => (
                Command::CopySteps,
                "Copy all steps",
                "Puts the recipe on the clipboard as YAML",
                &[],
            ),
            Self::PasteSteps => (
                Command::PasteSteps,
                "Paste steps",
                "Adds steps that were copied as YAML, here or in another window",
                &[],
            ),
            Self::EditAddress => (
                Command::EditAddress,
                "Go to address",
                "Type or paste a path or s3://bucket/prefix/",
                const { &[ctrl(Key::L)] },
            ),
            Self::GoBack => (
                Command::GoBack,
                "Back",
                "To the place before",
                const { &[alt(Key::ArrowLeft)] },
            ),
            Self::GoForward => (
                Command::GoForward,
                "Forward",
                "To the place after",
                const { &[alt(Key::ArrowRight)] },
            ),
            Self::GoUp => (
                Command::GoUp,
                "Up",
                "To the dataset, then to the folder above",
                const { &[alt(Key::ArrowUp)] },
            ),
            Self::Refresh => (
                Command::Refresh,
                "Refresh",
                "Lists the source again and reads the open rows again",
                const { &[plain(Key::F5), ctrl(Key::R)] },
            ),
            Self::ShowPartitions => (
                Command::ShowTab(Tab::Partitions),
                "Show partitions",
                "Files and bytes of each partition, and where they are skewed",
                const { &[ctrl(Key::Num1)] },
            ),
            Self::ShowData => (
                Command::ShowTab(Tab::Data),
                "Show data",
                "Rows after the recipe's steps",
                const { &[ctrl(Key::Num2)] },
            ),
            Self::ShowProfile => (
                Command::ShowTab(Tab::Profile),
                "Show profile",
                "What each column holds, drift between days, and the schema map",
                const { &[ctrl(Key::Num3)] },
            ),
            Self::ShowKeys => (
                Command::ShowTab(Tab::Keys),
                "Show keys",
                "How skewed a shuffle by a key would be, and what helps",
                const { &[ctrl(Key::Num4)] },
            ),
            Self::ShowJob => (
                Command::ShowTab(Tab::Job),
                "Show job",
                "The job spec, its export and its run",
                const { &[ctrl(Key::Num5)] },
            ),
            Self::ShowRuns => (
                Command::ShowTab(Tab::Runs),
                "Show runs",
                "What Spark applications and our own runs did",
                const { &[ctrl(Key::Num6)] },
            ),
            Self::OpenLog => (
                Command::Runs(RunsCommand::ChooseFile),
                "Open event log…",
                "Opens a Spark event log, or the report of a run",
                &[],
            ),
            Self::ToggleSources => (
                Command::ToggleSources,
                "Connections panel",
                "Shows or hides the panel at the left",
                const { &[ctrl(Key::B)] },
            ),
            Self::ToggleRecipe => (
                Command::ToggleRecipe,
                "Recipe panel",
                "Shows or hides the panel at the right",
                const { &[ctrl_shift(Key::B)] },
            ),
            Self::ToggleActivity => (
                Command::ToggleActivity,
                "Activity panel",
                "Shows or hides the list of background work",
                const { &[ctrl(Key::J)] },
            ),
            Self::ZoomIn => (
                Command::ZoomIn,
                "Zoom in",
                "Makes everything larger",
                const { &[ctrl(Key::Plus), ctrl(Key::Equals)] },
            ),
            Self::ZoomOut => (
                Command::ZoomOut,
                "Zoom out",
                "Makes everything smaller",
                const { &[ctrl(Key::Minus)] },
            ),
            Self::ZoomReset => (
                Command::ZoomReset,
                "Actual size",
                "Sets the zoom back to 100%",
                const { &[ctrl(Key::Num0)] },
            ),
            Self::ThemeSystem => (
                Command::SetTheme(Theme::System),
                "Theme: system",
                "Follows the desktop's theme",
                &[],
            ),
            Self::ThemeLight => (
                Command::SetTheme(Theme::Light),
                "Theme: light",
                "Dark text on light",
                &[],
            ),
            Self::ThemeDark => (
                Command::SetTheme(Theme::Dark),
                "Theme: dark",
                "Light text on dark",
                &[],
            ),
            Self::ShowPalette => (
                Command::ShowPalette,
                "Commands…",
                "Finds a command by a few letters of its name",
                const { &[ctrl(Key::K), ctrl_shift(Key::P)] },
            ),
            Self::ShowShortcuts => (
                Command::ShowShortcuts,
                "Keyboard shortcuts",
                "Lists every shortcut",
                const { &[plain(Key::F1)] },
            ),
        };
        About {
            command,
            text,
            tooltip,
            shortcuts,
        }
    }
}

/// Takes the commands whose shortcuts were pressed out of the input, so that no widget sees those keys.
///
/// Shortcuts with more modifiers are looked at first, because egui lets `Ctrl+Z` match while Shift is held.
///
/// While a step of the recipe has the keyboard, Alt+↑ moves that step.
pub fn take_shortcuts(ctx: &egui::Context, is_on_step: bool) -> Vec<Command> {
    let is_typing = ctx.text_edit_focused();
    let mut pairs: Vec<_> = CommandKind::ALL
        .into_iter()
        .filter(|kind| !(is_typing && kind.yields_to_text()))
        .filter(|kind| !(is_on_step && *kind == CommandKind::GoUp))
        .flat_map(|kind| kind.shortcuts().iter().map(move |shortcut| (kind, shortcut)))
        .collect();
    pairs.sort_by_key(|(_, shortcut)| !shortcut.modifiers.shift);
    let pressed: Vec<CommandKind> = ctx.input_mut(|input| {
        pairs
            .into_iter()
            .filter(|(_, shortcut)| input.consume_shortcut(shortcut))
            .map(|(kind, _)| kind)
            .collect()
    });
    pressed.into_iter().map(CommandKind::command).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use egui::{Key, Modifiers};

    use super::CommandKind;

    #[test]
    fn no_two_commands_share_a_shortcut_and_none_takes_a_text_key() {
        let mut owners = HashMap::new();
        for kind in CommandKind::ALL {
            for shortcut in kind.shortcuts() {
                let other = owners.insert((shortcut.modifiers, shortcut.logical_key), kind);
                assert_eq!(other, None, "{kind:?}: {shortcut:?}");
            }
        }
        for key in [Key::A, Key::C, Key::V, Key::X] {
            assert!(
                !owners.contains_key(&(Modifiers::COMMAND, key)),
                "{key:?} belongs to text"
            );
        }
    }

    #[test]
    fn every_command_is_listed_once_with_a_text_and_a_tooltip() {
        for (i, kind) in CommandKind::ALL.into_iter().enumerate() {
            assert!(!kind.text().is_empty() && !kind.tooltip().is_empty(), "{kind:?}");
            assert_eq!(CommandKind::ALL.iter().position(|other| *other == kind), Some(i));
        }
    }
}
