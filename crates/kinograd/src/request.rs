//! What to generate: a validated request.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::observer::Warning;
use crate::{Error, Method, Sampler, Steering};

/// Longest prompt in characters; the tokenizer would cut anything much longer.
pub const MAX_PROMPT_CHARS: usize = 1000;
/// Shortest and longest clip, seconds.
pub const DURATION_RANGE_SECS: (f64, f64) = (1.0, 10.0);
/// Most clips of one request.
pub const MAX_CLIPS: usize = 1000;
/// Farthest position from the origin, metres: more than ten seconds of a sprint.
pub const MAX_DISTANCE_M: f64 = 200.0;
/// Straight-line speed above which a place is called out of reach, m/s.
const FAST_M_PER_S: f64 = 2.6;
/// Frames per second the model works at.
pub(crate) const MODEL_FPS: f64 = 20.0;

/// A place on the ground to be at, at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// Position `(x, z)`, metres.
    pub xz_m: [f64; 2],
    /// Time, seconds from the start; `None` is the end of the clip.
    pub seconds: Option<f64>,
}

/// What the person does from a time on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Then {
    /// What.
    pub prompt: String,
    /// Seconds from the start.
    pub seconds: f64,
}

/// A circle on the ground to keep out of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Obstacle {
    /// Centre `(x, z)`, metres.
    pub xz_m: [f64; 2],
    /// Radius, metres.
    pub radius_m: f64,
}

/// An ONNX network of the user's that scores clips as something to make small: see
/// [`ScoreNetwork`](crate::runtime::ScoreNetwork) for what it takes and returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkGoal {
    /// The file.
    pub path: std::path::PathBuf,
    /// Weight beside the other losses, not negative.
    pub weight: f64,
}

/// What to generate. Made by [`GenerateRequest::builder`], which checks it.
///
/// ```
/// use kinograd::GenerateRequest;
///
/// let request = GenerateRequest::builder("a person walks forward")
///     .target(2.0, 3.0)
///     .obstacle(1.0, 1.5, 0.5)
///     .seed(7)
///     .build()?;
/// assert_eq!(request.frames(), 120);
/// assert!(GenerateRequest::builder("").build().is_err());
/// # Ok::<(), kinograd::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GenerateRequest {
    /// What the person does, or does first.
    pub prompt: String,
    /// What they do later, in order of time.
    #[serde(default)]
    pub then: Vec<Then>,
    /// Length of the clip, seconds.
    pub duration_secs: f64,
    /// Frames per second of the clip.
    pub fps: f64,
    /// How many clips.
    pub clips: usize,
    /// Seed; clip `i` depends on it and `i` only.
    pub seed: u64,
    /// Denoising steps.
    pub steps: usize,
    /// How one noise level leads to the next.
    pub sampler: Sampler,
    /// Classifier-free guidance scale; `None` takes the model's own.
    pub cfg: Option<f64>,
    /// How goals and obstacles steer.
    pub method: Method,
    /// Strength of the steering; `None` takes the method's own.
    pub guidance_scale: Option<f64>,
    /// When and how much the method acts.
    #[serde(default, skip_serializing_if = "Steering::is_default")]
    pub steering: Steering,
    /// Weight of the text loss: the clip is steered towards the prompt as the model's motion
    /// embedding reads it. 0 leaves it out; `None` is [`BESIDE_GOALS`](Self::BESIDE_GOALS) where
    /// [`Method::Projection`] follows goals and the model has a motion embedding, and else 0.
    #[serde(default)]
    pub text_guidance: Option<f64>,
    /// Networks whose scores are made small.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<NetworkGoal>,
    /// Where to be at the end.
    pub target: Option<Goal>,
    /// Where to be on the way.
    pub waypoints: Vec<Goal>,
    /// Where not to be.
    pub obstacles: Vec<Obstacle>,
    /// Whether feet in contact are held still.
    pub foot_lock: bool,
}

impl GenerateRequest {
    /// Weight of the text loss beside goals, so that the gait does not suffer from the way.
    pub const BESIDE_GOALS: f64 = 0.5;

    /// Starts a request.
    pub fn builder(prompt: impl Into<String>) -> GenerateRequestBuilder {
        GenerateRequestBuilder {
            sampler: None,
            request: Self {
                prompt: prompt.into(),
                then: Vec::new(),
                duration_secs: 6.0,
                fps: MODEL_FPS,
                clips: 1,
                seed: 0,
                steps: 20,
                sampler: Sampler::Ddim,
                cfg: None,
                method: Method::DEFAULT,
                guidance_scale: None,
                steering: Steering::default(),
                text_guidance: None,
                networks: Vec::new(),
                target: None,
                waypoints: Vec::new(),
                obstacles: Vec::new(),
                foot_lock: true,
            },
        }
    }

    /// Frames the model makes, at 20 per second.
    #[must_use]
    pub fn frames(&self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "1 to 10 s"
        )]
        let frames = (self.duration_secs * MODEL_FPS).round() as usize;
        frames
    }

    /// Whether anything steers the clip.
    #[must_use]
    pub fn is_guided(&self) -> bool {
        self.method != Method::None && self.asks_for_steering()
    }

    fn asks_for_steering(&self) -> bool {
        self.has_goals() || self.follows_text() || !self.networks.is_empty()
    }

    /// Whether the text loss was asked for.
    pub(crate) fn follows_text(&self) -> bool {
        self.text_guidance.is_some_and(|weight| weight > 0.0)
    }

    /// Weight of the text loss, for a model with or without a motion embedding.
    pub(crate) fn text_weight(&self, has_embedding: bool) -> f64 {
        let by_default = self.method == Method::Projection && self.has_goals() && has_embedding;
        self.text_guidance
            .unwrap_or(if by_default { Self::BESIDE_GOALS } else { 0.0 })
    }

    fn has_goals(&self) -> bool {
        self.target.is_some() || !self.waypoints.is_empty() || !self.obstacles.is_empty()
    }

    /// Goals in order of time, as `(seconds, (x, z))`; the target is among them.
    #[must_use]
    pub fn goals(&self) -> Vec<(f64, [f64; 2])> {
        let mut goals: Vec<(f64, [f64; 2])> = self
            .waypoints
            .iter()
            .chain(&self.target)
            .map(|goal| (goal.seconds.unwrap_or(self.duration_secs), goal.xz_m))
            .collect();
        goals.sort_by(|a, b| a.0.total_cmp(&b.0));
        goals
    }

    /// All prompts as one line.
    #[must_use]
    pub fn prompts_in_words(&self) -> String {
        let then = self.then.iter().map(|then| then.prompt.as_str());
        let all: Vec<&str> = std::iter::once(self.prompt.as_str()).chain(then).collect();
        all.join(", then ")
    }

    /// What the user should know before the run.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let (mut at, mut from) = (0.0, [0.0, 0.0]);
        for (seconds, xz_m) in self.goals() {
            let way_m = distance_m(from, xz_m);
            let speed_m_per_s = way_m / (seconds - at).max(1.0 / MODEL_FPS);
            if speed_m_per_s > FAST_M_PER_S {
                warnings.push(Warning::FastTarget {
                    speed_m_per_s,
                    seconds,
                });
            }
            (at, from) = (seconds, xz_m);
        }
        if self.method == Method::None && self.asks_for_steering() {
            warnings.push(Warning::Other(
                "method none: goals and obstacles are measured, but nothing steers".to_owned(),
            ));
        }
        warnings
    }

    /// The command that makes the same clips, without its output files.
    #[must_use]
    pub fn to_command(&self) -> String {
        let words = [self.prompt_words(), self.setting_words(), self.goal_words()];
        format!("kinograd generate {}", words.concat().join(" "))
    }

    /// As [`to_command`](Self::to_command), with goals from a scene's file, and with its prompts
    /// unless they were given beside it.
    #[must_use]
    pub fn to_command_with_scene(&self, scene: &Path, own_prompts: bool) -> String {
        let mut words = if own_prompts {
            self.prompt_words()
        } else {
            Vec::new()
        };
        words.extend(self.setting_words());
        let scene = shell_quoted(&scene.display().to_string());
        format!("kinograd generate {} --scene {scene}", words.join(" "))
    }

    fn prompt_words(&self) -> Vec<String> {
        let then = self.then.iter().map(|then| {
            let timed = format!("{}@{}", then.prompt, then.seconds);
            format!("--then {}", shell_quoted(&timed))
        });
        std::iter::once(shell_quoted(&self.prompt))
            .chain(then)
            .collect()
    }

    fn setting_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: String| words.push(format!("--{name} {value}"));
        option("seconds", self.duration_secs.to_string());
        option("fps", self.fps.to_string());
        option("n", self.clips.to_string());
        option("seed", self.seed.to_string());
        option("steps", self.steps.to_string());
        option("sampler", self.sampler.name().to_owned());
        if let Some(cfg) = self.cfg {
            option("cfg", cfg.to_string());
        }
        option("method", self.method.name().to_owned());
        if let Some(scale) = self.guidance_scale {
            option("guidance-scale", scale.to_string());
        }
        if let Some(weight) = self.text_guidance {
            option("text-guidance", weight.to_string());
        }
        for network in &self.networks {
            let path = shell_quoted(&network.path.display().to_string());
            option("loss-onnx", format!("{path},{}", network.weight));
        }
        words.extend(self.steering.words());
        if !self.foot_lock {
            words.push("--no-foot-lock".to_owned());
        }
        words
    }

    fn goal_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: String| words.push(format!("--{name} {value}"));
        let place = |goal: &Goal| {
            let [x, z] = goal.xz_m;
            goal.seconds
                .map_or(format!("{x},{z}"), |seconds| format!("{x},{z}@{seconds}"))
        };
        if let Some(target) = &self.target {
            option("target", place(target));
        }
        for waypoint in &self.waypoints {
            option("waypoint", place(waypoint));
        }
        for obstacle in &self.obstacles {
            let [x, z] = obstacle.xz_m;
            option("obstacle", format!("{x},{z},{}", obstacle.radius_m));
        }
        words
    }

    fn check(&self) -> Result<(), Error> {
        self.check_prompts()?;
        self.check_numbers()?;
        self.check_goals()?;
        self.check_obstacles()
    }

    fn check_prompts(&self) -> Result<(), Error> {
        check_prompt("prompt", &self.prompt)?;
        let mut before = 0.0;
        for then in &self.then {
            check_prompt("then", &then.prompt)?;
            if !(then.seconds > before && then.seconds < self.duration_secs) {
                return Err(refuse(
                    "then",
                    format!(
                        "`{}` at {} s, but it must come after {before} s and before the end at {} s",
                        then.prompt, then.seconds, self.duration_secs
                    ),
                ));
            }
            before = then.seconds;
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), Error> {
        let (shortest, longest) = DURATION_RANGE_SECS;
        check_range("seconds", self.duration_secs, shortest, longest)?;
        check_range("fps", self.fps, 1.0, 240.0)?;
        if let Some(cfg) = self.cfg {
            check_range("cfg", cfg, 0.0, 20.0)?;
        }
        if let Some(scale) = self.guidance_scale {
            check_range("guidance scale", scale, 0.0, 1e6)?;
        }
        self.steering.check()?;
        if let Some(weight) = self.text_guidance {
            check_range("text guidance", weight, 0.0, 1e6)?;
        }
        for network in &self.networks {
            check_range("loss-onnx weight", network.weight, 0.0, 1e6)?;
        }
        if self.steps == 0 || self.steps > 1000 {
            return Err(refuse(
                "steps",
                format!("{} is outside 1 to 1000", self.steps),
            ));
        }
        if self.clips == 0 || self.clips > MAX_CLIPS {
            return Err(refuse(
                "n",
                format!("{} clips; 1 to {MAX_CLIPS} are possible", self.clips),
            ));
        }
        Ok(())
    }

    fn check_goals(&self) -> Result<(), Error> {
        for (field, goal) in self
            .target
            .iter()
            .map(|goal| ("target", goal))
            .chain(self.waypoints.iter().map(|goal| ("waypoint", goal)))
        {
            check_place(field, goal.xz_m)?;
            match goal.seconds {
                Some(seconds) if !(seconds > 0.0 && seconds <= self.duration_secs) => {
                    return Err(refuse(
                        field,
                        format!(
                            "at {seconds} s, but the clip lasts from 0 to {} s",
                            self.duration_secs
                        ),
                    ));
                }
                None if field == "waypoint" => {
                    return Err(refuse(field, "needs its time in seconds"));
                }
                _ => {}
            }
        }
        let goals = self.goals();
        for pair in goals.windows(2) {
            if (pair[1].0 - pair[0].0).abs() < 0.5 / MODEL_FPS && pair[0].1 != pair[1].1 {
                return Err(refuse(
                    "waypoint",
                    format!("two places at the same time, {} s", pair[0].0),
                ));
            }
        }
        Ok(())
    }

    fn check_obstacles(&self) -> Result<(), Error> {
        for obstacle in &self.obstacles {
            check_place("obstacle", obstacle.xz_m)?;
            let ([x, z], radius) = (obstacle.xz_m, obstacle.radius_m);
            if !(radius.is_finite() && radius > 0.0) {
                return Err(refuse(
                    "obstacle",
                    format!("radius {radius} m at ({x}, {z}); it must be above 0"),
                ));
            }
            if distance_m(obstacle.xz_m, [0.0, 0.0]) < radius {
                return Err(refuse(
                    "obstacle",
                    format!("({x}, {z}) with radius {radius} m covers the start (0, 0)"),
                ));
            }
            for (seconds, goal) in self.goals() {
                if distance_m(obstacle.xz_m, goal) < radius {
                    return Err(refuse(
                        "obstacle",
                        format!(
                            "({x}, {z}) with radius {radius} m covers the place ({}, {}) to be at after {seconds} s",
                            goal[0], goal[1]
                        ),
                    ));
                }
            }
        }
        Ok(())
    }
}

fn check_prompt(field: &'static str, prompt: &str) -> Result<(), Error> {
    let chars = prompt.chars().count();
    if prompt.trim().is_empty() {
        return Err(refuse(field, "is empty; say what the person does"));
    }
    if chars > MAX_PROMPT_CHARS {
        return Err(refuse(
            field,
            format!("has {chars} characters; at most {MAX_PROMPT_CHARS} are read"),
        ));
    }
    Ok(())
}

/// Collects a [`GenerateRequest`].
#[derive(Debug, Clone)]
#[must_use]
pub struct GenerateRequestBuilder {
    request: GenerateRequest,
    /// The method's own if `None`.
    sampler: Option<Sampler>,
}

impl GenerateRequestBuilder {
    /// What the person does from a time on, in place of what they did before.
    pub fn then(mut self, prompt: impl Into<String>, seconds: f64) -> Self {
        self.request.then.push(Then {
            prompt: prompt.into(),
            seconds,
        });
        self
    }

    /// Length of the clip, 1 to 10 seconds.
    pub fn seconds(mut self, seconds: f64) -> Self {
        self.request.duration_secs = seconds;
        self
    }

    /// Frames per second of the clip; the model itself works at 20.
    pub fn fps(mut self, fps: f64) -> Self {
        self.request.fps = fps;
        self
    }

    /// How many clips.
    pub fn clips(mut self, clips: usize) -> Self {
        self.request.clips = clips;
        self
    }

    /// The same seed, model and provider give the same bytes.
    pub fn seed(mut self, seed: u64) -> Self {
        self.request.seed = seed;
        self
    }

    /// Denoising steps.
    pub fn steps(mut self, steps: usize) -> Self {
        self.request.steps = steps;
        self
    }

    /// How one noise level leads to the next, instead of what the method takes.
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = Some(sampler);
        self
    }

    /// Classifier-free guidance scale; 1 is off.
    pub fn cfg(mut self, cfg: f64) -> Self {
        self.request.cfg = Some(cfg);
        self
    }

    /// How goals and obstacles steer.
    pub fn method(mut self, method: Method) -> Self {
        self.request.method = method;
        self
    }

    /// Strength of the steering.
    pub fn guidance_scale(mut self, scale: f64) -> Self {
        self.request.guidance_scale = Some(scale);
        self
    }

    /// When and how much the method acts.
    pub fn steering(mut self, steering: Steering) -> Self {
        self.request.steering = steering;
        self
    }

    /// Weight of the text loss, not negative.
    pub fn text_guidance(mut self, weight: f64) -> Self {
        self.request.text_guidance = Some(weight);
        self
    }

    /// A network whose score is made small, with its weight beside the other losses.
    pub fn network(mut self, path: impl Into<std::path::PathBuf>, weight: f64) -> Self {
        self.request.networks.push(NetworkGoal {
            path: path.into(),
            weight,
        });
        self
    }

    /// Where to be at the end, metres on the ground.
    pub fn target(mut self, x_m: f64, z_m: f64) -> Self {
        self.request.target = Some(Goal {
            xz_m: [x_m, z_m],
            seconds: None,
        });
        self
    }

    /// Where to be at a time, metres on the ground; the clip may go on after it.
    pub fn target_at(mut self, x_m: f64, z_m: f64, seconds: f64) -> Self {
        self.request.target = Some(Goal {
            xz_m: [x_m, z_m],
            seconds: Some(seconds),
        });
        self
    }

    /// Where to be on the way.
    pub fn waypoint(mut self, x_m: f64, z_m: f64, seconds: f64) -> Self {
        self.request.waypoints.push(Goal {
            xz_m: [x_m, z_m],
            seconds: Some(seconds),
        });
        self
    }

    /// A circle to keep out of.
    pub fn obstacle(mut self, x_m: f64, z_m: f64, radius_m: f64) -> Self {
        self.request.obstacles.push(Obstacle {
            xz_m: [x_m, z_m],
            radius_m,
        });
        self
    }

    /// Whether feet in contact are held still; they are unless this says otherwise.
    pub fn foot_lock(mut self, foot_lock: bool) -> Self {
        self.request.foot_lock = foot_lock;
        self
    }

    /// Checks the request.
    ///
    /// # Errors
    /// [`Error::Request`] that names the field, what was expected and what came.
    pub fn build(mut self) -> Result<GenerateRequest, Error> {
        let own = self.request.method.default_sampler();
        self.request.sampler = self.sampler.unwrap_or(own);
        self.request.check()?;
        Ok(self.request)
    }
}

fn refuse(field: &'static str, message: impl Into<String>) -> Error {
    Error::Request {
        field,
        message: message.into(),
    }
}

fn check_range(field: &'static str, value: f64, low: f64, high: f64) -> Result<(), Error> {
    // Written so that NaN fails.
    if value >= low && value <= high {
        Ok(())
    } else {
        Err(refuse(field, format!("{value} is outside {low} to {high}")))
    }
}

fn check_place(field: &'static str, xz_m: [f64; 2]) -> Result<(), Error> {
    let [x, z] = xz_m;
    if !(x.is_finite() && z.is_finite()) {
        return Err(refuse(field, format!("({x}, {z}) is not a finite place")));
    }
    if distance_m(xz_m, [0.0, 0.0]) > MAX_DISTANCE_M {
        return Err(refuse(
            field,
            format!("({x}, {z}) is more than {MAX_DISTANCE_M} m away"),
        ));
    }
    Ok(())
}

fn distance_m(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

pub(crate) fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk() -> GenerateRequestBuilder {
        GenerateRequest::builder("a person walks")
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let cases: Vec<(GenerateRequestBuilder, &str)> = vec![
            (GenerateRequest::builder("  \n"), "prompt: is empty"),
            (
                GenerateRequest::builder("x".repeat(10_000)),
                "prompt: has 10000 characters",
            ),
            (walk().seconds(0.0), "seconds: 0 is outside 1 to 10"),
            (walk().seconds(1000.0), "seconds: 1000 is outside"),
            (walk().seconds(f64::NAN), "seconds: NaN is outside"),
            (walk().fps(0.0), "fps: 0 is outside"),
            (walk().steps(0), "steps: 0 is outside"),
            (walk().clips(0), "n: 0 clips"),
            (walk().cfg(-1.0), "cfg: -1 is outside"),
            (
                walk().guidance_scale(f64::INFINITY),
                "guidance scale: inf is outside",
            ),
            (
                walk().network("score.onnx", -1.0),
                "loss-onnx weight: -1 is outside",
            ),
            (walk().target(f64::NAN, 1.0), "target: (NaN, 1) is not"),
            (walk().target(1e9, 1.0), "target: (1000000000, 1) is more"),
            (walk().target_at(1.0, 1.0, 7.0), "target: at 7 s"),
            (walk().waypoint(1.0, 1.0, 0.0), "waypoint: at 0 s"),
            (
                walk().target(1.0, 1.0).waypoint(2.0, 1.0, 6.0),
                "two places at the same time",
            ),
            (walk().obstacle(1.0, 1.0, -0.5), "obstacle: radius -0.5 m"),
            (walk().obstacle(1.0, 1.0, 0.0), "obstacle: radius 0 m"),
            (
                walk().obstacle(0.1, 0.1, 0.5),
                "obstacle: (0.1, 0.1) with radius 0.5 m covers the start",
            ),
            (
                walk().target(2.0, 2.0).obstacle(2.0, 1.8, 0.5),
                "covers the place (2, 2)",
            ),
        ];
        for (builder, part) in cases {
            let message = builder.build().expect_err(part).to_string();
            assert!(message.contains(part), "{message} lacks {part}");
        }
    }

    #[test]
    fn speed_is_warned_of_only_above_a_jog() {
        let slow = walk().target(2.0, 3.0).build().unwrap();
        assert_eq!(slow.warnings(), vec![]);
        let fast = walk().target(0.0, 30.0).build().unwrap();
        assert_eq!(
            fast.warnings(),
            vec![Warning::FastTarget {
                speed_m_per_s: 5.0,
                seconds: 6.0
            }]
        );
    }

    #[test]
    fn goals_are_in_order_of_time() {
        let request = walk()
            .waypoint(2.0, 2.0, 4.0)
            .waypoint(1.0, 1.0, 2.0)
            .target(3.0, 3.0)
            .build()
            .unwrap();
        let times: Vec<f64> = request.goals().iter().map(|goal| goal.0).collect();
        assert_eq!(times, vec![2.0, 4.0, 6.0]);
    }

    #[test]
    fn the_command_names_every_option() {
        let command = GenerateRequest::builder("it's me")
            .target_at(-2.0, 3.0, 5.0)
            .obstacle(1.0, 1.5, 0.5)
            .network("my score.onnx", 0.5)
            .foot_lock(false)
            .build()
            .unwrap()
            .to_command();
        assert!(command.contains(" --loss-onnx 'my score.onnx',0.5 "));
        assert!(command.starts_with(r"kinograd generate 'it'\''s me' --seconds 6"));
        assert!(command.ends_with("--no-foot-lock --target -2,3@5 --obstacle 1,1.5,0.5"));
    }
}
