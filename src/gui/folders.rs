//! Where this platform keeps a program's settings and its cache.

use std::path::PathBuf;

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|path| path.is_absolute())
}

/// Preferences and the autosaved session. None where no home folder is known: then nothing is kept.
pub fn config() -> Option<PathBuf> {
    let base = if cfg!(target_os = "macos") {
        home()?.join("Library/Application Support")
    } else if cfg!(windows) {
        variable("APPDATA")?
    } else {
        variable("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")))?
    };
    Some(base.join("skewer"))
}

/// What can be made again, such as the sample data.
pub fn cache() -> PathBuf {
    let base = if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches"))
    } else if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else {
        variable("XDG_CACHE_HOME").or_else(|| Some(home()?.join(".cache")))
    };
    base.unwrap_or_else(std::env::temp_dir).join("skewer")
}
