//! What of a prompt's words a model was not trained on: words, negations and numbers.

mod clause;
mod inflection;
mod numbers;

use std::collections::HashSet;

use kinograd_runtime::TrainedText;

use self::clause::{Clause, clauses};
use self::inflection::{forms, is_same};
use self::numbers::{Count, counts, is_number};
use crate::warning::Warning;

/// Words that only join others, and words for somebody: they say nothing that a motion could show.
const JOINING: &str = "\
    a about after all also am an and another anybody anyone are as at be because been before \
    being both but by can could did do does doing done during each every everybody everyone few \
    for from had has have having he her hers herself him himself his how human i if in \
    individual into is it its itself just many may me might more most much must my of on one \
    onto or our people person several shall she should so some somebody someone such than that \
    the their theirs them themselves then there these they this those to too until us very was \
    we were what when where which while who whose will with would you your";

/// Words that turn around what follows, beside those that end in "n't".
const NEGATIONS: &str = "\
    not no never without none nothing nobody nowhere neither nor cannot cant dont doesnt didnt \
    isnt arent wont";

/// The words that a model was trained on, ready to hold prompts against.
pub(crate) struct TrainedWords<'a> {
    text: &'a TrainedText,
    forms: HashSet<String>,
}

impl<'a> TrainedWords<'a> {
    pub fn new(text: &'a TrainedText) -> Self {
        let words = text.words.iter().flat_map(|word| forms(word));
        Self {
            forms: words.collect(),
            text,
        }
    }

    /// What a user should know of a prompt's words: at most one warning of a kind.
    pub fn warnings(&self, prompt: &str) -> Vec<Warning> {
        let clauses = clauses(prompt);
        let mut warnings = Vec::new();
        let mut warn = |words: Vec<String>, warning: &dyn Fn(String, Vec<String>) -> Warning| {
            let mut seen = HashSet::new();
            let words: Vec<String> = words
                .into_iter()
                .filter(|w| seen.insert(w.clone()))
                .collect();
            if !words.is_empty() {
                warnings.push(warning(prompt.trim().to_owned(), words));
            }
        };
        warn(self.unknown(&clauses), &|prompt, words| {
            Warning::UnknownWords { prompt, words }
        });
        warn(self.negated(&clauses), &|prompt, words| Warning::Negation {
            prompt,
            words,
        });
        let known = self.known_counts();
        warn(self.uncounted(&clauses), &|prompt, words| {
            Warning::Uncounted {
                prompt,
                words,
                known: known.clone(),
            }
        });
        warnings
    }

    fn knows(&self, word: &str) -> bool {
        forms(word).iter().any(|form| self.forms.contains(form))
    }

    fn unknown(&self, clauses: &[Clause]) -> Vec<String> {
        let words = clauses.iter().flatten();
        words
            .filter(|word| {
                !(is_among(JOINING, word)
                    || is_negation(word)
                    || is_number(word)
                    || self.knows(word))
            })
            .cloned()
            .collect()
    }

    /// Negations but those of the training: what follows must say the same to the end of the clause.
    fn negated(&self, clauses: &[Clause]) -> Vec<String> {
        let is_trained = |rest: &[String]| {
            let rest: Vec<&str> = saying(rest.iter().map(String::as_str));
            self.text.negations.iter().any(|phrase| {
                let phrase = saying(phrase.split(' '));
                phrase.len() == rest.len() && phrase.iter().zip(&rest).all(|(a, b)| is_same(a, b))
            })
        };
        let mut found = Vec::new();
        for clause in clauses {
            for (index, word) in clause.iter().enumerate() {
                if is_negation(word) && !is_trained(&clause[index + 1..]) {
                    found.push(word.clone());
                }
            }
        }
        found
    }

    /// Numbers that the training does not have beside a verb of their clause.
    fn uncounted(&self, clauses: &[Clause]) -> Vec<String> {
        let mut found = Vec::new();
        for (index, clause) in clauses.iter().enumerate() {
            for Count { number, of, words } in counts(clause) {
                let is_known = self.text.counts.iter().any(|(verb, numbers)| {
                    let is_done = match of {
                        Some(of) => is_same(verb, of),
                        None => said_before(clauses, index).any(|word| is_same(verb, word)),
                    };
                    is_done && number.is_some_and(|number| numbers.contains(&number))
                });
                if !is_known {
                    found.push(words);
                }
            }
        }
        found
    }

    /// Such as `jumps 2, 3`.
    fn known_counts(&self) -> Vec<String> {
        let counts = self.text.counts.iter();
        counts
            .map(|(verb, numbers)| {
                let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
                format!("{verb} {}", numbers.join(", "))
            })
            .collect()
    }
}

/// The words of a part of a prompt, and of those before it as far as it has no verb of its own: "jumps up
/// and down twice", "jumps while running twice". A verb of the third person ends in an s.
fn said_before(clauses: &[Clause], index: usize) -> impl Iterator<Item = &String> {
    let has_verb = |clause: &Clause| {
        let is_verb = |word: &String| word.ends_with('s') && !is_among(JOINING, word);
        clause.iter().any(|word| is_verb(word) && !is_number(word))
    };
    let begins = |clause: &Clause| clause.first().is_some_and(|word| word == "then");
    let first = (0..=index)
        .rev()
        .find(|&index| has_verb(&clauses[index]) || begins(&clauses[index]));
    clauses[first.unwrap_or(0)..=index].iter().flatten()
}

/// The words without those that only join others.
fn saying<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    words.filter(|word| !is_among(JOINING, word)).collect()
}

/// Whether a list, with blanks between its words, has this one.
fn is_among(list: &str, word: &str) -> bool {
    list.split(' ').any(|other| other == word)
}

fn is_negation(word: &str) -> bool {
    word.ends_with("n't") || is_among(NEGATIONS, word)
}

#[cfg(test)]
mod tests;
