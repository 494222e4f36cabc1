//! How long a clip is that nothing is said of.

use super::limits::DEFAULT_DURATION_SECS;

/// Lengths by words, as JSON: `words` that a prompt's words begin with, the `prompts` that were
/// measured, and the length that follows.
const TABLE: &str = include_str!("lengths.json");
/// Words of ways to travel: what is done on the way has no length of its own.
const TRAVELS: [&str; 9] = [
    "walk", "jog", "run", "step", "crawl", "skip", "sneak", "danc", "then",
];

#[derive(serde::Deserialize)]
struct Row {
    words: Vec<String>,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the evidence, which a test reads")
    )]
    prompts: Vec<String>,
    secs: f64,
}

/// The length in seconds of a clip of one prompt without goals, where none is asked for: for what is
/// done in place the shortest at which the model obeys as often as at any, for ways to walk the longest
/// up to the usual 6 s, which other prompts get. From the hits of 8 seeds at 2, 4, 6 and 8 s in
/// `python/train/reports/obey-0.5.0.json`.
///
/// ```
/// use kinograd::task::usual_duration_secs;
/// assert_eq!(usual_duration_secs("A person kicks."), 2.0);
/// assert_eq!(usual_duration_secs("a person claps"), 4.0);
/// assert_eq!(usual_duration_secs("a person walks"), 6.0);
/// ```
#[must_use]
pub fn usual_duration_secs(prompt: &str) -> f64 {
    let lower = prompt.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    let has = |start: &str| words.iter().any(|word| word.starts_with(start));
    let travels = TRAVELS.iter().any(|word| has(word));
    let fits = |row: &&Row| {
        let own = row
            .words
            .iter()
            .any(|word| TRAVELS.contains(&word.as_str()));
        own == travels && row.words.iter().all(|word| has(word))
    };
    let rows: Vec<Row> = serde_json::from_str(TABLE).unwrap_or_default();
    let row = rows.iter().find(fits);
    row.map_or(DEFAULT_DURATION_SECS, |row| row.secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(serde::Deserialize)]
    struct Report {
        prompts: BTreeMap<String, Measured>,
    }

    #[derive(serde::Deserialize)]
    struct Measured {
        obeyed: BTreeMap<u32, u32>,
    }

    /// A length counts as good as the best if it misses no more than one clip of 8 a prompt.
    #[test]
    fn the_table_follows_from_the_report() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../python/train/reports/obey-0.5.0.json"
        );
        let report: Report = serde_json::from_reader(std::fs::File::open(path).unwrap()).unwrap();
        let rows: Vec<Row> = serde_json::from_str(TABLE).unwrap();
        assert!(rows.len() > 10);
        for row in &rows {
            let of = |name: &String| &report.prompts[name];
            let measured: Vec<&Measured> = row.prompts.iter().map(of).collect();
            let hits = |secs: u32| measured.iter().map(|m| m.obeyed[&secs]).sum::<u32>();
            let best = [2, 4, 6, 8].map(hits).into_iter().max().unwrap();
            let good = |secs: &u32| hits(*secs) + measured.len() as u32 >= best;
            let travels = row
                .words
                .iter()
                .any(|word| TRAVELS.contains(&word.as_str()));
            let expected = if travels {
                [6, 4, 2].into_iter().find(good)
            } else {
                [2, 4, 6].into_iter().find(good)
            };
            assert_eq!(Some(row.secs), expected.map(f64::from), "{:?}", row.words);
            for prompt in &row.prompts {
                assert_eq!(usual_duration_secs(prompt), row.secs, "{prompt}");
            }
        }
    }

    #[test]
    fn what_is_done_on_the_way_and_what_is_unknown_is_as_long_as_ever() {
        for prompt in ["a person walks and then sits down", "a person juggles", ""] {
            assert_eq!(
                usual_duration_secs(prompt),
                DEFAULT_DURATION_SECS,
                "{prompt}"
            );
        }
    }
}
