//! The README is held to the code: its table of steps comes from the registry, its commands exist.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use skewer::transform::registry;

fn readme() -> String {
    fs::read_to_string("README.md").unwrap()
}

#[test]
fn the_table_of_steps_is_the_registry() {
    let mut table = "| step | does | runs |\n|---|---|---|\n".to_owned();
    for info in registry() {
        let scope = match info.scope {
            skewer::transform::Scope::Row => "row by row",
            skewer::transform::Scope::Fitted => "row by row, with learned values",
            skewer::transform::Scope::Partition => "on the whole partition",
        };
        writeln!(
            table,
            "| `{}` | {} | {scope} |",
            info.name,
            info.summary.trim_end_matches('.')
        )
        .unwrap();
    }
    assert!(
        readme().contains(&table),
        "README.md should hold this table:\n{table}"
    );
}

#[test]
fn every_subcommand_is_in_the_table_of_commands() {
    let output = Command::new(env!("CARGO_BIN_EXE_skewer"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands = help
        .split("Commands:")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let names: Vec<&str> = commands
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.contains(&"run"), "{help}");
    let readme = readme();
    for name in names.into_iter().filter(|name| *name != "help") {
        assert!(
            readme.contains(&format!("| `skewer {name} ")) || readme.contains(&format!("| `skewer {name}`")),
            "`{name}`"
        );
    }
}

#[test]
fn pictures_that_are_shown_exist() {
    let readme = readme();
    let pictures: Vec<&str> = readme
        .split("](assets/")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap())
        .collect();
    assert!(pictures.len() >= 2, "{pictures:?}");
    for picture in pictures {
        assert!(
            fs::metadata(format!("assets/{picture}")).unwrap().len() > 20_000,
            "{picture}"
        );
    }
}
