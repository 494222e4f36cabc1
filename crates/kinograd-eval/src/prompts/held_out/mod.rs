//! Prompts that steered no training: other words, orders, counts, sides, speeds and styles than those of
//! [`super::steering`], over the actions of the data.
//!
//! They were written, and their tests set, without a sample of any model; thresholds were read off real
//! clips alone (`kinograd eval model --real DATA`).

mod arms;
mod body;
mod legs;
mod travel;

use super::case::{PromptCase, StylePair};

/// The prompts.
pub(super) fn cases() -> Vec<&'static PromptCase> {
    [travel::CASES, arms::CASES, legs::CASES, body::CASES]
        .into_iter()
        .flatten()
        .collect()
}

/// Styles and gestures, and what they must differ from.
pub(super) const PAIRS: &[StylePair] = &[
    StylePair(
        "someone shambles along like a zombie",
        "a man strolls along",
    ),
    StylePair("an angry man stomps around", "a man strolls along"),
    StylePair(
        "a happy person walks with a spring in their step",
        "a man strolls along",
    ),
    StylePair("a person hurries along", "a man strolls along"),
    StylePair("a thief sneaks ahead", "a man strolls along"),
    StylePair("an exhausted person", "a guard stands and waits"),
    StylePair("a person bows", "a guard stands and waits"),
    StylePair("someone salutes", "someone waves hello"),
    StylePair("a fighter stands ready", "a guard stands and waits"),
    StylePair("someone shakes with laughter", "a guard stands and waits"),
    StylePair(
        "a person dances salsa",
        "someone does a wild, energetic dance",
    ),
    StylePair("someone swings a sword", "a boxer throws a left jab"),
];
