//! Numbers in a prompt: how often something is done, how far, for how long.

/// Words for numbers.
const NUMBERS: &[(&str, u32)] = &[
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("twenty", 20),
    ("hundred", 100),
];
/// Words that count by themselves.
const TIMES: &[(&str, u32)] = &[("once", 1), ("twice", 2), ("thrice", 3)];

/// Parts of the body: "two hands" counts nothing that is done.
const PARTS: &[&str] = &[
    "hand",
    "hands",
    "arm",
    "arms",
    "leg",
    "legs",
    "foot",
    "feet",
    "fist",
    "fists",
    "knee",
    "knees",
    "elbow",
    "elbows",
    "finger",
    "fingers",
    "shoulder",
    "shoulders",
    "handed",
    "footed",
    "legged",
];

/// A number in a part of a prompt.
#[derive(Debug, PartialEq)]
pub(super) struct Count<'a> {
    /// What it is; `None` where it is more than a number, such as `180deg`.
    pub number: Option<u32>,
    /// What there are so many of, unless it is times.
    pub of: Option<&'a str>,
    /// The words that say so.
    pub words: String,
}

/// Whether a word is a number, and so no word that could be trained on by itself.
pub(super) fn is_number(word: &str) -> bool {
    value(word).is_some() || TIMES.iter().any(|(name, _)| *name == word) || is_times(word)
}

fn is_times(word: &str) -> bool {
    matches!(word, "time" | "times")
}

/// Whether a word is a number, and which: digits with other letters than an x are none that counts.
fn value(word: &str) -> Option<Option<u32>> {
    let named = NUMBERS.iter().find(|(name, _)| *name == word);
    match named {
        Some((_, number)) => Some(Some(*number)),
        None if word.starts_with(|c: char| c.is_numeric()) => {
            Some(word.strip_suffix('x').unwrap_or(word).parse().ok())
        }
        None => None,
    }
}

/// The numbers of a part of a prompt.
pub(super) fn counts(clause: &[String]) -> Vec<Count<'_>> {
    let mut found = Vec::new();
    for (index, word) in clause.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| clause[before].as_str());
        let next = clause.get(index + 1).map(String::as_str);
        let once = TIMES.iter().find(|(name, _)| name == word);
        let (number, of) = if let Some((_, number)) = once {
            if before == Some("at") {
                continue;
            }
            (Some(*number), None)
        } else if word == "one" && next.is_some_and(is_times) {
            (Some(1), next)
        } else if let Some(number) = value(word) {
            (number, next)
        } else {
            continue;
        };
        // "a forty-five degree turn" is words like others.
        let is_angle = of.is_some_and(|of| of.starts_with("degree"));
        let is_spelled = !word.starts_with(|c: char| c.is_numeric());
        if of.is_some_and(|of| PARTS.contains(&of)) || (is_angle && is_spelled) {
            continue;
        }
        found.push(Count {
            number,
            words: of.map_or_else(|| word.clone(), |of| format!("{word} {of}")),
            of: of.filter(|of| !is_times(of)),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_with_what_they_count() {
        for (words, expected) in [
            ("jumps three times", "Some(3) None three times"),
            ("jumps twice", "Some(2) None twice"),
            ("jumps once", "Some(1) None once"),
            ("kicks one time", "Some(1) None one time"),
            ("5 jumps", "Some(5) Some(\"jumps\") 5 jumps"),
            ("kicks 3x", "Some(3) None 3x"),
            ("walks 10 meters", "Some(10) Some(\"meters\") 10 meters"),
            ("turns 180deg", "None None 180deg"),
            ("jumps 99999999999 times", "None None 99999999999 times"),
            ("kicks twice with the left leg", "Some(2) None twice"),
            ("makes a forty five degree turn", ""),
            ("turns 90 degrees", "Some(90) Some(\"degrees\") 90 degrees"),
            ("waves with two hands", ""),
            ("stands on one leg", ""),
            ("stops at once", ""),
            ("walks", ""),
        ] {
            let clause: Vec<String> = words.split(' ').map(str::to_owned).collect();
            let found = counts(&clause);
            let found: Vec<String> = found
                .iter()
                .map(|count| format!("{:?} {:?} {}", count.number, count.of, count.words))
                .collect();
            assert_eq!(found.join("; "), expected, "{words}");
        }
    }
}
