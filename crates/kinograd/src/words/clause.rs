//! A prompt as words.

/// Words of a part of a prompt that says one thing, in lower case and without marks.
pub(super) type Clause = Vec<String>;

/// Words that begin another part.
const BREAKS: &[&str] = &["and", "then", "but", "while", "before", "after", "or"];

/// The parts of a prompt; a joining word is the first of its part.
pub(super) fn clauses(prompt: &str) -> Vec<Clause> {
    let mut clauses = vec![Clause::new()];
    for part in prompt.to_lowercase().split(ends_part) {
        clauses.push(Clause::new());
        let is_mark = |c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’'));
        for word in part.split(is_mark) {
            let word = bare(&word.replace('’', "'"));
            if word.is_empty() {
                continue;
            }
            if BREAKS.contains(&word.as_str()) {
                clauses.push(Clause::new());
            }
            if let Some(clause) = clauses.last_mut() {
                clause.push(word);
            }
        }
    }
    clauses.retain(|clause| !clause.is_empty());
    clauses
}

fn ends_part(c: char) -> bool {
    matches!(c, ',' | ';' | ':' | '.' | '!' | '?' | '\n')
}

/// A word without quotes around it and what is drawn to it: "he's", "person's", "they're".
fn bare(word: &str) -> String {
    let word = word.trim_matches('\'');
    let stem = ["'s", "'re", "'ll", "'ve", "'d", "'m"]
        .iter()
        .find_map(|end| word.strip_suffix(end));
    stem.unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_joining_words_part_a_prompt() {
        let parts = clauses(" The person’s hand: side-steps, THEN 'claps' and doesn't  move. ");
        let parts: Vec<String> = parts.iter().map(|clause| clause.join(" ")).collect();
        assert_eq!(
            parts,
            [
                "the person hand",
                "side steps",
                "then claps",
                "and doesn't move"
            ]
        );
        assert!(clauses(" ..,' ").is_empty());
    }
}
