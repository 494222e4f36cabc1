//! The list of commands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

/// `commands.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Words after every command of a kind, by the kind.
    pub common: BTreeMap<String, String>,
    /// Keys of a kind's report whose numbers count, by the kind.
    pub keys: BTreeMap<String, Vec<String>>,
    /// By name; `close` is every command's that names no other.
    pub tolerances: BTreeMap<String, Bounds>,
    /// The commands.
    pub commands: Vec<Command>,
}

/// How far numbers may be from the recorded ones: absolute plus a share of the recorded number.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Of joints and arrays (absolute, relative).
    pub arrays: [f64; 2],
    /// Of pixels, in levels of 255 (absolute, relative).
    pub pixels: [f64; 2],
    /// Of numbers of reports (absolute, relative).
    pub reports: [f64; 2],
}

/// A command and what it leaves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Its name, and that of its values.
    pub name: String,
    /// Its words; `'` holds words together, `{scenes}` and the like are folders of the repository.
    pub run: String,
    /// Commands before it in the same folder, whose report goes to the file of that name.
    #[serde(default)]
    pub first: Vec<First>,
    /// Files that it leaves, all of them, those of the commands before it too.
    #[serde(default)]
    pub files: Vec<String>,
    /// Files beside those that show times, as plots of benchmarks do: they are read, not compared.
    #[serde(default)]
    pub timed: Vec<String>,
    /// Name of its tolerance.
    #[serde(default)]
    pub tolerance: Option<String>,
    /// Why the tolerance is not the usual one.
    #[serde(default)]
    pub why: Option<String>,
}

/// A command before another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct First {
    /// Its words.
    pub run: String,
    /// Where its report is kept for the command.
    #[serde(default)]
    pub report: Option<String>,
}

impl List {
    /// Reads and checks it.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let list: Self = serde_json::from_str(&text).unwrap();
        let mut names = BTreeSet::new();
        for command in &list.commands {
            let name = &command.name;
            assert!(names.insert(name), "{name} is there twice");
            let tolerance = command.tolerance.as_deref().unwrap_or("close");
            assert!(
                list.tolerances.contains_key(tolerance),
                "{name}: {tolerance}"
            );
            assert_eq!(
                command.tolerance.is_some(),
                command.why.is_some(),
                "{name}: a tolerance of its own has a reason"
            );
            let is_reported = list.keys.contains_key(&kind(&words(&command.run)));
            assert!(
                is_reported || !command.files.is_empty(),
                "{name} makes nothing"
            );
        }
        list
    }

    /// How far a command's numbers may be off.
    pub fn tolerance(&self, command: &Command) -> Bounds {
        self.tolerances[command.tolerance.as_deref().unwrap_or("close")]
    }
}

/// The kind of a command: its words before the first option or value.
pub fn kind(words: &[String]) -> String {
    const OF_TWO: [&str; 5] = ["bench", "eval", "models", "runtime", "dataset"];
    let of = if OF_TWO.contains(&words[0].as_str()) {
        2
    } else {
        1
    };
    words[..of].join(" ")
}

/// Splits at spaces that are not between `'`.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn words_are_split_at_spaces_outside_quotes() {
    let expected = ["generate", "a person walks", "--then", "b@1", "-q"];
    assert_eq!(words("generate 'a person walks' --then 'b@1' -q"), expected);
    let of = |text: &str| kind(&words(text));
    assert_eq!(of("bench tune --calls 1"), "bench tune");
    assert_eq!(of("render a.glb"), "render");
}
