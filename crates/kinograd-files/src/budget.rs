use std::ops::RangeInclusive;
use std::sync::OnceLock;

/// The variable that raises all limits of size: a factor.
const VARIABLE: &str = "KINOGRAD_BUDGET";

static OF_PROCESS: OnceLock<Budget> = OnceLock::new();

/// How much foreign input may ask for. A run within it stays below 2 GB of memory for its input.
///
/// Counts, sizes and the time of evaluations are raised together, by `--budget FACTOR` or the variable `KINOGRAD_BUDGET`;
/// ranges of physical values stay.
///
/// ```
/// use kinograd_files::Budget;
///
/// let budget = Budget::default();
/// budget.check_joint_frames(22, 200)?;
/// let error = budget.check_joint_frames(22, 10_000_000).unwrap_err().to_string();
/// assert_eq!(
///     error,
///     "joints × frames: 22 × 10000000 = 220000000, at most 10000000 are taken (--budget 22 or \
///      KINOGRAD_BUDGET=22 takes it)"
/// );
/// budget.scaled(22.0).check_joint_frames(22, 10_000_000)?;
/// # Ok::<(), kinograd_files::OverBudget>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// Bytes of a clip, a picture or arrays, which are read whole.
    pub bytes: u64,
    /// Bytes of a text that is parsed: JSON, CSV.
    pub text_bytes: u64,
    /// Bytes of a network or a data set.
    pub large_bytes: u64,
    /// Joints of a skeleton.
    pub joints: u64,
    /// Joints times frames of a clip, also after it is resampled.
    pub joint_frames: u64,
    /// Goals of one kind in a task: obstacles, waypoints, prompts.
    pub goals: u64,
    /// Numbers in one sample or latent of a picture model.
    pub sample_elements: u64,
    /// Numbers in all samples of a run together.
    pub batch_elements: u64,
    /// Threads of an engine.
    pub threads: u64,
    /// Frames per second.
    pub fps: RangeInclusive<f64>,
    /// Metres per unit of length of a file.
    pub unit_m: RangeInclusive<f64>,
    /// Seconds of a clip or of a time in a task.
    pub secs: RangeInclusive<f64>,
    /// Magnitude of a position or distance in a task, metres.
    pub distance_m: f64,
    /// Magnitude of a speed in a task, metres per second.
    pub speed_mps: f64,
    /// Magnitude of a weight, a strength or a scale in a task.
    pub weight: f64,
    /// Longest evaluation of a user's network, seconds.
    pub evaluation_secs: f64,
    /// What counts and sizes were multiplied by: see [`Budget::scaled`].
    pub scale: f64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            bytes: 512 << 20,
            text_bytes: 64 << 20,
            large_bytes: 64 << 30,
            joints: 4_096,
            joint_frames: 10_000_000,
            goals: 256,
            sample_elements: 1 << 22,
            batch_elements: 1 << 26,
            threads: 1_024,
            fps: 0.1..=1_000.0,
            unit_m: 1e-6..=1e6,
            secs: 0.0..=86_400.0,
            distance_m: 10_000.0,
            speed_mps: 100.0,
            weight: 1e9,
            evaluation_secs: 10.0,
            scale: 1.0,
        }
    }
}

/// Foreign input asks for more than the [`Budget`] allows.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OverBudget {
    /// A count or a size.
    #[error("{what}: {value}, at most {limit} are taken{}", hint(*raise))]
    Count {
        /// The field.
        what: String,
        /// What came.
        value: String,
        /// Most that is taken.
        limit: u64,
        /// The factor that would take it, where there is one.
        raise: Option<u64>,
    },
    /// A value with a range.
    #[error("{what}: {value}; {from} to {to}{unit} is taken")]
    Range {
        /// The field.
        what: String,
        /// What came.
        value: f64,
        /// Least value.
        from: f64,
        /// Largest value.
        to: f64,
        /// The unit, after a space.
        unit: &'static str,
    },
}

fn hint(raise: Option<u64>) -> String {
    raise.map_or_else(String::new, |factor| {
        format!(" (--budget {factor} or {VARIABLE}={factor} takes it)")
    })
}

impl Budget {
    /// The budget of this process: what [`Budget::set_of_process`] set, else the default times
    /// `KINOGRAD_BUDGET`.
    pub fn of_process() -> &'static Self {
        OF_PROCESS.get_or_init(|| match std::env::var(VARIABLE) {
            Ok(text) => Self::parse_factor(&text).map_or_else(|_| Self::default(), Self::by_factor),
            Err(_) => Self::default(),
        })
    }

    /// Sets the budget of this process; false where it is in use already.
    pub fn set_of_process(budget: Self) -> bool {
        OF_PROCESS.set(budget).is_ok()
    }

    fn by_factor(factor: f64) -> Self {
        Self::default().scaled(factor)
    }

    /// Reads the factor of `--budget` and `KINOGRAD_BUDGET`.
    ///
    /// # Errors
    /// A sentence, where it is no number from 0.001 to 1,000,000.
    pub fn parse_factor(text: &str) -> Result<f64, String> {
        match text.trim().parse::<f64>() {
            Ok(factor) if (1e-3..=1e6).contains(&factor) => Ok(factor),
            _ => Err(format!(
                "`{text}` is no factor from 0.001 to 1000000 for the limits of foreign input"
            )),
        }
    }

    /// Counts, sizes and the time of evaluations times a factor.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        for count in [
            &mut self.bytes,
            &mut self.text_bytes,
            &mut self.large_bytes,
            &mut self.joints,
            &mut self.joint_frames,
            &mut self.goals,
            &mut self.sample_elements,
            &mut self.batch_elements,
            &mut self.threads,
        ] {
            *count = (*count as f64 * factor) as u64;
        }
        self.evaluation_secs *= factor;
        self.scale *= factor;
        self
    }

    /// Refuses a `value` above one of the counts of this budget.
    ///
    /// ```
    /// use kinograd_files::Budget;
    /// let budget = Budget::default();
    /// budget.check("obstacles", 3, budget.goals)?;
    /// assert!(budget.check("obstacles", 5_000, budget.goals).is_err());
    /// # Ok::<(), kinograd_files::OverBudget>(())
    /// ```
    ///
    /// # Errors
    /// [`OverBudget::Count`] with the field, the value and the limit.
    pub fn check(&self, what: impl Into<String>, value: u64, limit: u64) -> Result<(), OverBudget> {
        if value <= limit {
            return Ok(());
        }
        Err(self.over(what.into(), value.to_string(), u128::from(value), limit))
    }

    fn over(&self, what: String, value: String, count: u128, limit: u64) -> OverBudget {
        let factor = (count as f64 * self.scale / (limit.max(1)) as f64).ceil();
        OverBudget::Count {
            what,
            value,
            limit,
            raise: (factor <= 1e6).then_some(factor as u64),
        }
    }

    /// Refuses a clip of too many joints × frames, or of too many joints.
    ///
    /// # Errors
    /// [`OverBudget::Count`].
    pub fn check_joint_frames(&self, joints: usize, frames: usize) -> Result<(), OverBudget> {
        self.check("joints", joints as u64, self.joints)?;
        let count = joints.max(1) as u128 * frames as u128;
        if count <= u128::from(self.joint_frames) {
            return Ok(());
        }
        Err(self.over(
            "joints × frames".to_owned(),
            format!("{joints} × {frames} = {count}"),
            count,
            self.joint_frames,
        ))
    }

    /// Refuses a shape of more elements than `limit`; safe against overflow.
    ///
    /// # Errors
    /// [`OverBudget::Count`].
    pub fn check_shape(
        &self,
        what: impl Into<String>,
        shape: &[usize],
        limit: u64,
    ) -> Result<(), OverBudget> {
        let count = shape
            .iter()
            .try_fold(1u128, |count, &side| count.checked_mul(side as u128))
            .unwrap_or(u128::MAX);
        if count <= u128::from(limit) {
            return Ok(());
        }
        let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
        let value = format!("{} elements", sides.join(" × "));
        Err(self.over(what.into(), value, count, limit))
    }

    /// Refuses frames per second outside [`Budget::fps`].
    ///
    /// # Errors
    /// [`OverBudget::Range`].
    pub fn check_fps(&self, what: impl Into<String>, fps: f64) -> Result<(), OverBudget> {
        in_range(what, fps, &self.fps, " frames per second")
    }

    /// Refuses a unit outside [`Budget::unit_m`].
    ///
    /// # Errors
    /// [`OverBudget::Range`].
    pub fn check_unit(&self, what: impl Into<String>, metres: f64) -> Result<(), OverBudget> {
        in_range(what, metres, &self.unit_m, " metres per unit")
    }

    /// Refuses a time or a duration outside [`Budget::secs`].
    ///
    /// # Errors
    /// [`OverBudget::Range`].
    pub fn check_secs(&self, what: impl Into<String>, secs: f64) -> Result<(), OverBudget> {
        in_range(what, secs, &self.secs, " seconds")
    }

    /// Refuses a position or distance beyond ±[`Budget::distance_m`].
    ///
    /// # Errors
    /// [`OverBudget::Range`].
    pub fn check_distance(&self, what: impl Into<String>, metres: f64) -> Result<(), OverBudget> {
        in_range(
            what,
            metres,
            &(-self.distance_m..=self.distance_m),
            " metres",
        )
    }

    /// Refuses a speed beyond ±[`Budget::speed_mps`].
    ///
    /// # Errors
    /// [`OverBudget::Range`].
    pub fn check_speed(&self, what: impl Into<String>, mps: f64) -> Result<(), OverBudget> {
        let range = -self.speed_mps..=self.speed_mps;
        in_range(what, mps, &range, " metres per second")
    }

    /// Refuses a magnitude beyond `limit`; `unit` follows the numbers, after a space.
    ///
    /// # Errors
    /// [`OverBudget::Range`].
    pub fn check_within(
        &self,
        what: impl Into<String>,
        value: f64,
        limit: f64,
        unit: &'static str,
    ) -> Result<(), OverBudget> {
        in_range(what, value, &(-limit..=limit), unit)
    }

    /// Refuses a weight beyond ±[`Budget::weight`].
    ///
    /// # Errors
    /// [`OverBudget::Range`].
    pub fn check_weight(&self, what: impl Into<String>, weight: f64) -> Result<(), OverBudget> {
        in_range(what, weight, &(-self.weight..=self.weight), "")
    }
}

fn in_range(
    what: impl Into<String>,
    value: f64,
    range: &RangeInclusive<f64>,
    unit: &'static str,
) -> Result<(), OverBudget> {
    // NaN is in no range.
    if range.contains(&value) {
        return Ok(());
    }
    Err(OverBudget::Range {
        what: what.into(),
        value,
        from: *range.start(),
        to: *range.end(),
        unit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_refuse_what_is_no_number() {
        let budget = Budget::default();
        for fps in [f64::NAN, f64::INFINITY, 0.0, -1.0, 1e9] {
            let error = budget.check_fps("fps", fps).unwrap_err().to_string();
            assert!(error.contains("0.1 to 1000 frames per second"), "{error}");
        }
        for unit in [0.0, -1.0, 1e308, f64::NAN] {
            assert!(budget.check_unit("unit", unit).is_err(), "{unit}");
        }
        budget.check_fps("fps", 120.0).unwrap();
    }

    #[test]
    fn shapes_cannot_overflow() {
        let budget = Budget::default();
        let huge = [usize::MAX, usize::MAX, usize::MAX];
        let error = budget.check_shape("latent", &huge, budget.sample_elements);
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("latent: ") && !error.contains("--budget"),
            "{error}"
        );
        budget
            .check_shape("latent", &[4, 32, 32], budget.sample_elements)
            .unwrap();
    }

    #[test]
    fn the_factor_that_is_named_takes_it() {
        let budget = Budget::default().scaled(2.0);
        let OverBudget::Count {
            raise: Some(raise), ..
        } = budget.check("goals", 5_000, budget.goals).unwrap_err()
        else {
            panic!("no factor");
        };
        let raised = Budget::default().scaled(raise as f64);
        raised.check("goals", 5_000, raised.goals).unwrap();
        for wrong in ["", "x", "0", "-1", "nan", "inf", "1e9"] {
            assert!(Budget::parse_factor(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Budget::parse_factor(" 10 "), Ok(10.0));
    }
}
