//! The weight of a goal.

/// The weight that every goal has.
pub trait Weighted {
    /// At least 0; 0 leaves the goal out.
    fn weight(&self) -> f64;

    /// The weight, to change it.
    fn weight_mut(&mut self) -> &mut f64;
}
