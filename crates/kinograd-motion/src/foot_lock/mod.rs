//! Feet that stand where contacts say so.

pub(crate) mod leg;
