//! What to optimise: a validated request.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use kinograd_guidance::optimize::MotionReward;
use kinograd_guidance::{GradientGuidance, Lookahead, Span};
use serde::Serialize;

use super::FineTune;
use crate::request::MODEL_FPS;
use crate::{Error, GenerateRequest};

/// Most clips of one run: they are one batch.
pub const MAX_OPTIMIZED_CLIPS: usize = 16;
/// Most rounds of one run.
const MAX_ROUNDS: usize = 10_000;

/// What is made large.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
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
    pub fn deviation(&self) -> f64 {
        match self {
            Self::Motion(reward) => reward.deviation(),
            Self::Network(_) => GradientGuidance::DEVIATION,
        }
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

/// What to optimise, and how.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OptimizeRequest {
    /// The clips. Goals on the ground are not followed here.
    pub clips: GenerateRequest,
    /// What is made large.
    pub reward: Reward,
    /// Seconds from which and to which hands are raised; the whole clip if `None`.
    pub window_secs: Option<[f64; 2]>,
    /// Times that the reward is linearised and the clips generated.
    pub rounds: usize,
    /// How the gradient enters the score.
    pub lookahead: Lookahead,
    /// δ, in the reward's unit; [`Reward::delta`] if `None`.
    pub delta: Option<f64>,
    /// σ, deviation of the target, in the reward's unit; [`Reward::deviation`] if `None`.
    pub deviation: Option<f64>,
    /// Every round draws new noise, as the algorithm is stated; otherwise a clip keeps its own, and
    /// stays recognisably itself.
    pub fresh_noise: bool,
    /// Longest change of x̂0 in one step, in deviations of the features; none if `None`.
    pub max_move: Option<f64>,
    /// Algorithm 2: fit the denoiser to the clips of every round; Algorithm 1 if `None`.
    pub fine_tune: Option<FineTune>,
}

impl OptimizeRequest {
    /// Ten rounds of Algorithm 1 with the look-ahead loss.
    #[must_use]
    pub fn new(clips: GenerateRequest, reward: Reward) -> Self {
        Self {
            clips,
            reward,
            window_secs: None,
            rounds: 10,
            lookahead: Lookahead::Loss,
            delta: None,
            deviation: None,
            fresh_noise: false,
            max_move: None,
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
    pub fn deviation(&self) -> f64 {
        self.deviation.unwrap_or_else(|| self.reward.deviation())
    }

    /// The window's frames.
    pub(crate) fn span(&self) -> Span {
        let frame = |seconds: f64| (seconds * MODEL_FPS).round() as usize;
        self.window_secs.map_or(Span::ALL, |[from, to]| Span {
            from: Some(frame(from)),
            to: Some(frame(to).min(self.clips.frames().saturating_sub(1))),
        })
    }

    /// # Errors
    /// [`Error::Request`] that names the field, what was expected and what came.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |field: &'static str, message: String| Err(Error::Request { field, message });
        let clips = self.clips.clips;
        if clips > MAX_OPTIMIZED_CLIPS {
            return refuse(
                "n",
                format!("{clips} clips; 1 to {MAX_OPTIMIZED_CLIPS} are optimised at once"),
            );
        }
        if !self.clips.then.is_empty() {
            return refuse("then", "clips of one prompt are optimised".to_owned());
        }
        if self.rounds == 0 || self.rounds > MAX_ROUNDS {
            return refuse(
                "rounds",
                format!("{} is outside 1 to {MAX_ROUNDS}", self.rounds),
            );
        }
        for (field, value, zero) in [
            ("delta", self.delta(), true),
            ("sigma", self.deviation(), true),
            ("max move", self.max_move.unwrap_or(1.0), false),
        ] {
            if !(value.is_finite() && value >= 0.0 && (zero || value > 0.0)) {
                let least = if zero { "at least 0" } else { "above 0" };
                return refuse(field, format!("{value}; it must be a number {least}"));
            }
        }
        if let Some(fine_tune) = &self.fine_tune {
            let FineTune { steps, batch, .. } = fine_tune;
            let (rate, dropout) = (fine_tune.learning_rate, fine_tune.condition_dropout);
            if *steps == 0 || *steps > 10_000 {
                return refuse("train steps", format!("{steps} is outside 1 to 10000"));
            }
            if *batch == 0 || *batch > 1024 {
                return refuse("train batch", format!("{batch} is outside 1 to 1024"));
            }
            if !(rate.is_finite() && rate > 0.0) {
                return refuse(
                    "learning rate",
                    format!("{rate}; it must be a number above 0"),
                );
            }
            if !(0.0..=1.0).contains(&dropout) {
                return refuse("condition dropout", format!("{dropout} is outside 0 to 1"));
            }
        }
        if let Some([from, to]) = self.window_secs {
            let length = self.clips.duration_secs;
            if !(from >= 0.0 && from < to && to <= length) {
                return refuse(
                    "window",
                    format!("{from} to {to} s; the clip lasts from 0 to {length} s"),
                );
            }
            if let Reward::Motion(reward) = &self.reward
                && !reward.has_span()
            {
                return refuse("window", format!("{reward} looks at the whole clip"));
            }
            if matches!(self.reward, Reward::Network(_)) {
                return refuse("window", "a network looks at the whole clip".to_owned());
            }
        }
        Ok(())
    }

    /// The command that makes the same clips, without its output files.
    #[must_use]
    pub fn to_command(&self) -> String {
        let clips = &self.clips;
        let mut words = vec![
            "kinograd optimize".to_owned(),
            crate::request::shell_quoted(&clips.prompt),
        ];
        let mut option = |name: &str, value: String| words.push(format!("--{name} {value}"));
        option(
            "reward",
            crate::request::shell_quoted(&self.reward.to_string()),
        );
        option("rounds", self.rounds.to_string());
        option("guidance", guidance_name(self.lookahead).to_owned());
        option("delta", self.delta().to_string());
        option("sigma", self.deviation().to_string());
        option("seconds", clips.duration_secs.to_string());
        option("fps", clips.fps.to_string());
        option("n", clips.clips.to_string());
        option("seed", clips.seed.to_string());
        option("steps", clips.steps.to_string());
        if let Some(cfg) = clips.cfg {
            option("cfg", cfg.to_string());
        }
        if let Some([from, to]) = self.window_secs {
            option("window", format!("{from},{to}"));
        }
        if let Some(rms) = self.max_move {
            option("max-move", rms.to_string());
        }
        if let Some(fine_tune) = &self.fine_tune {
            option("algorithm", "2".to_owned());
            option("train-steps", fine_tune.steps.to_string());
            option("train-batch", fine_tune.batch.to_string());
            option("learning-rate", fine_tune.learning_rate.to_string());
            for text in &fine_tune.weights {
                option("train-weights", crate::request::shell_quoted(text));
            }
        }
        if self.fresh_noise {
            words.push("--fresh-noise".to_owned());
        }
        words.join(" ")
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

    fn request(reward: &str) -> OptimizeRequest {
        let clips = GenerateRequest::builder("a person jumps").build().unwrap();
        OptimizeRequest::new(clips, reward.parse().unwrap())
    }

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
        let case = |change: &dyn Fn(&mut OptimizeRequest), reward: &str| {
            let mut request = request(reward);
            assert!(request.check().is_ok());
            change(&mut request);
            request.check().unwrap_err().to_string()
        };
        let jump = "jump-height";
        for (message, part) in [
            (case(&|r| r.rounds = 0, jump), "rounds: 0 is outside"),
            (case(&|r| r.delta = Some(-1.0), jump), "delta: -1"),
            (case(&|r| r.delta = Some(f64::NAN), jump), "delta: NaN"),
            (case(&|r| r.deviation = Some(-0.1), jump), "sigma: -0.1"),
            (case(&|r| r.max_move = Some(0.0), jump), "max move: 0"),
            (case(&|r| r.clips.clips = 17, jump), "n: 17 clips"),
            (
                case(
                    &|r| {
                        r.fine_tune = Some(FineTune {
                            learning_rate: -1.0,
                            ..FineTune::default()
                        });
                    },
                    jump,
                ),
                "learning rate: -1",
            ),
            (
                case(&|r| r.window_secs = Some([1.0, 2.0]), jump),
                "window: jump-height looks at the whole clip",
            ),
            (
                case(&|r| r.window_secs = Some([2.0, 1.0]), "hand-raise"),
                "window: 2 to 1 s",
            ),
            (
                case(&|r| r.window_secs = Some([1.0, 7.0]), "hand-raise"),
                "window: 1 to 7 s; the clip lasts from 0 to 6 s",
            ),
        ] {
            assert!(message.contains(part), "{message} lacks {part}");
        }
    }

    #[test]
    fn the_command_names_every_option() {
        let mut request = request("hand-raise");
        request.window_secs = Some([1.0, 3.0]);
        request.fresh_noise = true;
        let command = request.to_command();
        assert!(command.starts_with("kinograd optimize 'a person jumps' --reward 'hand-raise'"));
        assert!(command.ends_with("--window 1,3 --fresh-noise"), "{command}");
    }
}
