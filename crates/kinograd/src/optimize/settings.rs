//! How a reward is made to rise.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use kinograd_guidance::goal::Timeline;
use kinograd_guidance::optimize::MotionReward;
use kinograd_guidance::{GradientGuidance, Lookahead, Span};
use serde::{Deserialize, Serialize};

use super::FineTune;
use crate::Error;

/// Most clips of one run: they are one batch.
pub const MAX_OPTIMIZED_CLIPS: usize = 16;
/// Most rounds of one run.
const MAX_ROUNDS: usize = 10_000;

/// What is made large.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Reward {
    /// One that has a name.
    Motion(MotionReward),
    /// An ONNX network that scores clips: see
    /// [`ScoreNetwork`](crate::runtime::ScoreNetwork) for what it takes and returns.
    Network(PathBuf),
}

impl Reward {
    /// Its unit; empty for a network.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Motion(reward) => reward.unit(),
            Self::Network(_) => "",
        }
    }

    /// δ where none is given: how far above the present reward each round aims.
    #[must_use]
    pub fn delta(&self) -> f64 {
        match self {
            Self::Motion(reward) => reward.delta(),
            // The released code's.
            Self::Network(_) => 0.2,
        }
    }

    /// σ where none is given: how exactly the aim is met, and naturalness given up for it.
    #[must_use]
    pub fn sigma(&self) -> f64 {
        match self {
            Self::Motion(reward) => reward.deviation(),
            Self::Network(_) => GradientGuidance::DEVIATION,
        }
    }
}

impl From<Reward> for String {
    fn from(reward: Reward) -> Self {
        reward.to_string()
    }
}

impl TryFrom<String> for Reward {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl FromStr for Reward {
    type Err = Error;

    /// A name, or the path of an .onnx file.
    fn from_str(text: &str) -> Result<Self, Error> {
        let path = Path::new(text);
        if path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("onnx"))
        {
            return Ok(Self::Network(path.to_owned()));
        }
        Ok(Self::Motion(text.parse()?))
    }
}

impl fmt::Display for Reward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Motion(reward) => reward.fmt(f),
            Self::Network(path) => path.display().fmt(f),
        }
    }
}

/// How a reward is made to rise: the part of a task that [`MotionGenerator::optimize`] runs.
///
/// [`MotionGenerator::optimize`]: crate::MotionGenerator::optimize
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimization {
    /// What is made large.
    pub reward: Reward,
    /// Seconds from which and to which hands are raised; the whole clip if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_secs: Option<[f64; 2]>,
    /// Times that the reward is linearised and the clips generated.
    #[serde(default = "default_rounds")]
    pub rounds: usize,
    /// How the gradient enters the score.
    #[serde(default)]
    pub lookahead: Lookahead,
    /// δ, in the reward's unit; [`Reward::delta`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<f64>,
    /// σ, deviation of the target, in the reward's unit; [`Reward::sigma`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
    /// Every round draws new noise, as the algorithm is stated; otherwise a clip keeps its own, and
    /// stays recognisably itself.
    #[serde(default)]
    pub fresh_noise: bool,
    /// Longest change of x̂0 in one step, in deviations of the features; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_step_rms: Option<f64>,
    /// Algorithm 2: fit the denoiser to the clips of every round; Algorithm 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tune: Option<FineTune>,
}

/// As many rounds as the released code of Guo et al. 2024 takes for its figures.
fn default_rounds() -> usize {
    10
}

impl Optimization {
    /// Ten rounds of Algorithm 1 with the look-ahead loss.
    #[must_use]
    pub fn new(reward: Reward) -> Self {
        Self {
            reward,
            window_secs: None,
            rounds: default_rounds(),
            lookahead: Lookahead::Loss,
            delta: None,
            sigma: None,
            fresh_noise: false,
            max_step_rms: None,
            fine_tune: None,
        }
    }

    /// δ, in the reward's unit.
    #[must_use]
    pub fn delta(&self) -> f64 {
        self.delta.unwrap_or_else(|| self.reward.delta())
    }

    /// σ, in the reward's unit.
    #[must_use]
    pub fn sigma(&self) -> f64 {
        self.sigma.unwrap_or_else(|| self.reward.sigma())
    }

    /// The window's frames in a clip.
    pub(crate) fn span(&self, timeline: &Timeline) -> Result<Span, Error> {
        match self.window_secs {
            Some([from, to]) => Ok(timeline.span(Some(from), Some(to))?),
            None => Ok(Span::ALL),
        }
    }

    /// Checks it for so many clips of so many prompts and this length.
    pub(crate) fn check(
        &self,
        count: usize,
        prompts: usize,
        duration_secs: f64,
    ) -> Result<(), Error> {
        let refuse = |field: &str, message: String| {
            Err(Error::Task {
                path: format!("optimization.{field}"),
                message,
            })
        };
        if count > MAX_OPTIMIZED_CLIPS {
            return Err(Error::Task {
                path: "sampling.count".to_owned(),
                message: format!(
                    "{count} clips; at most {MAX_OPTIMIZED_CLIPS} are optimised at once"
                ),
            });
        }
        if prompts > 1 {
            return Err(Error::Task {
                path: "prompts".to_owned(),
                message: "clips of one prompt are optimised".to_owned(),
            });
        }
        if !(1..=MAX_ROUNDS).contains(&self.rounds) {
            return refuse(
                "rounds",
                format!("{} is outside 1 to {MAX_ROUNDS}", self.rounds),
            );
        }
        for (field, value, zero) in [
            ("delta", self.delta(), true),
            ("sigma", self.sigma(), true),
            ("max_step_rms", self.max_step_rms.unwrap_or(1.0), false),
        ] {
            if !(value.is_finite() && value >= 0.0 && (zero || value > 0.0)) {
                let least = if zero { "at least 0" } else { "above 0" };
                return refuse(field, format!("{value}; it must be a number {least}"));
            }
        }
        if let Some(fine_tune) = &self.fine_tune {
            fine_tune.check()?;
        }
        self.check_window(duration_secs)
    }

    fn check_window(&self, duration_secs: f64) -> Result<(), Error> {
        let Some([from, to]) = self.window_secs else {
            return Ok(());
        };
        let refuse = |message: String| {
            Err(Error::Task {
                path: "optimization.window_secs".to_owned(),
                message,
            })
        };
        if !(from >= 0.0 && from < to && to <= duration_secs) {
            return refuse(format!(
                "{from} to {to} s; the clip lasts from 0 to {duration_secs} s"
            ));
        }
        match &self.reward {
            Reward::Motion(reward) if !reward.has_span() => {
                refuse(format!("{reward} looks at the whole clip"))
            }
            Reward::Network(_) => refuse("a network looks at the whole clip".to_owned()),
            Reward::Motion(_) => Ok(()),
        }
    }
}

/// As the command line writes it.
pub(crate) fn guidance_name(lookahead: Lookahead) -> &'static str {
    match lookahead {
        Lookahead::Naive => "g",
        Lookahead::Loss => "g-loss",
        Lookahead::Posterior => "g-posterior",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Task, TaskSpec};

    #[test]
    fn a_reward_is_a_name_or_a_file() {
        assert_eq!(
            "hand-raise".parse::<Reward>().unwrap(),
            Reward::Motion(MotionReward::HandRaise)
        );
        let file: Reward = "my/reward.ONNX".parse().unwrap();
        assert_eq!(file, Reward::Network("my/reward.ONNX".into()));
        let error = "jump-hight".parse::<Reward>().unwrap_err().to_string();
        assert!(error.contains("did you mean `jump-height`"), "{error}");
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let case = |reward: &str, change: &dyn Fn(&mut TaskSpec, &mut Optimization)| {
            let task = Task::builder("a person jumps").build().unwrap();
            let mut spec = task.into_spec();
            let mut optimization = Optimization::new(reward.parse().unwrap());
            change(&mut spec, &mut optimization);
            spec.optimization = Some(optimization);
            spec.check().unwrap_err().to_string()
        };
        let jump = "jump-height";
        for (message, part) in [
            (case(jump, &|_, o| o.rounds = 0), "rounds: 0 is outside"),
            (case(jump, &|_, o| o.delta = Some(-1.0)), "delta: -1"),
            (case(jump, &|_, o| o.delta = Some(f64::NAN)), "delta: NaN"),
            (case(jump, &|_, o| o.sigma = Some(-0.1)), "sigma: -0.1"),
            (
                case(jump, &|_, o| o.max_step_rms = Some(0.0)),
                "max_step_rms: 0",
            ),
            (
                case(jump, &|task, _| task.sampling.count = 17),
                "sampling.count: 17 clips",
            ),
            (
                case(jump, &|_, o| {
                    o.fine_tune = Some(FineTune {
                        learning_rate: -1.0,
                        ..FineTune::default()
                    });
                }),
                "learning_rate: -1",
            ),
            (
                case(jump, &|_, o| o.window_secs = Some([1.0, 2.0])),
                "window_secs: jump-height looks at the whole clip",
            ),
            (
                case("hand-raise", &|_, o| o.window_secs = Some([2.0, 1.0])),
                "window_secs: 2 to 1 s",
            ),
            (
                case("hand-raise", &|_, o| o.window_secs = Some([1.0, 7.0])),
                "window_secs: 1 to 7 s; the clip lasts from 0 to 6 s",
            ),
        ] {
            assert!(message.contains(part), "{message} lacks {part}");
        }
    }

    #[test]
    fn a_task_holds_it() {
        let task = Task::builder("a person jumps").build().unwrap();
        let task = task
            .edited(|spec| {
                let mut optimization = Optimization::new("hand-raise".parse().unwrap());
                optimization.window_secs = Some([1.0, 3.0]);
                optimization.fine_tune = Some(FineTune::default());
                spec.optimization = Some(optimization);
            })
            .unwrap();
        let json = task.to_json().unwrap();
        assert!(json.contains("\"reward\": \"hand-raise\""), "{json}");
        assert_eq!(Task::from_json(&json).unwrap(), task);
    }
}
