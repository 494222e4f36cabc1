//! The prompts that `eval model` samples, and what a clip of each must do.
//!
//! Three lists: the one that training runs were steered by; one of other words, orders, counts, styles and
//! actions that no run had seen the result of when it was written; and the same tests under sentences written
//! from the second list alone, without knowing the other words that training puts in captions
//! (`python/train/wordings.toml`, which was written after the second list's results were seen). A package
//! is as good as the third says.

mod case;
mod held_out;
mod reworded;
mod steering;

use kinograd::Error;
use serde::Serialize;

pub use case::{PromptCase, StylePair};

/// A list of prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PromptList {
    /// What training runs are steered by (`python/train/obey.py`).
    Steering,
    /// Other words than the runs were steered by; captions' other words in training were written after its results.
    HeldOut,
    /// The held-out tests under other prompts.
    Reworded,
    /// All three.
    All,
}

impl PromptList {
    /// Every list.
    pub const ALL: [Self; 4] = [Self::Steering, Self::HeldOut, Self::Reworded, Self::All];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Steering => "steering",
            Self::HeldOut => "held-out",
            Self::Reworded => "reworded",
            Self::All => "all",
        }
    }

    /// What it holds, in a few words.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::Steering => "the 30 prompts that training was steered by",
            Self::HeldOut => {
                "90 prompts in other words; what they showed led to the wordings of training"
            }
            Self::Reworded => "the held-out tests, each under a prompt in yet other words",
            Self::All => "all three lists",
        }
    }

    /// Its prompts, each with the list that it is of.
    #[must_use]
    pub fn cases(self) -> Vec<(Self, &'static PromptCase)> {
        self.parts()
            .into_iter()
            .flat_map(|list| {
                let cases: Vec<&PromptCase> = match list {
                    Self::Steering => steering::CASES.iter().collect(),
                    Self::Reworded => reworded::cases(),
                    _ => held_out::cases(),
                };
                cases.into_iter().map(move |case| (list, case))
            })
            .collect()
    }

    /// Its prompts that contain a text, or all.
    ///
    /// # Errors
    /// [`Error::Request`] where none does.
    pub fn chosen(self, only: Option<&str>) -> Result<Vec<(Self, &'static PromptCase)>, Error> {
        let mut cases = self.cases();
        cases.retain(|(_, case)| only.is_none_or(|text| case.prompt.contains(text)));
        if cases.is_empty() {
            return Err(Error::Request {
                field: "only",
                message: format!(
                    "no prompt of the list `{}` contains `{}`",
                    self.name(),
                    only.unwrap_or_default()
                ),
            });
        }
        Ok(cases)
    }

    /// Its pairs of prompts.
    #[must_use]
    pub fn pairs(self) -> Vec<StylePair> {
        self.parts()
            .into_iter()
            .flat_map(|list| match list {
                Self::Steering => steering::PAIRS,
                Self::Reworded => &[],
                _ => held_out::PAIRS,
            })
            .copied()
            .collect()
    }

    fn parts(self) -> Vec<Self> {
        match self {
            Self::All => vec![Self::Steering, Self::HeldOut, Self::Reworded],
            list => vec![list],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn lists_have_no_prompt_twice_and_share_none() {
        let all = PromptList::All.cases();
        let prompts: BTreeSet<&str> = all.iter().map(|(_, case)| case.prompt).collect();
        assert_eq!(prompts.len(), all.len());
        assert_eq!(PromptList::Steering.cases().len(), 30);
        assert!(PromptList::HeldOut.cases().len() >= 60);
        assert_eq!(
            PromptList::Reworded.cases().len(),
            PromptList::HeldOut.cases().len()
        );
        for (_, case) in &all {
            assert!(!case.rule.is_empty(), "{}", case.prompt);
            let captions: BTreeSet<&&str> = case.captions.iter().collect();
            assert_eq!(captions.len(), case.captions.len(), "{}", case.prompt);
        }
        for StylePair(a, b) in PromptList::All.pairs() {
            assert_ne!(a, b);
        }
    }

    #[test]
    fn a_text_that_no_prompt_has_is_named() {
        let few = PromptList::Steering.chosen(Some("kicks twice")).unwrap();
        assert_eq!(few.len(), 1);
        let error = PromptList::HeldOut.chosen(Some("xyzzy")).unwrap_err();
        assert!(error.to_string().contains("xyzzy"), "{error}");
    }
}
