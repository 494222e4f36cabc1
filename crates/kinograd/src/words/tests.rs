use std::path::{Path, PathBuf};

use super::*;

fn trained() -> TrainedText {
    let words = "a and arms circle claps feet fist hand happily in jumps kicks left lies looks moving person \
                 right runs side sits someone steps still the turning twice up walks with zombie";
    TrainedText {
        words: words.split(' ').map(str::to_owned).collect(),
        counts: [("jumps", vec![2, 3]), ("kicks", vec![2])]
            .map(|(verb, numbers)| (verb.to_owned(), numbers))
            .into(),
        negations: vec!["move".to_owned(), "moving the feet".to_owned()],
    }
}

/// Which words each kind of warning names: unknown, negated, not counted.
fn named(text: &TrainedText, prompt: &str) -> [String; 3] {
    let mut named = [const { String::new() }; 3];
    for warning in TrainedWords::new(text).warnings(prompt) {
        let (kind, words) = match warning {
            Warning::UnknownWords { words, .. } => (0, words),
            Warning::Negation { words, .. } => (1, words),
            Warning::Uncounted { words, .. } => (2, words),
            other => panic!("{other}"),
        };
        assert!(named[kind].is_empty(), "one warning of a kind: {prompt}");
        named[kind] = words.join("|");
    }
    named
}

#[test]
fn a_prompt_within_the_training_is_not_warned_of_and_one_word_beyond_is() {
    let text = trained();
    for (fine, wrong, expected) in [
        // words
        (
            "a person walks",
            "a person pirouettes",
            ["pirouettes", "", ""],
        ),
        (
            "he is walking happily",
            "he is walking sadly",
            ["sadly", "", ""],
        ),
        ("a person's hands", "a man's wings", ["man|wings", "", ""]),
        (
            "people sat and ran with their fists",
            "people ate and ate with their forks",
            ["ate|forks", "", ""],
        ),
        (
            "a person turns left, then right",
            "a person turns clockwise, then to port",
            ["clockwise|port", "", ""],
        ),
        (
            "a zombie-person side-steps",
            "a vampire-person side-steps",
            ["vampire", "", ""],
        ),
        ("someone is lying still", "someone flies", ["flies", "", ""]),
        (
            "a person walks in circles",
            "人が歩く",
            ["人が歩く", "", ""],
        ),
        // negations
        (
            "someone does not move",
            "someone does not walk",
            ["", "not", ""],
        ),
        (
            "someone doesn’t move at all",
            "someone doesn’t run",
            ["", "doesn't", ""],
        ),
        (
            "a person jumps without moving his feet",
            "a person jumps without moving his arms",
            ["", "without", ""],
        ),
        (
            "a person stepped still",
            "a person never steps, nor kicks",
            ["", "never|nor", ""],
        ),
        (
            "a person with a hand",
            "a person with no hand",
            ["", "no", ""],
        ),
        // numbers
        (
            "a person kicks twice",
            "a person kicks three times",
            ["", "", "three times"],
        ),
        ("a person kicks 2x", "a person kicks 3x", ["", "", "3x"]),
        (
            "a person jumps three times",
            "a person walks three times",
            ["", "", "three times"],
        ),
        ("3 jumps", "5 jumps", ["", "", "5 jumps"]),
        (
            "a person jumps 2 times",
            "a person jumps once",
            ["", "", "once"],
        ),
        (
            "a person walks with two hands up",
            "a person runs with two steps up",
            ["", "", "two steps"],
        ),
        (
            "a person walks and then kicks twice",
            "a person kicks and then walks twice",
            ["", "", "twice"],
        ),
        (
            "a person jumps up and still up twice",
            "a person walks up and still up twice",
            ["", "", "twice"],
        ),
        (
            "a person jumps while running twice",
            "a person jumps while someone runs twice",
            ["", "", "twice"],
        ),
        (
            "a person jumps",
            "a person jumps 2 meters",
            ["meters", "", "2 meters"],
        ),
        (
            "a person runs on one",
            "a person runs for 180deg",
            ["", "", "180deg"],
        ),
    ] {
        assert_eq!(named(&text, fine), ["", "", ""], "{fine}");
        assert_eq!(named(&text, wrong), expected, "{wrong}");
    }
}

#[test]
fn a_word_is_named_once_and_case_and_final_marks_change_nothing() {
    let text = trained();
    let plain = named(
        &text,
        "a person moonwalks, then moonwalks four times and never sits",
    );
    assert_eq!(plain, ["moonwalks", "never", "four times"]);
    for other in [
        "A Person MOONWALKS, then moonwalks FOUR times and never sits!",
        " a person moonwalks, then moonwalks four times and never sits... ",
    ] {
        assert_eq!(named(&text, other), plain, "{other}");
    }
    assert_eq!(named(&text, "..."), ["", "", ""]);
}

#[test]
fn warnings_say_what_is_known_instead() {
    let text = trained();
    let said: Vec<String> = TrainedWords::new(&text)
        .warnings("he does not pirouette or somersault 4 times")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "the model was not trained on the words \"pirouette\" and \"somersault\" of \"he does not pirouette or \
             somersault 4 times\"",
            "the model does not understand \"not\" in \"he does not pirouette or somersault 4 times\" and may do \
             what it shall not: say what it shall do instead",
            "the model does not count \"4 times\" of \"he does not pirouette or somersault 4 times\"; it knows \
             jumps 2, 3; kicks 2",
        ]
    );
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn motion_base() -> serde_json::Value {
    serde_json::from_str(&read(&repository().join("models/motion-base/model.json"))).unwrap()
}

/// The strings in quotes after a word, such as the prompts of commands.
fn quoted_after(text: &str, word: &str) -> Vec<String> {
    let after = text.split(word).skip(1);
    let quoted =
        after.filter_map(|rest| Some(rest.strip_prefix('"')?.split_once('"')?.0.to_owned()));
    quoted.collect()
}

/// Prompts that people are shown: of the package, the README, the documents, the scenes and the test
/// of `python/train/obey.py`.
fn shown_prompts() -> Vec<String> {
    let model = motion_base();
    let known = model["known_prompts"].as_array().unwrap().iter();
    let mut prompts: Vec<String> = known.map(|p| p.as_str().unwrap().to_owned()).collect();
    assert!(prompts.len() > 100);
    let obey = quoted_after(&read(&repository().join("python/train/obey.py")), "\n    ");
    let obey: Vec<String> = obey
        .into_iter()
        .filter(|prompt| prompt.contains(' '))
        .collect();
    assert!(obey.len() >= 30, "{obey:?}");
    prompts.extend(obey);
    let documents = std::fs::read_dir(repository().join("docs")).unwrap();
    let mut documents: Vec<PathBuf> = documents.map(|entry| entry.unwrap().path()).collect();
    documents.push(repository().join("README.md"));
    // The page on troubles shows what is warned of.
    documents.retain(|path| {
        path.extension().is_some_and(|end| end == "md") && !path.ends_with("troubleshooting.md")
    });
    let mut commands = 0;
    for path in documents {
        let found = quoted_after(&read(&path), "kinograd generate ");
        commands += found.len();
        prompts.extend(found);
    }
    assert!(commands > 5, "{commands}");
    for entry in std::fs::read_dir(repository().join("assets/scenes")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "json") {
            prompts.extend(quoted_after(&read(&path), "\"text\": "));
        }
    }
    prompts
}

#[test]
fn no_prompt_that_is_shown_is_warned_of_by_the_package() {
    let text: TrainedText = serde_json::from_value(motion_base()["text"].clone()).unwrap();
    assert!(text.words.is_sorted() && text.words.len() > 300);
    let trained = TrainedWords::new(&text);
    let alarms: Vec<String> = shown_prompts()
        .iter()
        .flat_map(|prompt| trained.warnings(prompt))
        .map(|warning| warning.to_string())
        .collect();
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
    for (prompt, expected) in [
        ("a person does a moonwalk", ["moonwalk", "", ""]),
        ("a person does not kick", ["", "not", ""]),
        ("a person kicks seven times", ["", "", "seven times"]),
    ] {
        assert_eq!(named(&text, prompt), expected);
    }
}
