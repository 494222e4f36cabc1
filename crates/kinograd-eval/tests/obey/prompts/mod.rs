//! A clip that obeys each prompt, and clips that do not; a file for each of the lists in `src/prompts`.

mod arms;
mod body;
mod legs;
mod moves;
mod steering;
mod travel;

use std::collections::BTreeSet;

use kinograd_eval::PromptList;

use crate::puppet::Puppet;

/// A prompt, a clip that obeys it, and clips that do not.
struct Shown {
    prompt: &'static str,
    right: Puppet,
    wrong: Vec<Puppet>,
}

fn shown<const N: usize>(prompt: &'static str, right: Puppet, wrong: [Puppet; N]) -> Shown {
    Shown {
        prompt,
        right,
        wrong: wrong.into(),
    }
}

fn all() -> Vec<Shown> {
    let lists = [
        steering::cases(),
        travel::cases(),
        arms::cases(),
        legs::cases(),
        body::cases(),
    ];
    lists.into_iter().flatten().collect()
}

/// The reworded list has the held-out list's own tests.
#[test]
fn every_prompt_is_shown() {
    let shown: BTreeSet<&str> = all().iter().map(|shown| shown.prompt).collect();
    let prompts: BTreeSet<&str> = [PromptList::Steering, PromptList::HeldOut]
        .iter()
        .flat_map(|list| list.cases())
        .map(|(_, case)| case.prompt)
        .collect();
    let own = PromptList::HeldOut.cases();
    for ((_, reworded), (_, own)) in PromptList::Reworded.cases().iter().zip(&own) {
        assert_eq!(reworded.rule, own.rule, "{}", reworded.prompt);
    }
    let missing: Vec<_> = prompts.difference(&shown).collect();
    let unknown: Vec<_> = shown.difference(&prompts).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing {missing:?}, unknown {unknown:?}"
    );
}

#[test]
fn each_test_passes_a_right_clip_and_fails_wrong_ones() {
    let cases = PromptList::All.cases();
    let mut faults = Vec::new();
    for Shown {
        prompt,
        right,
        wrong,
    } in all()
    {
        let (_, case) = cases
            .iter()
            .find(|(_, case)| case.prompt == prompt)
            .unwrap();
        assert!(!wrong.is_empty(), "{prompt}");
        for fps in [20.0, 60.0] {
            if !(case.obeyed)(&right.clone().fps(fps).track()) {
                faults.push(format!("{prompt}: the right clip fails at {fps} fps"));
            }
            for (index, wrong) in wrong.iter().enumerate() {
                if (case.obeyed)(&wrong.clone().fps(fps).track()) {
                    faults.push(format!("{prompt}: wrong clip {index} passes at {fps} fps"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
