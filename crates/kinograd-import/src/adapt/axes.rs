//! How the axes of a tensor of the contract lie in a tensor of the graph.

use onnx_grad::{DataType, Dimension, TensorInfo};

use super::step::Step;

/// Where each axis of the contract's tensor lies in the graph's; its other axes have length 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    axes: Vec<usize>,
    /// Axes of the graph's tensor that the contract's has not.
    extra: Vec<usize>,
}

impl Placed {
    /// Finds `leading` axes of any length, in their order, and behind them one of `width` where that
    /// is given, in a tensor of these dimensions.
    pub(super) fn find(shape: &[Dimension], leading: usize, width: Option<i64>) -> Option<Self> {
        let wide = match width {
            None => None,
            Some(width) => Some(wide_axis(shape, width)?),
        };
        let mut left: Vec<usize> = (0..shape.len())
            .filter(|axis| Some(*axis) != wide)
            .collect();
        let mut extra = Vec::new();
        // The batch comes first: of axes of length 1 the later ones are in addition.
        while left.len() > leading {
            let at = left
                .iter()
                .rposition(|&axis| shape[axis] == Dimension::Fixed(1))?;
            extra.push(left.remove(at));
        }
        if left.len() < leading {
            return None;
        }
        extra.sort_unstable();
        left.extend(wide);
        Some(Self { axes: left, extra })
    }

    /// The same with frames before the batch where `batch`, the length of the batch elsewhere, says so,
    /// or where the second axis can be nothing else.
    pub(super) fn frames_first(mut self, shape: &[Dimension], batch: &Dimension) -> Self {
        let (first, second) = (self.dim(shape, 0), self.dim(shape, 1));
        let is_known = *batch != Dimension::Unknown;
        let is_named = is_known && second == batch && first != batch;
        let one = Dimension::Fixed(1);
        let is_one = *second == one && matches!(first, Dimension::Fixed(_)) && *first != one;
        if is_named || is_one {
            self.axes.swap(0, 1);
        }
        self
    }

    /// Whether frames come before the batch.
    pub(super) fn is_frames_first(&self) -> bool {
        self.axes.first() > self.axes.get(1)
    }

    /// The length of an axis of the contract's tensor.
    pub(super) fn dim<'a>(&self, shape: &'a [Dimension], axis: usize) -> &'a Dimension {
        self.axes
            .get(axis)
            .and_then(|&axis| shape.get(axis))
            .unwrap_or(&Dimension::Unknown)
    }

    /// The contract's tensor to the graph's.
    pub(super) fn inward(&self) -> Vec<Step> {
        let mut order: Vec<usize> = (0..self.axes.len()).collect();
        order.sort_by_key(|&axis| self.axes[axis]);
        let mut steps = Vec::new();
        if !order.is_sorted() {
            steps.push(Step::Transpose(order));
        }
        if !self.extra.is_empty() {
            steps.push(Step::Unsqueeze(self.extra.clone()));
        }
        steps
    }

    /// The graph's tensor to the contract's.
    pub(super) fn outward(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.extra.is_empty() {
            steps.push(Step::Squeeze(self.extra.clone()));
        }
        let before = |axis: usize| self.axes.iter().filter(|&&other| other < axis).count();
        let order: Vec<usize> = self.axes.iter().map(|&axis| before(axis)).collect();
        if !order.is_sorted() {
            steps.push(Step::Transpose(order));
        }
        steps
    }
}

/// The last axis of this width, else the last if its length is free.
fn wide_axis(shape: &[Dimension], width: i64) -> Option<usize> {
    let fixed = shape
        .iter()
        .rposition(|dim| *dim == Dimension::Fixed(width));
    let last = shape.len().checked_sub(1)?;
    let is_free = !matches!(shape[last], Dimension::Fixed(_));
    fixed.or(is_free.then_some(last))
}

/// The cast from floats of 32 bits to the element type that a graph takes.
pub(super) fn cast_to(data_type: DataType) -> Option<Step> {
    (data_type != DataType::Float32).then_some(Step::Cast(data_type))
}

/// Whether floats can be cast to and from the type.
pub(super) fn is_number(data_type: DataType) -> bool {
    !matches!(
        data_type,
        DataType::String | DataType::Bool | DataType::Other(_)
    )
}

/// A tensor in words: its name, type and shape.
pub(crate) fn described(tensor: &TensorInfo) -> String {
    let kind = format!("{:?}", tensor.data_type).to_lowercase();
    let dim = |dim: &Dimension| match dim {
        Dimension::Fixed(n) => n.to_string(),
        Dimension::Named(name) => name.clone(),
        Dimension::Unknown => "?".to_owned(),
    };
    let shape = tensor.shape.as_ref().map_or_else(
        || "of any shape".to_owned(),
        |shape| format!("[{}]", shape.iter().map(dim).collect::<Vec<_>>().join(", ")),
    );
    format!("`{}` ({kind} {shape})", tensor.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Vec<Dimension> {
        let dim = |word: &str| match word.parse() {
            Ok(n) => Dimension::Fixed(n),
            Err(_) => Dimension::Named(word.to_owned()),
        };
        text.split(' ').map(dim).collect()
    }

    #[test]
    fn the_layouts_of_exporters_are_found() {
        let steps = |text: &str| {
            let placed = Placed::find(&shape(text), 2, Some(263))?;
            Some((placed.inward(), placed.outward()))
        };
        assert_eq!(steps("b t 263"), Some((vec![], vec![])));
        let mdm = (
            vec![Step::Transpose(vec![0, 2, 1]), Step::Unsqueeze(vec![2])],
            vec![Step::Squeeze(vec![2]), Step::Transpose(vec![0, 2, 1])],
        );
        assert_eq!(steps("b 263 1 t"), Some(mdm.clone()));
        assert_eq!(steps("1 263 1 196"), Some(mdm));
        let first = steps("t b 263").unwrap();
        assert_eq!(first, (vec![], vec![]), "which is the batch is not seen");
        assert_eq!(steps("b t 251"), None);
        assert_eq!(steps("b 2 t 263"), None);
        assert_eq!(steps("b 263"), None);
        let swapped = |text: &str, batch: &str| {
            let shape = shape(text);
            let placed = Placed::find(&shape, 2, Some(263)).unwrap();
            placed.frames_first(&shape, &self::shape(batch)[0])
        };
        let swap = [Step::Transpose(vec![1, 0, 2])];
        assert_eq!(swapped("t b 263", "b").inward(), swap);
        assert_eq!(swapped("t b 263", "b").outward(), swap);
        assert_eq!(swapped("196 1 263", "1").inward(), swap);
        assert_eq!(swapped("b t 263", "b").inward(), []);
        assert_eq!(swapped("1 1 263", "1").inward(), []);
        let mask = Placed::find(&shape("b 1 1 t"), 2, None).unwrap();
        assert_eq!(mask.inward(), [Step::Unsqueeze(vec![1, 2])]);
        let text = Placed::find(&shape("1 b 512"), 1, Some(512)).unwrap();
        assert_eq!(text.inward(), [Step::Unsqueeze(vec![0])]);
    }
}
