//! What a method follows.

use crate::loss::{
    Loss, MotionDecoder, MotionLossAdapter, Obstacles, RootPathLossAdapter, SumLoss,
};
use crate::{GroundGoals, GuidanceError};

/// A loss with its weight.
pub type WeightedLoss<'a> = (f64, Box<dyn Loss + 'a>);

/// Places and circles on the ground for the root of a batch of clips.
pub struct PathObjective {
    /// Decodes the root's paths.
    pub decoder: MotionDecoder,
    /// Where the root shall be and shall not be.
    pub goals: GroundGoals,
    /// The circles' loss for methods that follow a gradient; projection keeps its own margin.
    pub barrier: Obstacles,
}

/// What a sample shall meet, and what it shall follow besides.
///
/// Every method takes one: those that project meet the path and the constraints, the others follow
/// the weighted sum of all.
#[derive(Default)]
pub struct Objective<'a> {
    /// The root's path, for clips.
    pub path: Option<PathObjective>,
    /// Goals that are met where their loss is 0.
    pub constraints: Option<MotionLossAdapter>,
    /// Losses that never end, such as a text's, with their weights: for projection, the scale of the
    /// moves that follow them.
    pub losses: Vec<WeightedLoss<'a>>,
}

impl<'a> Objective<'a> {
    /// One loss and nothing else.
    #[must_use]
    pub fn of(loss: impl Loss + 'a) -> Self {
        Self {
            losses: vec![(1.0, Box::new(loss))],
            ..Self::default()
        }
    }

    /// Adds a loss to follow.
    pub fn follow(&mut self, weight: f64, loss: impl Loss + 'a) {
        self.losses.push((weight, Box::new(loss)));
    }

    /// The losses as one with its weight.
    pub(super) fn soft(
        mut losses: Vec<WeightedLoss<'a>>,
    ) -> Result<Option<WeightedLoss<'a>>, GuidanceError> {
        if losses.len() < 2 {
            return Ok(losses.pop());
        }
        let mut sum = SumLoss::new();
        for (weight, loss) in losses {
            sum = sum.with(weight, loss)?;
        }
        Ok(Some((1.0, Box::new(sum))))
    }

    /// All of it as one loss, as methods see it that follow a gradient.
    ///
    /// # Errors
    /// What [`GroundGoals::check`] finds; [`GuidanceError::Field`] for a weight that is negative or
    /// not finite.
    pub fn into_loss(self) -> Result<Box<dyn Loss + 'a>, GuidanceError> {
        let soft = Self::soft(self.losses)?;
        let mut terms: Vec<WeightedLoss<'a>> = Vec::new();
        if let Some(path) = self.path {
            let loss = RootPathLossAdapter::from_goals(path.decoder, &path.goals, path.barrier)?;
            terms.push((1.0, Box::new(loss)));
        }
        if let Some(constraints) = self.constraints {
            terms.push((1.0, Box::new(constraints)));
        }
        terms.extend(soft);
        if let [(weight, _)] = terms.as_slice()
            && *weight == 1.0
        {
            return Ok(terms.swap_remove(0).1);
        }
        let mut sum = SumLoss::new();
        for (weight, loss) in terms {
            sum = sum.with(weight, loss)?;
        }
        Ok(Box::new(sum))
    }
}
