//! How far a clip is from those that were kept.

use std::collections::BTreeMap;

/// Sums of a product that are formed side by side.
const LANES: usize = 8;

/// Motion embeddings of kept clips, of each model apart: those of two models have nothing in common.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    of_model: BTreeMap<String, Embedded>,
}

#[derive(Debug, Default)]
struct Embedded {
    ids: Vec<String>,
    /// Unit vectors, one after another.
    directions: Vec<f32>,
}

impl Neighbours {
    /// The nearest kept clip of a model, the first of several, and its cosine distance, 0 to 2.
    pub(crate) fn nearest(&self, model: &str, embedding: &[f32]) -> Option<(&str, f64)> {
        let embedded = self.of_model.get(model)?;
        let own = direction(embedding)?;
        let mut nearest: Option<(&str, f64)> = None;
        for (id, other) in embedded
            .ids
            .iter()
            .zip(embedded.directions.chunks(own.len()))
        {
            let distance = (1.0 - product(&own, other)).max(0.0);
            if nearest.is_none_or(|(_, least)| distance < least) {
                nearest = Some((id, distance));
            }
        }
        nearest
    }

    /// Remembers a clip that is kept. False, and nothing changes, for an embedding without a direction.
    pub(crate) fn keep(&mut self, model: &str, id: &str, embedding: &[f32]) -> bool {
        let Some(own) = direction(embedding) else {
            return false;
        };
        let embedded = match self.of_model.get_mut(model) {
            Some(embedded) => embedded,
            None => self.of_model.entry(model.to_owned()).or_default(),
        };
        embedded.ids.push(id.to_owned());
        embedded.directions.extend(own);
        true
    }
}

/// The unit vector of an embedding; `None` of one that is zero or not finite.
pub(crate) fn direction(embedding: &[f32]) -> Option<Vec<f32>> {
    let square: f64 = embedding.iter().map(|v| f64::from(*v).powi(2)).sum();
    let length = square.sqrt();
    let usable = length > 0.0 && length.is_finite();
    usable.then(|| {
        let scaled = embedding.iter().map(|v| (f64::from(*v) / length) as f32);
        scaled.collect()
    })
}

/// Scalar product in `f64`: `f32` would see distances of 1e-7 between equal vectors.
fn product(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f64; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += f64::from(*a) * f64::from(*b);
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_the_same_model_is_found() {
        let mut kept = Neighbours::default();
        assert_eq!(kept.nearest("a", &[1.0, 0.0]), None);
        assert!(kept.keep("a", "right", &[2.0, 0.0]));
        assert!(kept.keep("a", "up", &[0.0, 0.5]));
        assert!(kept.keep("b", "diagonal", &[1.0, 1.0]));
        let (id, distance) = kept.nearest("a", &[1.0, 3.0]).unwrap();
        assert_eq!(id, "up");
        assert!((distance - (1.0 - 3.0 / 10_f64.sqrt())).abs() < 1e-7);
        let (id, distance) = kept.nearest("a", &[1.0, 1.0]).unwrap();
        assert_eq!(id, "right", "the first of equals");
        assert!((distance - (1.0 - 0.5_f64.sqrt())).abs() < 1e-7);
        let (_, distance) = kept.nearest("b", &[-3.0, -3.0]).unwrap();
        assert!((distance - 2.0).abs() < 1e-7);
    }

    #[test]
    fn what_has_no_direction_is_not_kept() {
        let mut kept = Neighbours::default();
        for bad in [
            &[0.0, 0.0][..],
            &[f32::NAN, 1.0],
            &[f32::INFINITY, 1.0],
            &[],
        ] {
            assert!(!kept.keep("a", "bad", bad), "{bad:?}");
        }
        assert_eq!(kept.nearest("a", &[1.0, 0.0]), None);
    }

    #[test]
    fn products_are_those_of_the_sum() {
        let a: Vec<f32> = (0..19).map(|n| n as f32 - 7.5).collect();
        let b: Vec<f32> = (0..19).map(|n| (n * n % 5) as f32).collect();
        let expected: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(a * b)).sum();
        assert!((product(&a, &b) - expected).abs() < 1e-9);
    }
}
