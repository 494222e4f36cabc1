//! Sizes and classes of image models.

use serde::{Deserialize, Serialize};

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
