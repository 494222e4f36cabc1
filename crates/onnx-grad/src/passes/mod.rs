//! Rewrites of whole graphs, in the order in which [`crate::differentiate`] runs them: weights are
//! chosen ([`weights`]), the model is read ([`load`]) with its functions expanded ([`functions`]), the
//! gradient is added ([`reverse`], with [`fusions`] of several nodes; [`refusal`] says why it cannot
//! be), the graph is cut in two ([`partition`], a minimum cut of a [`network`]), written
//! ([`assemble`]) and checked ([`check`]), and its tensors' lives are noted ([`lifetimes`]).
//!
//! Passes ask rules; no rule knows a pass.

pub(crate) mod assemble;
mod check;
mod functions;
mod fusions;
pub(crate) mod lifetimes;
pub(crate) mod load;
mod network;
pub(crate) mod partition;
mod refusal;
pub(crate) mod reverse;
pub(crate) mod weights;
