//! Rows of a batch through a graph that takes a fixed number of them.

use ndarray::{ArrayD, Axis, Slice, concatenate};

use crate::{RuntimeError, Tensor};

/// How many rows a graph takes at once; any number where `None`.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowGroups(pub Option<usize>);

impl RowGroups {
    /// `call` for all rows, in groups where their number is fixed; the last is filled up with copies of
    /// its last row, whose results are cut off. The first axis of every tensor is that of the rows.
    pub fn run(
        self,
        named: &[(&str, &Tensor)],
        mut call: impl FnMut(&[(&str, &Tensor)]) -> Result<Tensor, RuntimeError>,
    ) -> Result<Tensor, RuntimeError> {
        let total = named.first().and_then(|(_, x)| x.shape().first().copied());
        let total = total.unwrap_or(0);
        let Some(size) = self.0.filter(|&size| size != total && size > 0) else {
            return call(named);
        };
        let mut outputs: Vec<ArrayD<f32>> = Vec::new();
        for start in (0..total).step_by(size) {
            let rows: Vec<usize> = (start..start + size)
                .map(|row| row.min(total - 1))
                .collect();
            let own: Vec<(&str, Tensor)> = named
                .iter()
                .map(|(name, tensor)| Ok((*name, tensor.rows(&rows)?)))
                .collect::<Result<_, RuntimeError>>()?;
            let own: Vec<(&str, &Tensor)> = own.iter().map(|(name, t)| (*name, t)).collect();
            let output = call(&own)?.into_f32()?;
            if output.shape().first() != Some(&size) {
                return Err(RuntimeError::Tensor {
                    what: "the model's output".into(),
                    expected: format!("{size} rows"),
                    got: format!("{:?}", output.shape()),
                });
            }
            outputs.push(output);
        }
        let views: Vec<_> = outputs.iter().map(|output| output.view()).collect();
        let mut all = concatenate(Axis(0), &views).map_err(|error| RuntimeError::Tensor {
            what: "the model's outputs".into(),
            expected: "equal shapes in every group of rows".into(),
            got: error.to_string(),
        })?;
        all.slice_axis_inplace(Axis(0), Slice::from(..total));
        Ok(Tensor::from(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn rows_go_through_in_groups_and_come_back_in_order() {
        let x = Tensor::from(Array2::from_shape_fn((5, 2), |(r, c)| (r * 2 + c) as f32));
        let mut calls = 0;
        let doubled = RowGroups(Some(2)).run(&[("x", &x)], |named| {
            calls += 1;
            assert_eq!(named[0].1.shape(), [2, 2]);
            Ok(Tensor::from(named[0].1.to_f32()?.mapv(|x| 2.0 * x)))
        });
        let doubled = doubled.unwrap().into_f32().unwrap();
        assert_eq!((calls, doubled.shape()), (3, &[5, 2][..]));
        assert_eq!(doubled[[4, 1]], 18.0);
    }
}
