//! What the denoiser itself is told: a class, a text, or both.

use kinograd_runtime::{
    Conditioning, ImageCondition, ImageText, Manifest, NullText, PictureBatch, TextEncoder,
    find_package,
};
use ndarray::{Array1, Array2};

use super::PictureSpec;
use crate::Error;

/// Whether a package's denoiser is conditioned on the prompt itself, as by
/// [`PictureConditioning::text`](super::PictureConditioning::text), given the scale of
/// classifier-free guidance that was asked for.
///
/// # Errors
/// [`Error::Runtime`] if the package is not there or cannot be understood.
pub fn is_text_conditioned(model: &str, cfg: Option<f64>) -> Result<bool, Error> {
    Ok(find_package(model)?.manifest().is_text_conditioned(cfg))
}

/// What the denoiser is conditioned on: what is asked for and, with a scale, the null condition beside it.
pub(super) struct ConditioningBatch {
    pub batch: PictureBatch,
    /// The scale of classifier-free guidance, where it is not 1.
    pub cfg: Option<f64>,
    /// The class's index.
    pub class: Option<usize>,
}

impl ConditioningBatch {
    /// What the task tells this package's denoiser; `text` is the encoder, where one is needed.
    pub fn of(
        task: &PictureSpec,
        manifest: &Manifest,
        text: Option<&mut TextEncoder>,
    ) -> Result<Self, Error> {
        let name = &manifest.name;
        let refuse = |field, message: String| Err(Error::Request { field, message });
        let null_class = manifest.classes.as_ref().and_then(|classes| classes.null);
        let class = match (&manifest.classes, &task.conditioning.class) {
            (None, None) => None,
            (None, Some(class)) => {
                return refuse("class", format!("{class}: {name} has no classes"));
            }
            (Some(classes), Some(class)) => {
                let found = classes.find(class);
                Some(found.map_err(|message| Error::Request {
                    field: "class",
                    message: format!("{message} ({name})"),
                })?)
            }
            (Some(classes), None) if null_class.is_none() => {
                let count = classes.count;
                return refuse(
                    "class",
                    format!("{name} makes pictures of one of its {count} classes: name one"),
                );
            }
            (Some(_), None) => null_class,
        };
        if !manifest.takes_text() {
            if task.conditioning.text.is_some() {
                let message = format!("{name} reads no text; steer it by --loss text=PROMPT");
                return refuse("prompt", message);
            }
            if task.conditioning.negative.is_some() {
                return refuse("negative prompt", format!("{name} reads no text"));
            }
        } else if (task.conditioning.text.is_some() || task.conditioning.negative.is_some())
            && !manifest.is_text_conditioned(task.sampling.cfg)
        {
            let message = format!("{name} is told texts only at a scale that is not 0: give one");
            return refuse("cfg", message);
        }
        let (text, null_text) = match texts(task, manifest, text)? {
            Some([text, null]) => (Some(text), Some(null)),
            None => (None, None),
        };
        let has_null = manifest.has_null_condition();
        let told = ImageCondition { class, text };
        // A class without a null class stays, and the text alone is guided.
        let null = ImageCondition {
            class: null_class.or(class),
            text: null_text,
        };
        let scale = match task.sampling.cfg {
            Some(scale) if scale != 1.0 && !has_null => {
                let reason = if manifest.classes.is_some() {
                    "has no null class"
                } else {
                    "is told nothing"
                };
                let message = format!("{scale}: {name} {reason} to be guided away from");
                return refuse("cfg", message);
            }
            Some(scale) => scale,
            None if has_null => manifest.defaults.cfg.unwrap_or(1.0),
            None => 1.0,
        };
        let is_combined = scale != 1.0 && told != null;
        Ok(Self {
            class: told.class.filter(|_| task.conditioning.class.is_some()),
            batch: if is_combined {
                PictureBatch::guided(told, null, scale)
            } else {
                PictureBatch::of(told)
            },
            cfg: is_combined.then_some(scale),
        })
    }
}

/// What the denoiser reads of the prompt, and of what it is guided away from, where it takes text.
fn texts(
    task: &PictureSpec,
    manifest: &Manifest,
    encoder: Option<&mut TextEncoder>,
) -> Result<Option<[ImageText; 2]>, Error> {
    if !manifest.takes_text() {
        return Ok(None);
    }
    let Conditioning {
        max_tokens,
        dims,
        null,
        pooled_dims,
        ..
    } = manifest.text()?;
    let zeros = || ImageText {
        states: Array2::zeros((*max_tokens, *dims)),
        pooled: pooled_dims.map(Array1::zeros),
    };
    let Some(encoder) = encoder else {
        return Ok(Some([zeros(), zeros()]));
    };
    let null = match null {
        NullText::Empty => encoder.image_text("")?,
        NullText::Zeros => zeros(),
    };
    let read = |encoder: &mut TextEncoder, text: &Option<String>| match text {
        Some(text) => encoder.image_text(text),
        None => Ok(null.clone()),
    };
    let told = read(encoder, &task.conditioning.text)?;
    Ok(Some([told, read(encoder, &task.conditioning.negative)?]))
}

/// Whether a task's conditions need the text encoder of a package that takes text.
pub(super) fn needs_encoder(task: &PictureSpec, manifest: &Manifest) -> bool {
    let empty = |c: &Conditioning| c.null == NullText::Empty;
    let asked = task.conditioning.text.is_some() || task.conditioning.negative.is_some();
    manifest.takes_text() && (asked || manifest.conditioning.as_ref().is_some_and(empty))
}
