//! Every prompt's test has a clip that passes it and clips that fail it, made by formulas; what other
//! people's code counts, ours counts too.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod clips;
mod golden;
mod prompts;
mod puppet;
