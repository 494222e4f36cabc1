//! Tasks step by step.

use std::path::PathBuf;

use kinograd_diffusion::SamplerKind;
use kinograd_guidance::goal::{Goal, Obstacle, RootTarget, TimedPoint, Waypoints};

use super::checked::{Checked, Spec};
use super::limits::DEFAULT_DURATION_SECS;
use super::motion_task::Task;
use super::prompts::Prompt;
use super::schedule::GuidanceSchedule;
use super::settings::NetworkLoss;
use super::spec::TaskSpec;
use crate::{Error, Method};

/// Collects a [`Task`](super::Task), or another modality's.
///
/// ```
/// use kinograd::Task;
///
/// let task = Task::builder("a person walks forward")
///     .target(2.0, 3.0)
///     .obstacle(1.0, 1.5, 0.5)
///     .seed(7)
///     .build()?;
/// assert_eq!(task.frames(), 120);
/// assert!(Task::builder("").build().is_err());
/// # Ok::<(), kinograd::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct TaskBuilder<S = TaskSpec> {
    pub(crate) spec: S,
}

impl Task {
    /// Starts a task with one prompt.
    pub fn builder(prompt: impl Into<String>) -> TaskBuilder {
        TaskBuilder::new(prompt)
    }
}

impl<S: Spec> From<S> for TaskBuilder<S> {
    fn from(spec: S) -> Self {
        Self { spec }
    }
}

/// What tasks of every modality say alike.
impl<S: Spec> TaskBuilder<S> {
    /// How many samples.
    pub fn count(mut self, count: usize) -> Self {
        self.spec.shared_mut().sampling.count = count;
        self
    }

    /// How many are drawn for each sample; the best is kept.
    pub fn best_of(mut self, draws: usize) -> Self {
        self.spec.shared_mut().sampling.best_of = draws;
        self
    }

    /// The same task, models, engine, provider and number of threads give the same bytes on one
    /// machine: see [`Sampling::seed`](super::Sampling::seed).
    pub fn seed(mut self, seed: u64) -> Self {
        self.spec.shared_mut().sampling.seed = seed;
        self
    }

    /// Denoising steps; the package's own if not given.
    pub fn steps(mut self, steps: usize) -> Self {
        self.spec.shared_mut().sampling.steps = Some(steps);
        self
    }

    /// How one noise level leads to the next, instead of what the method or the package takes.
    pub fn sampler(mut self, sampler: SamplerKind) -> Self {
        self.spec.shared_mut().sampling.sampler = Some(sampler);
        self
    }

    /// Classifier-free guidance scale; 1 is off, the model's own if not given.
    pub fn cfg(mut self, cfg: f64) -> Self {
        self.spec.shared_mut().sampling.cfg = Some(cfg);
        self
    }

    /// How goals steer.
    pub fn method(mut self, method: Method) -> Self {
        *self.spec.shared_mut().method = method;
        self
    }

    /// Strength of the steering; what was tuned for the method if not given.
    pub fn guidance_scale(mut self, scale: f64) -> Self {
        *self.spec.shared_mut().scale = Some(scale);
        self
    }

    /// When and how much the method acts.
    pub fn schedule(mut self, schedule: GuidanceSchedule) -> Self {
        *self.spec.shared_mut().schedule = schedule;
        self
    }

    /// What was collected, unchecked.
    #[must_use]
    pub fn into_spec(self) -> S {
        self.spec
    }

    /// Checks the task.
    ///
    /// # Errors
    /// [`Error::Task`] that names the field, what came and what was expected.
    pub fn build(self) -> Result<Checked<S>, Error> {
        Checked::new(self.spec)
    }
}

/// What clips have of their own.
impl TaskBuilder {
    pub(super) fn new(prompt: impl Into<String>) -> Self {
        TaskSpec::new(prompt, DEFAULT_DURATION_SECS).into()
    }

    /// What the person does from a time on, seconds, in place of what they did before.
    pub fn then(mut self, prompt: impl Into<String>, from_secs: f64) -> Self {
        self.spec.prompts.push(Prompt {
            from_secs: Some(from_secs),
            ..Prompt::new(prompt)
        });
        self
    }

    /// The model package, a name or a folder.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.spec.model = Some(model.into());
        self
    }

    /// Length of the clip, seconds.
    pub fn duration(mut self, duration_secs: f64) -> Self {
        self.spec.duration_secs = duration_secs;
        self
    }

    /// Frames per second of the clip; the model itself works at 20.
    pub fn fps(mut self, fps: f64) -> Self {
        self.spec.output.fps = fps;
        self
    }

    /// Weight of the text loss, not negative.
    pub fn text_guidance(mut self, weight: f64) -> Self {
        self.spec.guidance.text = Some(weight);
        self
    }

    /// A network whose score is made small, with its weight beside the other losses.
    pub fn network(mut self, onnx: impl Into<PathBuf>, weight: f64) -> Self {
        self.spec.losses.push(NetworkLoss {
            onnx: onnx.into(),
            weight,
        });
        self
    }

    /// Something to reach.
    pub fn goal(mut self, goal: impl Into<Goal>) -> Self {
        self.spec.goals.push(goal.into());
        self
    }

    /// Where to be at the end, metres on the ground.
    pub fn target(self, x_m: f64, z_m: f64) -> Self {
        self.goal(RootTarget::at_end([x_m, z_m]))
    }

    /// Where to be at a time, metres on the ground; the clip may go on after it.
    pub fn target_at(self, x_m: f64, z_m: f64, time_secs: f64) -> Self {
        self.goal(RootTarget {
            time_secs: Some(time_secs),
            ..RootTarget::at_end([x_m, z_m])
        })
    }

    /// Where to stand at the end, metres on the ground.
    pub fn arrive(self, x_m: f64, z_m: f64) -> Self {
        self.goal(RootTarget::arriving([x_m, z_m]))
    }

    /// Where to be on the way, metres on the ground.
    pub fn waypoint(mut self, x_m: f64, z_m: f64, time_secs: f64) -> Self {
        let point = TimedPoint {
            position_m: [x_m, z_m],
            time_secs: Some(time_secs),
        };
        let last = self.spec.goals.last_mut();
        if let Some(Goal::Waypoints(waypoints)) = last {
            waypoints.points.push(point);
            return self;
        }
        self.goal(Waypoints {
            points: vec![point],
            weight: 1.0,
        })
    }

    /// A circle to keep out of, metres on the ground.
    pub fn obstacle(mut self, x_m: f64, z_m: f64, radius_m: f64) -> Self {
        let circle = Obstacle::circle([x_m, z_m], radius_m);
        self.spec.obstacles.push(circle);
        self
    }

    /// Whether feet in contact are held still; they are unless this says otherwise.
    pub fn foot_lock(mut self, foot_lock: bool) -> Self {
        self.spec.output.foot_lock = foot_lock;
        self
    }

    /// The character that clips are made for.
    pub fn rig(mut self, rig: crate::RigSettings) -> Self {
        self.spec.output.rig = Some(rig);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warning::Warning;

    fn walk() -> TaskBuilder {
        Task::builder("a person walks")
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let cases: Vec<(TaskBuilder, &str)> = vec![
            (Task::builder("  \n"), "prompts[0].text: is empty"),
            (
                Task::builder("x".repeat(10_000)),
                "prompts[0].text: has 10000 characters",
            ),
            (walk().duration(0.0), "duration_secs: 0 must be above 0"),
            (walk().duration(1000.0), "duration_secs: 1000 must be"),
            (walk().duration(f64::NAN), "duration_secs: NaN must be"),
            (walk().fps(0.0), "output.fps: 0 is outside"),
            (walk().steps(0), "sampling.steps: 0 is outside"),
            (walk().count(0), "sampling.count: 0 is outside"),
            (walk().cfg(-1.0), "sampling.cfg: -1 is outside"),
            (
                walk().guidance_scale(f64::INFINITY),
                "guidance.scale: inf is outside",
            ),
            (
                walk().network("score.onnx", -1.0),
                "losses[0].weight: -1 is outside",
            ),
            (walk().then("sit", 6.0), "prompts[1].from_secs: 6 must be"),
            (walk().target(f64::NAN, 1.0), "goals[0].position_m"),
            (
                walk().target(1e9, 1.0),
                "goals[0].position_m[0]: 1000000000; -10000 to 10000 metres is taken",
            ),
            (walk().target(5e3, 1.0), "must be reachable from (0, 0)"),
            (
                walk().target_at(1.0, 1.0, 7.0),
                "goals[0].time_secs: 7 must lie within the clip",
            ),
            (
                walk().waypoint(1.0, 1.0, 0.0),
                "goals[0].position_m: [1, 1] must be reachable",
            ),
            (
                walk().target(1.0, 1.0).waypoint(2.0, 1.0, 6.0),
                "goals[1].time_secs",
            ),
            (
                walk().obstacle(1.0, 1.0, -0.5),
                "radius_m: -0.5 } must have",
            ),
            (walk().obstacle(1.0, 1.0, 0.0), "obstacles[0]."),
            (
                walk().obstacle(0.1, 0.1, 0.5),
                "must not cover the start at (0, 0)",
            ),
            (
                walk().target(2.0, 2.0).obstacle(2.0, 1.8, 0.5),
                "goals[0].position_m: [2, 2] must not lie within an obstacle",
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
    fn a_place_that_cannot_be_got_to_is_warned_of() {
        let ring = |task: TaskBuilder, index: i32| {
            let (sin, cos) = (f64::from(index) * std::f64::consts::TAU / 24.0).sin_cos();
            task.obstacle(1.5 * sin, 1.5 * cos, 0.25)
        };
        let barred = (0..24).fold(walk().target(0.0, 4.0), ring).build().unwrap();
        let position_m = [0.0, 4.0];
        assert_eq!(barred.warnings(), [Warning::NoWay { position_m }]);
        let open = (0..20).fold(walk().target(0.0, 4.0), ring).build().unwrap();
        assert_eq!(open.warnings(), []);
    }

    #[test]
    fn only_the_last_place_can_be_arrived_at() {
        let task = Task::from_json(
            r#"{"duration_secs": 5, "prompts": [{"text": "a person walks"}],
                "goals": [{"kind": "root_target", "position_m": [0, 2], "time_secs": 3, "arrive": true}]}"#,
        );
        let task = task.unwrap();
        assert!(task.to_json().unwrap().contains("\"arrive\": true"));
        let on = task.edited(|spec| {
            spec.goals.push(RootTarget::at_end([0.0, 4.0]).into());
        });
        let message = on.unwrap_err().to_string();
        assert!(
            message.starts_with("goals[0].arrive: true must be of the last place"),
            "{message}"
        );
    }

    #[test]
    fn a_task_is_its_json() {
        let task = walk()
            .then("a person sits down", 3.0)
            .target_at(-2.0, 3.0, 5.0)
            .waypoint(0.0, 1.5, 2.0)
            .obstacle(1.0, 1.5, 0.5)
            .network("score.onnx", 0.5)
            .foot_lock(false)
            .build()
            .unwrap();
        let json = task.to_json().unwrap();
        assert_eq!(Task::from_json(&json).unwrap(), task);
        assert!(
            serde_json::from_str::<Task>(
                &json.replace("\"duration_secs\": 6.0", "\"duration_secs\": 0")
            )
            .is_err()
        );
    }
}
