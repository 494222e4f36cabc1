//! Every prompt's test has a clip that passes it and clips that fail it, made by formulas; what other
//! people's code counts, ours counts too.

mod clips;
mod golden;
mod prompts;
mod puppet;
