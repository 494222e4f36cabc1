//! What a run makes of a task whose prompts do not do what its places ask for: somebody who waves
//! does not walk, and pulled to a target would glide; somebody who walks does not stop by themselves.

use kinograd_guidance::goal::{Goal, Leg, RootTarget};

use super::limits::MODEL_FPS;
use super::prompts::Prompt;
use super::spec::TaskSpec;
use super::timed_prompts::{TimedPrompt, timed};
use crate::warning::Warning;
use crate::{Error, Method};

/// How people get to a place, and how they are there: prompts that the model obeys in 8 of 8 clips of
/// every length and in 7 (`models/motion-base/README.md`).
const WALK: &str = "a person walks forward";
const STAND: &str = "a person stands still";
/// Speed at which a place is walked to before something is done there, m/s: the model's walk.
const WALK_MPS: f64 = 1.1;
/// What starting and stopping cost, seconds.
const START_AND_STOP_SECS: f64 = 0.8;
/// Time that is left for what is done there at least, seconds.
const LEAST_ACTION_SECS: f64 = 2.0;
/// Seconds before somebody stands at a place at which standing takes over from walking.
const STOPS_SECS: f64 = 0.5;
/// A way shorter than this is a step to the side, metres.
const LEAST_WAY_M: f64 = 0.5;
/// A prompt whose people go less than this share of the way that is asked for would glide: who crawls
/// 0.8 of 2 m is pulled along, who sits down or waves goes 0.1 to 0.4 m.
const LEAST_SHARE: f64 = 0.25;
/// A prompt whose people go slower than this stays where it is, m/s: the model's sit, kick, wave, punch
/// and dance are at 0.02 to 0.07, its crawl at 0.13.
const STAYS_MPS: f64 = 0.1;
/// A prompt whose people go faster than this has to be stopped, m/s.
const TRAVELS_MPS: f64 = 0.3;
/// Words that begin so say that people travel, whatever else they do.
const TRAVELS: [&str; 8] = [
    "walk", "jog", "run", "step", "crawl", "skip", "sneak", "march",
];

/// A task as it is run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Staged {
    pub spec: TaskSpec,
    pub warnings: Vec<Warning>,
}

/// Whether a task's prompts have to be held against its places.
pub(crate) fn concerns(task: &TaskSpec) -> bool {
    task.guidance.method != Method::None && task.goals.iter().any(is_place)
}

/// How fast people travel under each prompt, where their words say that they do: nothing has to be
/// measured then.
pub(crate) fn stated_speeds_mps(task: &TaskSpec) -> Option<Vec<f64>> {
    let travels = |text: &str| {
        let lower = text.to_lowercase();
        let mut words = lower.split(|c: char| !c.is_alphanumeric());
        words.any(|word| TRAVELS.iter().any(|start| word.starts_with(start)))
    };
    let speed = |prompt: &TimedPrompt| travels(&prompt.text).then_some(WALK_MPS);
    timed(task).iter().map(speed).collect()
}

/// The task with prompts that do what its places ask for, as far as that can be done.
/// `speeds_mps`: how fast people travel under each of its prompts by themselves.
pub(crate) fn staged(task: &TaskSpec, speeds_mps: &[f64]) -> Result<Staged, Error> {
    let mut staged = Staged {
        spec: task.clone(),
        warnings: Vec::new(),
    };
    if !concerns(task) {
        return Ok(staged);
    }
    let legs = task.goal_set().legs()?;
    let mut glides = false;
    let stays = speeds_mps.iter().all(|speed| *speed < STAYS_MPS);
    for (prompt, &speed_mps) in timed(task).iter().zip(speeds_mps) {
        let (start, end) = (prompt.frames.start, prompt.frames.end);
        let asked_m: f64 = legs.iter().map(|leg| within(leg, start, end)).sum();
        let seconds = (end - start) as f64 / MODEL_FPS;
        if asked_m > LEAST_WAY_M && speed_mps * seconds < LEAST_SHARE * asked_m {
            glides = true;
            staged.warnings.push(Warning::Glides {
                prompt: prompt.text.clone(),
                way_m: asked_m,
                own_m: speed_mps * seconds,
            });
        }
    }
    if glides {
        let first = walking_first(task, &legs).filter(|_| stays);
        return Ok(first.unwrap_or(staged));
    }
    if speeds_mps.last().is_some_and(|speed| *speed > TRAVELS_MPS) {
        stop_in_time(&mut staged.spec)?;
    }
    Ok(staged)
}

fn is_place(goal: &Goal) -> bool {
    let places = matches!(
        goal,
        Goal::RootTarget(_) | Goal::Waypoints(_) | Goal::Trajectory(_)
    );
    places && goal.weight() > 0.0
}

/// How much of a leg, walked evenly, lies between two frames, metres.
fn within(leg: &Leg, start: usize, end: usize) -> f64 {
    let (from, to) = leg.frames;
    let overlap = end.min(to).saturating_sub(start.max(from));
    leg.length_m * overlap as f64 / (to - from).max(1) as f64
}

/// One prompt and one target at the end: walk there, then do it. `None` for other tasks, and where the
/// clip is too short for both.
fn walking_first(task: &TaskSpec, legs: &[Leg]) -> Option<Staged> {
    let [prompt] = task.prompts.as_slice() else {
        return None;
    };
    let mut places = task.goals.iter().filter(|goal| is_place(goal));
    let (Some(Goal::RootTarget(target)), None) = (places.next(), places.next()) else {
        return None;
    };
    let at_end = target
        .time_secs
        .is_none_or(|time| time >= task.duration_secs);
    let way_m: f64 = legs.iter().map(|leg| leg.length_m).sum();
    let there_secs = way_m / WALK_MPS + START_AND_STOP_SECS;
    if !at_end || prompt.from_secs.is_some() || there_secs + LEAST_ACTION_SECS > task.duration_secs
    {
        return None;
    }
    // The blend of the prompts is over when they are there.
    let there_secs = (there_secs * MODEL_FPS).round() / MODEL_FPS;
    let begins_secs = there_secs - STOPS_SECS;
    let mut spec = task.clone();
    spec.prompts = vec![
        Prompt::new(WALK),
        Prompt {
            from_secs: Some(begins_secs),
            ..prompt.clone()
        },
    ];
    spec.goals.push(
        RootTarget {
            time_secs: Some(there_secs),
            arrive: false,
            ..target.clone()
        }
        .into(),
    );
    Some(Staged {
        spec,
        warnings: vec![Warning::WalksFirst {
            prompt: prompt.text.clone(),
            begins_secs,
        }],
    })
}

/// Lets standing take over before somebody is to stand at their place.
fn stop_in_time(spec: &mut TaskSpec) -> Result<(), Error> {
    let timeline = spec.timeline();
    let mut stands_from = None;
    for goal in spec.goals.iter().filter(|goal| is_place(goal)) {
        if let Goal::RootTarget(target) = goal {
            stands_from = target.stands_from(&timeline)?.or(stands_from);
        }
    }
    let last_starts = timed(spec).last().map_or(0, |last| last.frames.start);
    let Some(stands_from) = stands_from else {
        return Ok(());
    };
    let stops_secs = stands_from as f64 / MODEL_FPS - STOPS_SECS;
    if stops_secs <= last_starts as f64 / MODEL_FPS {
        return Ok(());
    }
    if let Some(last) = spec.prompts.last_mut() {
        last.to_secs = None;
    }
    spec.prompts.push(Prompt {
        from_secs: Some(stops_secs),
        ..Prompt::new(STAND)
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Task;

    fn run(task: &Task, speeds_mps: &[f64]) -> Staged {
        staged(task, speeds_mps).unwrap()
    }

    fn texts(staged: &Staged) -> Vec<(&str, Option<f64>)> {
        let prompts = staged.spec.prompts.iter();
        prompts.map(|p| (p.text.as_str(), p.from_secs)).collect()
    }

    #[test]
    fn somebody_who_waves_walks_there_first() {
        let task = Task::builder("a person waves").target(0.0, 2.2);
        let task = task.build().unwrap();
        let made = run(&task, &[0.05]);
        assert_eq!(texts(&made), [(WALK, None), ("a person waves", Some(2.3))]);
        let places = made.spec.goal_set().root_places().unwrap();
        let frames: Vec<usize> = places.iter().map(|place| place.1).collect();
        assert_eq!(frames, [119, 56]);
        assert!(matches!(made.warnings[..], [Warning::WalksFirst { .. }]));
        Task::new(made.spec).unwrap();
        // Somebody who walks goes by themselves, and a step aside is no walk.
        assert_eq!(run(&task, &[1.0]).spec, *task);
        let near = Task::builder("a person waves").target(0.0, 0.3);
        let near = near.build().unwrap();
        assert_eq!(run(&near, &[0.05]).spec, *near);
    }

    #[test]
    fn who_walks_by_their_words_is_not_measured() {
        let stated = |text: &str| stated_speeds_mps(&Task::builder(text).build().unwrap());
        assert_eq!(stated("A person Walks forward"), Some(vec![WALK_MPS]));
        assert_eq!(stated("someone is running"), Some(vec![WALK_MPS]));
        assert_eq!(stated("a person waves"), None);
        let both = Task::builder("a person walks").then("a person sits down", 3.0);
        assert_eq!(stated_speeds_mps(&both.build().unwrap()), None);
    }

    #[test]
    fn what_cannot_be_staged_is_warned_of() {
        let short = Task::builder("a person waves")
            .target(0.0, 3.0)
            .duration(4.0);
        let stated = Task::builder("a person waves").waypoint(0.0, 2.0, 3.0);
        for task in [short, stated] {
            let task = task.build().unwrap();
            let made = run(&task, &[0.05]);
            assert_eq!(made.spec, *task);
            assert!(matches!(made.warnings[..], [Warning::Glides { .. }]));
        }
    }

    #[test]
    fn somebody_who_arrives_stops_in_time() {
        let goal = RootTarget::arriving([0.0, 4.0]);
        let task = Task::builder("a person walks").goal(goal).build().unwrap();
        let made = run(&task, &[1.0]);
        let stops = 109.0 / MODEL_FPS - STOPS_SECS;
        assert_eq!(
            texts(&made),
            [("a person walks", None), (STAND, Some(stops))]
        );
        assert!(made.warnings.is_empty());
        // Who sits at the end has stopped.
        let sits = task
            .edited(|spec| {
                spec.prompts.push(Prompt {
                    from_secs: Some(4.0),
                    ..Prompt::new("a person sits down")
                });
            })
            .unwrap();
        assert_eq!(run(&sits, &[1.0, 0.02]).spec.prompts.len(), 2);
    }
}
