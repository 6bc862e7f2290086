//! The repository's own rules as small checks: the import table, module docs, no stubs, no switched-off tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may import, besides itself. The table of `src/lib.rs`, which a test compares with this one.
const TABLE: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("storage", &["base"]),
    ("dataset", &["base", "storage"]),
    ("transform", &["base", "dataset"]),
    ("profile", &["base", "storage", "dataset"]),
    ("explore", &["base", "storage", "dataset", "transform", "profile"]),
    ("chart", &["base", "storage", "profile"]),
    ("job", &["base", "storage", "dataset", "transform"]),
    (
        "run",
        &["base", "storage", "dataset", "transform", "profile", "job"],
    ),
    (
        "session",
        &["base", "storage", "dataset", "transform", "profile", "job"],
    ),
    ("task", &["base"]),
    ("sample", &["base"]),
    (
        "cli",
        &[
            "base",
            "storage",
            "dataset",
            "transform",
            "profile",
            "explore",
            "chart",
            "job",
            "run",
            "sample",
        ],
    ),
    (
        "gui",
        &[
            "base",
            "storage",
            "dataset",
            "transform",
            "profile",
            "explore",
            "chart",
            "job",
            "run",
            "session",
            "task",
            "sample",
        ],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no sources below {folder}");
    found
}

fn room_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    (inside.components().count() > 1).then(|| first.to_owned())
}

/// The rooms that `text` names: `crate::room`, grouped `crate::{a, b::c}`, and `super::super::room` from `depth` modules
/// below the crate's root. Comments do not count.
fn imported_rooms(text: &str, depth: usize) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ");
    let mut rooms = BTreeSet::new();
    let climb = "super::".repeat(depth);
    for prefix in ["crate::", climb.as_str()] {
        if prefix.is_empty() {
            continue;
        }
        let mut rest = code.as_str();
        while let Some(at) = rest.find(prefix) {
            let is_longer_climb = prefix != "crate::" && rest[..at].ends_with("super::");
            rest = &rest[at + prefix.len()..];
            if is_longer_climb || (prefix != "crate::" && rest.starts_with("super::")) {
                continue;
            }
            if let Some(group) = rest.strip_prefix('{') {
                rooms.extend(first_words_of_group(group));
            } else {
                rooms.insert(first_word(rest));
            }
        }
    }
    rooms
}

fn first_word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The first path segment of each entry of `{a::b, c::{d, e}}`, given the text after the opening brace.
fn first_words_of_group(text: &str) -> Vec<String> {
    let (mut depth, mut words, mut entry) = (0, Vec::new(), String::new());
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => words.push(first_word(std::mem::take(&mut entry).trim())),
            _ if depth == 0 => entry.push(c),
            _ => {}
        }
    }
    words.push(first_word(entry.trim()));
    words
}

#[test]
fn imports_are_found_in_every_form() {
    let found = |text, depth| imported_rooms(text, depth).into_iter().collect::<Vec<_>>();
    assert_eq!(found("use crate::run::Run;", 1), ["run"]);
    assert_eq!(
        found("use crate::{base::{Cancel, units}, job};", 1),
        ["base", "job"]
    );
    assert_eq!(found("use super::super::gui::App;", 2), ["gui"]);
    assert_eq!(found("use super::gui::App;", 1), ["gui"]);
    assert_eq!(found("use super::sibling::App;", 2), Vec::<String>::new());
    assert_eq!(
        found("// crate::gui\nlet x = crate::task::Slot::new();", 1),
        ["task"]
    );
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let names: BTreeSet<&str> = TABLE.iter().map(|(room, _)| *room).collect();
    let mut faults = Vec::new();
    for (path, text) in sources("src") {
        let Some(room) = room_of(&path) else { continue };
        let (_, allowed) = TABLE
            .iter()
            .find(|(name, _)| *name == room)
            .unwrap_or_else(|| panic!("`{room}` is not in the table of tests/it/tidy.rs"));
        let modules_below_root = path
            .strip_prefix(root().join("src"))
            .unwrap()
            .components()
            .count()
            - usize::from(path.file_name().is_some_and(|name| name == "mod.rs"));
        for imported in imported_rooms(&text, modules_below_root) {
            if names.contains(imported.as_str()) && imported != room && !allowed.contains(&imported.as_str())
            {
                faults.push(format!(
                    "{}: `{room}` must not import `{imported}`",
                    path.display()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_map_in_the_library_docs_is_this_table() {
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rooms_after = |line: &str| -> Option<(String, String)> {
        let cells: Vec<&str> = line
            .strip_prefix("//! |")?
            .trim_end_matches('|')
            .split('|')
            .map(str::trim)
            .collect();
        let [name, _, allowed] = cells[..] else {
            return None;
        };
        Some((name.trim_matches(['[', ']', '`']).to_owned(), allowed.to_owned()))
    };
    let rows: Vec<(String, String)> = map.lines().filter_map(rooms_after).collect();
    for (room, allowed) in TABLE {
        let (_, written) = rows
            .iter()
            .find(|(name, _)| name == room)
            .unwrap_or_else(|| panic!("`{room}` is not on the map"));
        let expected = match *room {
            "base" => "nothing".to_owned(),
            "cli" => "all but gui, task, session".to_owned(),
            "gui" => "all but cli".to_owned(),
            _ => allowed.join(" "),
        };
        assert_eq!(*written, expected, "the map's row of `{room}`");
    }
}

#[test]
fn only_the_window_knows_egui_and_only_one_module_is_unsafe() {
    for (path, text) in sources("src") {
        let room = room_of(&path);
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        if room.as_deref() != Some("gui") {
            for word in ["egui", "eframe", "rfd::"] {
                assert!(
                    !code.contains(word),
                    "{}: `{word}` belongs in gui",
                    path.display()
                );
            }
        }
        let is_bridge = path.ends_with("dataset/arrow_bridge.rs");
        assert!(
            is_bridge || !code.contains("unsafe "),
            "{}: unsafe code outside the audited bridge",
            path.display()
        );
    }
}

#[test]
fn files_open_with_what_they_answer_and_none_is_a_stub() {
    let stubs = ["todo!(", "unimplemented!(", "dbg!(", "#[ignore"];
    for folder in ["src", "tests"] {
        for (path, text) in sources(folder) {
            assert!(text.starts_with("//!"), "{}: no module doc", path.display());
            assert!(
                text.lines().count() <= 700,
                "{}: over 700 lines; what is its second question?",
                path.display()
            );
            if !path.ends_with("tidy.rs") {
                for stub in stubs {
                    assert!(!text.contains(stub), "{}: `{stub}`", path.display());
                }
            }
        }
    }
}

#[test]
fn the_top_level_holds_nothing_else() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "src",
        "assets",
        "sample_data",
        "tests",
        "target",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name.starts_with('.') || allowed.contains(&name.as_str()),
            "`{name}` at the top level"
        );
    }
}
