//! Reading and making stored tensors.

use half::{bf16, f16};
use prost::bytes::Bytes;

use crate::axes::to_i64;
use crate::data_type::{DataType, element_count};
use crate::proto::TensorProto;

/// Largest tensor whose elements are read while a graph is rewritten.
const SMALL: usize = 64;

/// The elements of an integer or boolean tensor of at most 64 elements.
pub(crate) fn small_ints(tensor: &TensorProto) -> Option<Vec<i64>> {
    let count = element_count(&tensor.dims).filter(|&n| n <= SMALL)?;
    let raw = tensor.raw_data.as_deref().filter(|raw| !raw.is_empty());
    let wide = |size: usize| -> Option<Vec<&[u8]>> {
        let raw = raw?;
        (raw.len() == count * size).then(|| raw.chunks_exact(size).collect())
    };
    let values: Vec<i64> = match tensor.element_type() {
        DataType::Int64 if raw.is_none() => tensor.int64_data.clone(),
        DataType::Int64 => wide(8)?
            .into_iter()
            .filter_map(|b| Some(i64::from_le_bytes(b.try_into().ok()?)))
            .collect(),
        DataType::Int32 if raw.is_some() => wide(4)?
            .into_iter()
            .filter_map(|b| Some(i64::from(i32::from_le_bytes(b.try_into().ok()?))))
            .collect(),
        DataType::Bool if raw.is_some() => wide(1)?.into_iter().map(|b| i64::from(b[0])).collect(),
        DataType::Int32 | DataType::Bool => {
            tensor.int32_data.iter().map(|&n| i64::from(n)).collect()
        }
        _ => return None,
    };
    (values.len() == count).then_some(values)
}

/// The float or integer of a tensor that holds exactly one.
pub(crate) fn single(tensor: &TensorProto) -> Option<f64> {
    if element_count(&tensor.dims) != Some(1) {
        return None;
    }
    let raw = tensor.raw_data.as_deref().filter(|raw| !raw.is_empty());
    match tensor.element_type() {
        DataType::Float32 => match raw {
            Some(raw) => Some(f64::from(f32::from_le_bytes(raw.try_into().ok()?))),
            None => tensor.float_data.first().map(|&x| f64::from(x)),
        },
        DataType::Float64 => match raw {
            Some(raw) => Some(f64::from_le_bytes(raw.try_into().ok()?)),
            None => tensor.double_data.first().copied(),
        },
        half @ (DataType::Float16 | DataType::BFloat16) => {
            let bits = match raw {
                Some(raw) => u16::from_le_bytes(raw.try_into().ok()?),
                None => u16::try_from(*tensor.int32_data.first()?).ok()?,
            };
            Some(if half == DataType::Float16 {
                f16::from_bits(bits).to_f64()
            } else {
                bf16::from_bits(bits).to_f64()
            })
        }
        #[expect(clippy::cast_precision_loss, reason = "exponents and axes are small")]
        _ => small_ints(tensor)?.first().map(|&n| n as f64),
    }
}

/// All elements of a stored float tensor.
pub(crate) fn to_f32(tensor: &TensorProto) -> Option<Vec<f32>> {
    let count = element_count(&tensor.dims)?;
    let data_type = tensor.element_type();
    let raw = tensor.raw_data.as_deref().filter(|raw| !raw.is_empty());
    #[expect(clippy::cast_possible_truncation, reason = "the type asked for")]
    let values: Vec<f32> = match (data_type, raw) {
        (DataType::Float32, Some(raw)) => raw
            .as_chunks()
            .0
            .iter()
            .map(|&b| f32::from_le_bytes(b))
            .collect(),
        (DataType::Float32, None) => tensor.float_data.clone(),
        (DataType::Float64, Some(raw)) => raw
            .as_chunks()
            .0
            .iter()
            .map(|&b| f64::from_le_bytes(b) as f32)
            .collect(),
        (DataType::Float64, None) => tensor.double_data.iter().map(|&x| x as f32).collect(),
        (DataType::Float16 | DataType::BFloat16, _) => {
            let bits: Vec<u16> = match raw {
                Some(raw) => raw
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&b| u16::from_le_bytes(b))
                    .collect(),
                None => tensor.int32_data.iter().map(|&n| n as u16).collect(),
            };
            let widen = |bits| match data_type {
                DataType::Float16 => f16::from_bits(bits).to_f32(),
                _ => bf16::from_bits(bits).to_f32(),
            };
            bits.into_iter().map(widen).collect()
        }
        _ => return None,
    };
    (values.len() == count).then_some(values)
}

/// A float tensor of this type, rounded to it. Empty for other types.
pub(crate) fn from_f32(values: &[f32], dims: &[i64], data_type: DataType) -> TensorProto {
    let values: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
    floats(&values, dims, data_type)
}

/// Floats of the given type; a single one without `dims` is a scalar.
pub(crate) fn floats(values: &[f64], dims: &[i64], data_type: DataType) -> TensorProto {
    let raw: Vec<u8> = values
        .iter()
        .flat_map(|&x| bytes_of(x, data_type))
        .collect();
    TensorProto {
        dims: dims.to_vec(),
        data_type: Some(data_type.code()),
        raw_data: Some(Bytes::from(raw)),
        ..TensorProto::default()
    }
}

/// A number as it is stored in this type.
fn bytes_of(x: f64, data_type: DataType) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, reason = "the type asked for")]
    match data_type {
        DataType::Float64 => x.to_le_bytes().to_vec(),
        DataType::Float16 => f16::from_f64(x).to_le_bytes().to_vec(),
        DataType::BFloat16 => bf16::from_f64(x).to_le_bytes().to_vec(),
        DataType::Int64 => (x as i64).to_le_bytes().to_vec(),
        DataType::Int32 => (x as i32).to_le_bytes().to_vec(),
        _ => (x as f32).to_le_bytes().to_vec(),
    }
}

/// A vector of 64-bit integers.
pub(crate) fn ints(values: &[i64]) -> TensorProto {
    TensorProto {
        dims: vec![to_i64(values.len())],
        data_type: Some(DataType::Int64.code()),
        raw_data: Some(Bytes::from(
            values
                .iter()
                .flat_map(|n| n.to_le_bytes())
                .collect::<Vec<u8>>(),
        )),
        ..TensorProto::default()
    }
}

/// A matrix with rows and columns swapped, where its data is stored as bytes.
pub(crate) fn transposed(tensor: &TensorProto) -> Option<TensorProto> {
    let size = tensor.element_type().size()?;
    let [rows, columns] = tensor.dims.as_slice() else {
        return None;
    };
    let raw = tensor.raw_data.as_deref()?;
    let (height, width) = (
        usize::try_from(*rows).ok()?,
        usize::try_from(*columns).ok()?,
    );
    if raw.is_empty() || height.checked_mul(width)?.checked_mul(size)? != raw.len() {
        return None;
    }
    // In tiles, as a column of a large matrix touches a page per element.
    const TILE: usize = 32;
    let mut out = vec![0; raw.len()];
    for (top, left) in (0..height)
        .step_by(TILE)
        .flat_map(|top| (0..width).step_by(TILE).map(move |left| (top, left)))
    {
        for row in top..height.min(top + TILE) {
            for column in left..width.min(left + TILE) {
                let (from, to) = (
                    (row * width + column) * size,
                    (column * height + row) * size,
                );
                out[to..to + size].copy_from_slice(&raw[from..from + size]);
            }
        }
    }
    Some(TensorProto {
        dims: vec![*columns, *rows],
        raw_data: Some(Bytes::from(out)),
        ..tensor.clone()
    })
}

/// A kernel `[groups·b, a, lengths…]` as `[groups·a, b, lengths…]` with every place of it at the
/// opposite one, where its data is stored as bytes.
pub(crate) fn turned(tensor: &TensorProto, groups: i64) -> Option<TensorProto> {
    let size = tensor.element_type().size()?;
    let count = |n: i64| usize::try_from(n).ok();
    let [rows, a, lengths @ ..] = tensor.dims.as_slice() else {
        return None;
    };
    let (groups, rows, a) = (count(groups)?, count(*rows)?, count(*a)?);
    let places = lengths
        .iter()
        .try_fold(1usize, |n, &k| n.checked_mul(count(k)?))?;
    let b = rows.checked_div(groups)?;
    let raw = tensor.raw_data.as_deref()?;
    let total = [b, a, places, size]
        .iter()
        .try_fold(groups, |n, &k| n.checked_mul(k))?;
    if raw.is_empty() || total != raw.len() || b * groups != rows {
        return None;
    }
    let mut out = Vec::with_capacity(raw.len());
    for group in 0..groups {
        for column in 0..a {
            for row in 0..b {
                let start = ((group * b + row) * a + column) * places;
                for place in (0..places).rev() {
                    let at = (start + place) * size;
                    out.extend_from_slice(&raw[at..at + size]);
                }
            }
        }
    }
    let mut dims = vec![i64::try_from(groups * a).ok()?, i64::try_from(b).ok()?];
    dims.extend(lengths);
    Some(TensorProto {
        dims,
        raw_data: Some(Bytes::from(out)),
        ..tensor.clone()
    })
}

/// Checks that the stored data has the size that the shape says.
pub(crate) fn check(tensor: &TensorProto) -> Result<(), String> {
    let count = element_count(&tensor.dims)
        .ok_or_else(|| format!("its shape {:?} is not possible", tensor.dims))?;
    let data_type = tensor.element_type();
    if let (Some(raw), Some(size)) = (
        tensor.raw_data.as_ref().filter(|raw| !raw.is_empty()),
        data_type.size(),
    ) {
        let expected = count.checked_mul(size);
        if expected != Some(raw.len()) {
            return Err(format!(
                "its shape {:?} and type {data_type:?} do not fit {} bytes of data",
                tensor.dims,
                raw.len()
            ));
        }
        return Ok(());
    }
    let stored = match data_type {
        DataType::Float32 => tensor.float_data.len(),
        DataType::Float64 => tensor.double_data.len(),
        DataType::Int64 => tensor.int64_data.len(),
        DataType::UInt32 | DataType::UInt64 => tensor.uint64_data.len(),
        DataType::String => tensor.string_data.len(),
        DataType::Other(_) => return Ok(()),
        _ => tensor.int32_data.len(),
    };
    if stored == count {
        return Ok(());
    }
    Err(format!(
        "its shape {:?} needs {count} elements, {stored} are stored",
        tensor.dims
    ))
}

/// Whether a float tensor holds this value everywhere. Large tensors are not looked at.
pub(crate) fn is_filled(tensor: &TensorProto, value: f64) -> bool {
    let Some(count) = element_count(&tensor.dims).filter(|&n| n > 0 && n <= 1 << 16) else {
        return false;
    };
    let data_type = tensor.element_type();
    if data_type == DataType::Float32 && tensor.float_data.len() == count {
        return tensor.float_data.iter().all(|&x| f64::from(x) == value);
    }
    let Some(raw) = tensor.raw_data.as_deref() else {
        return false;
    };
    let pattern = bytes_of(value, data_type);
    data_type.is_float()
        && pattern.len() * count == raw.len()
        && raw
            .chunks_exact(pattern.len())
            .all(|chunk| chunk == pattern)
}
