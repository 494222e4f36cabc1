//! Data that has been checked.

use std::ops::Deref;

use kinograd_runtime::Manifest;
use serde::{Deserialize, Serialize};

use super::schedule::GuidanceSchedule;
use super::settings::Sampling;
use crate::{Error, Method};

/// What a task says, as plain data that can be checked.
pub trait Spec: Clone {
    /// Writes what means the same in the same way: before the check.
    fn normalize(&mut self);

    /// Whether it can be.
    ///
    /// # Errors
    /// [`Error::Task`] that names the field by its path, what came and what was expected.
    fn validate(&self) -> Result<(), Error>;

    /// How samples are drawn.
    fn sampling(&self) -> &Sampling;

    /// What steers.
    fn method(&self) -> Method;

    /// The strength that samples are steered with.
    fn guidance_scale(&self) -> f64;

    /// When and how much the method acts.
    fn schedule(&self) -> &GuidanceSchedule;

    /// Puts in what a package's defaults say of what is left to it: steps, sampler, and the scale of
    /// classifier-free guidance.
    fn settle(&mut self, manifest: &Manifest);

    /// What tasks of every modality say alike, to change.
    fn shared_mut(&mut self) -> SharedMut<'_>;
}

/// What tasks of every modality say alike.
#[derive(Debug)]
pub struct SharedMut<'a> {
    /// How samples are drawn.
    pub sampling: &'a mut Sampling,
    /// What steers.
    pub method: &'a mut Method,
    /// Strength of the steering; the method's own if absent.
    pub scale: &'a mut Option<f64>,
    /// When and how much the method acts.
    pub schedule: &'a mut GuidanceSchedule,
}

impl SharedMut<'_> {
    /// Another method. A sampler that the one before has by itself does not stay.
    pub fn choose_method(&mut self, method: Method) {
        if *self.method != method && self.sampling.sampler == Some(self.method.default_sampler()) {
            self.sampling.sampler = None;
        }
        *self.method = method;
    }
}

/// Data that has passed its check. It can be read as what it is, and changed by
/// [`edited`](Self::edited) or [`into_spec`](Self::into_spec) only, so that nothing invalid exists.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    try_from = "Unchecked<S>",
    bound(deserialize = "S: Spec + Deserialize<'de>")
)]
pub struct Checked<S: Spec>(S);

/// As it is read.
#[derive(Deserialize)]
#[serde(transparent)]
struct Unchecked<S>(S);

impl<S: Spec> Checked<S> {
    /// Checks data.
    ///
    /// # Errors
    /// As [`Spec::validate`].
    pub fn new(mut spec: S) -> Result<Self, Error> {
        spec.normalize();
        spec.validate()?;
        Ok(Self(spec))
    }

    /// The same with changes.
    ///
    /// # Errors
    /// As [`Spec::validate`], of the changed data.
    pub fn edited(&self, change: impl FnOnce(&mut S)) -> Result<Self, Error> {
        let mut spec = self.0.clone();
        change(&mut spec);
        Self::new(spec)
    }

    /// Its data, to change.
    #[must_use]
    pub fn into_spec(self) -> S {
        self.0
    }
}

impl<S: Spec + Serialize> Checked<S> {
    /// The data as JSON, indented.
    ///
    /// # Errors
    /// [`Error::Internal`] if it cannot be written, which checked data always can.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(&self.0).map_err(|error| Error::Internal(error.to_string()))
    }

    pub(crate) fn to_value(&self) -> Result<serde_json::Value, Error> {
        serde_json::to_value(&self.0).map_err(|error| Error::Internal(error.to_string()))
    }
}

impl<S: Spec> Deref for Checked<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0
    }
}

impl<S: Spec + Serialize> Serialize for Checked<S> {
    fn serialize<W: serde::Serializer>(&self, writer: W) -> Result<W::Ok, W::Error> {
        self.0.serialize(writer)
    }
}

impl<S: Spec> TryFrom<Unchecked<S>> for Checked<S> {
    type Error = Error;

    fn try_from(Unchecked(spec): Unchecked<S>) -> Result<Self, Error> {
        Self::new(spec)
    }
}
