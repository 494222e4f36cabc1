//! The words that this process was called by: those of [`crate::run`], which are not the process's own where
//! another program, such as Python, calls it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

static WORDS: OnceLock<Vec<OsString>> = OnceLock::new();

/// Keeps the words of the first call, and returns them.
pub fn keep(words: Vec<OsString>) -> &'static [OsString] {
    WORDS.get_or_init(|| words)
}

/// The command line as a shell reads it; none where it is no text.
pub fn command_line() -> Option<String> {
    let words = WORDS.get()?.iter().skip(1);
    let words: Option<Vec<&str>> = words.map(|word| word.to_str()).collect();
    let words = std::iter::once("kinograd").chain(words?);
    shlex::try_join(words).ok()
}

/// What starts this program again: the process's own file, or the script that another program runs.
pub fn program() -> Option<PathBuf> {
    let own = std::env::current_exe().ok();
    let script = WORDS.get().and_then(|words| words.first());
    let script = script.and_then(|word| std::path::absolute(word).ok());
    let is_this =
        |path: &PathBuf| path.is_file() && path.file_stem().is_some_and(|name| name == "kinograd");
    [own, script].into_iter().flatten().find(is_this)
}
