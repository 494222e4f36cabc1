//! Sizes and classes of image models.

use serde::{Deserialize, Serialize};

use super::{Manifest, ModelKind, Role};

/// Largest side of an image: what a typing error in `model.json` may ask memory for.
const MAX_SIDE: usize = 4096;

/// Most channels of a latent, and most classes, for the same reason.
const MAX_LATENT_CHANNELS: usize = 1024;
const MAX_CLASSES: usize = 1_000_000;

/// Size of a package's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSize {
    /// 3 for red, green and blue.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageSize {
    /// `[channels, height, width]`.
    #[must_use]
    pub fn size(self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }
}

/// What a latent model's denoiser makes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LatentSize {
    /// Numbers per place.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The decoder gets `latent / scale + shift`.
    pub scale: f64,
    /// 0 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<f64>,
}

impl LatentSize {
    /// `[channels, height, width]`.
    #[must_use]
    pub fn size(self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }
}

/// What classes a denoiser knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// How many.
    pub count: usize,
    /// The index that means none, for classifier-free guidance: `count`, or a class below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null: Option<usize>,
    /// One name per class, or none at all; several names of a class are joined by commas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl Classes {
    /// The index of a class that is given as its number or one of its names, in any case.
    ///
    /// ```
    /// use kinograd_runtime::Classes;
    /// let names = vec!["tabby, tabby cat".to_owned(), "dog".to_owned()];
    /// let classes = Classes { count: 2, null: Some(2), names };
    /// assert_eq!(classes.find("Tabby cat"), Ok(0));
    /// assert_eq!(classes.find("1"), Ok(1));
    /// assert!(classes.find("2").unwrap_err().contains("0 to 1"));
    /// ```
    ///
    /// # Errors
    /// What there is, as a sentence, if there is no such class.
    pub fn find(&self, class: &str) -> Result<usize, String> {
        let class = class.trim();
        let last = self.count.saturating_sub(1);
        if let Ok(index) = class.parse::<usize>() {
            return if index < self.count {
                Ok(index)
            } else {
                Err(format!("{index}: the model has classes 0 to {last}"))
            };
        }
        let wanted = class.to_lowercase();
        let is_named = |names: &String| {
            let names = names.to_lowercase();
            names == wanted || names.split(',').any(|name| name.trim() == wanted)
        };
        match self.names.iter().position(is_named) {
            Some(index) => Ok(index),
            None if self.names.is_empty() => Err(format!(
                "`{class}`: the model's classes have no names; give a number from 0 to {last}"
            )),
            None => Err(format!(
                "`{class}`: none of the model's {} classes is called so",
                self.count
            )),
        }
    }
}

impl Manifest {
    pub(super) fn validate_image_model(&self) -> Result<(), String> {
        if let Some(image) = &self.image {
            let sides = [image.height, image.width];
            let within = sides.iter().all(|side| (1..=MAX_SIDE).contains(side));
            if !(within && (1..=4).contains(&image.channels)) {
                return Err(format!(
                    "image: sides must be 1 to {MAX_SIDE} pixels and channels 1 to 4"
                ));
            }
        }
        let has = |role| self.files.contains_key(&role);
        if let Some(latent) = &self.latent {
            let sides = [latent.height, latent.width];
            let within = sides.iter().all(|side| (1..=MAX_SIDE).contains(side));
            if !(within && (1..=MAX_LATENT_CHANNELS).contains(&latent.channels)) {
                return Err(format!(
                    "latent: sides must be 1 to {MAX_SIDE} and channels 1 to {MAX_LATENT_CHANNELS}"
                ));
            }
            let shift = latent.shift.unwrap_or(0.0);
            if !(latent.scale.is_finite() && latent.scale != 0.0 && shift.is_finite()) {
                return Err("latent: scale and shift must be finite, and scale not 0".into());
            }
            if self.image.is_none() {
                return Err("`image` is missing: the size of what `latent` is decoded to".into());
            }
        }
        match (self.latent.is_some(), has(Role::Decoder)) {
            (true, false) => return Err("files has no `decoder`, which `latent` needs".into()),
            (false, true) => return Err("`latent` is missing: what files.decoder takes".into()),
            _ => {}
        }
        if let Some(classes) = &self.classes {
            let (count, names) = (classes.count, classes.names.len());
            if !(1..=MAX_CLASSES).contains(&count) || classes.null.is_some_and(|null| null > count)
            {
                return Err(format!(
                    "classes: count must be 1 to {MAX_CLASSES} and null at most count"
                ));
            }
            if names != 0 && names != count {
                return Err(format!("classes: {names} names for {count} classes"));
            }
        }
        if self.kind == ModelKind::Image && has(Role::TextEncoder) {
            for (there, key) in [
                (has(Role::Tokenizer), "files.tokenizer"),
                (self.conditioning.is_some(), "conditioning"),
            ] {
                if !there {
                    return Err(format!("`{key}` is missing, which a text_encoder needs"));
                }
            }
        }
        Ok(())
    }
}
