//! What the denoiser itself is told: a class, a text, or both.

use kinograd_diffusion::{ClassifierFree, DifferentiableDenoiser};
use kinograd_runtime::{ImageCondition, ImageDenoiser, Manifest, TextEncoder, find_package};

use super::ImageRequest;
use crate::Error;

/// Whether a package's denoiser reads a prompt of its own: [`ImageRequest::text`] is for such.
///
/// # Errors
/// [`Error::Runtime`] if the package is not there or cannot be understood.
pub fn takes_text(model: &str) -> Result<bool, Error> {
    Ok(find_package(model)?.manifest().takes_text())
}

/// The conditions of a batch's parts: the one that is asked for and, with a scale, the null condition
/// after it.
pub(super) struct Told {
    pub parts: Vec<ImageCondition>,
    /// The scale of classifier-free guidance, where it is not 1.
    pub cfg: Option<f64>,
    /// The class's index.
    pub class: Option<usize>,
}

impl Told {
    /// The denoiser under classifier-free guidance, where there is some. Its conditions must be set.
    pub fn denoiser<'a>(
        &self,
        denoiser: &'a mut ImageDenoiser,
    ) -> Result<Box<dyn DifferentiableDenoiser + 'a>, Error> {
        Ok(match self.cfg {
            Some(scale) => Box::new(ClassifierFree::new(denoiser, scale)?),
            None => Box::new(denoiser),
        })
    }

    /// What the request tells this package's denoiser; `text` is the encoder, where it takes text.
    pub fn of(
        request: &ImageRequest,
        manifest: &Manifest,
        text: Option<&mut TextEncoder>,
    ) -> Result<Self, Error> {
        let name = &manifest.name;
        let refuse = |field, message: String| Err(Error::Request { field, message });
        let null_class = manifest.classes.as_ref().and_then(|classes| classes.null);
        let class = match (&manifest.classes, &request.class) {
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
        let (text, null_text) = match (text, &request.text) {
            (None, None) => (None, None),
            (None, Some(_)) => {
                let message = format!("{name} reads no text; steer it by --loss text=PROMPT");
                return refuse("prompt", message);
            }
            (Some(encoder), text) => {
                let null = encoder.hidden_states("")?;
                let states = text.as_deref().map(|text| encoder.hidden_states(text));
                (
                    Some(states.unwrap_or_else(|| Ok(null.clone()))?),
                    Some(null),
                )
            }
        };
        let has_null = null_class.is_some() || null_text.is_some();
        let told = ImageCondition { class, text };
        // A class without a null class stays, and the text alone is guided.
        let null = ImageCondition {
            class: null_class.or(class),
            text: null_text,
        };
        let scale = match request.cfg {
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
            class: told.class.filter(|_| request.class.is_some()),
            parts: if is_combined {
                vec![told, null]
            } else {
                vec![told]
            },
            cfg: is_combined.then_some(scale),
        })
    }
}
