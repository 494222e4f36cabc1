//! Linear maps along one axis, as matrices: what an op does to the identity.

use crate::data_type::DataType;
use crate::graph::attribute::attr_type;
use crate::graph::{Dim, Graph, V};

/// The identity of this length (a vector of one integer), `f32`.
pub(super) fn identity(g: &mut Graph, length: V) -> V {
    let shape = g.concat(&[length, length], 0);
    let zeros = g.emit("ConstantOfShape", &[shape], Vec::new());
    g.emit(
        "EyeLike",
        &[zeros],
        vec![attr_type("dtype", DataType::Float32)],
    )
}

/// `matrix` (`[length, n]`) times `v` along an axis of `n` elements.
pub(super) fn along(g: &mut Graph, matrix: V, v: V, axis: usize, length: &Dim) -> Option<V> {
    let data_type = g.data_type(v);
    let matrix = g.cast(matrix, data_type);
    let mut dims = g.shape(v)?;
    let (rank, whole) = (dims.len(), v);
    let out = if axis + 1 == rank {
        let matrix = g.transpose(matrix, &[1, 0]);
        g.matmul(v, matrix)
    } else if axis + 2 == rank {
        g.matmul(matrix, v)
    } else {
        let mut flat = dims[..=axis].to_vec();
        flat.push(g.symbols.product(&dims[axis + 1..]));
        let v = g.reshape_or(v, &flat, |g| {
            let mut parts: Vec<V> = (0..=axis).map(|at| g.length_of(whole, at)).collect();
            parts.push(g.ints(&[-1]));
            Some(g.concat_ints(&parts))
        });
        g.matmul(matrix, v)
    };
    let is_flat = axis + 2 < rank;
    dims[axis] = length.clone();
    if is_flat {
        let mut flat = dims[..=axis].to_vec();
        flat.push(g.symbols.product(&dims[axis + 1..]));
        g.value_mut(out).shape = Some(flat);
        return Some(g.reshape_or(out, &dims, |g| {
            let parts: Vec<V> = (0..rank)
                .map(|at| {
                    if at == axis {
                        g.length_of(matrix, 0)
                    } else {
                        g.length_of(whole, at)
                    }
                })
                .collect();
            Some(g.concat_ints(&parts))
        }));
    }
    g.value_mut(out).shape = Some(dims);
    Some(out)
}
