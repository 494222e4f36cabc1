//! Ops whose derivative is zero wherever it exists: comparisons, logic, rounding, indices, shapes,
//! integer arithmetic, text, random numbers and constants.
//!
//! Each is specified under its name in [the list of operators](https://onnx.ai/onnx/operators/).
//!
//! Opsets: Equal 13 to 24 (defined in 13, 19); Greater, Less, Floor, Ceil, Sign, ArgMax, ArgMin,
//! NonZero, Hardmax 13 to 24 (defined in 13); GreaterOrEqual, LessOrEqual 13 to 24 (defined in 12,
//! 16); And, Or, Xor 13 to 24 (defined in 7); Not 13 to 24 (defined in 1); IsNaN 13 to 24 (defined
//! in 13, 20); IsInf 13 to 24 (defined in 10, 20); Round 13 to 24 (defined in 11, 22); BitShift,
//! NonMaxSuppression, SequenceEmpty, SequenceLength 13 to 24 (defined in 11); BitwiseAnd,
//! BitwiseOr, BitwiseXor, BitwiseNot 18 to 24 (defined in 18); Shape 13 to 24 (defined in 13, 15,
//! 19, 21, 23, 24); Size, Constant 13 to 24 (defined in 13, 19, 21, 23, 24); EyeLike 13 to 24
//! (defined in 9, 22); ConstantOfShape 13 to 24 (defined in 9, 20, 21, 23, 24); Multinomial 13 to
//! 24 (defined in 7, 22); Bernoulli 15 to 24 (defined in 15, 22); RandomNormalLike,
//! RandomUniformLike, RandomNormal, RandomUniform 13 to 24 (defined in 1, 22); HannWindow,
//! HammingWindow, BlackmanWindow, MelWeightMatrix 17 to 24 (defined in 17); ImageDecoder,
//! RegexFullMatch, StringConcat, StringSplit 20 to 24 (defined in 20); TfIdfVectorizer 13 to 24
//! (defined in 9); StringNormalizer 13 to 24 (defined in 10); OptionalHasElement 15 to 24 (defined
//! in 15, 18).

use super::infer;
use super::op::{Cost, Op};
use crate::axes::normalized;
use crate::axes::to_i64;
use crate::data_type::DataType;
use crate::graph::{Dim, Graph, Info, Node};
use crate::proto::TensorProto;
use crate::tensor;

pub(super) const OPS: &[Op] = &[
    Op::zero("Equal", infer::compare, Cost::Light),
    Op::zero("Greater", infer::compare, Cost::Light),
    Op::zero("GreaterOrEqual", infer::compare, Cost::Light),
    Op::zero("Less", infer::compare, Cost::Light),
    Op::zero("LessOrEqual", infer::compare, Cost::Light),
    Op::zero("And", infer::compare, Cost::Light),
    Op::zero("Or", infer::compare, Cost::Light),
    Op::zero("Xor", infer::compare, Cost::Light),
    Op::zero("Not", infer::compare, Cost::Light),
    Op::zero("IsNaN", infer::compare, Cost::Light),
    Op::zero("IsInf", infer::compare, Cost::Light),
    Op::zero("Floor", infer::same, Cost::Light),
    Op::zero("Ceil", infer::same, Cost::Light),
    Op::zero("Round", infer::same, Cost::Light),
    Op::zero("Sign", infer::same, Cost::Light),
    Op::zero("BitShift", infer::broadcast, Cost::Light),
    Op::zero("BitwiseAnd", infer::broadcast, Cost::Light),
    Op::zero("BitwiseOr", infer::broadcast, Cost::Light),
    Op::zero("BitwiseXor", infer::broadcast, Cost::Light),
    Op::zero("BitwiseNot", infer::same, Cost::Light),
    Op::zero("Shape", shape, Cost::Copy),
    Op::zero("Size", size, Cost::Copy),
    Op::zero("ArgMax", arg, Cost::Heavy),
    Op::zero("ArgMin", arg, Cost::Heavy),
    Op::zero("NonZero", non_zero, Cost::Heavy),
    Op::zero("EyeLike", eye_like, Cost::Light),
    Op::zero("Constant", unknown, Cost::Copy),
    Op::zero("ConstantOfShape", constant_of_shape, Cost::Copy),
    Op::zero("NonMaxSuppression", non_max_suppression, Cost::Heavy),
    Op::zero("Multinomial", infer::opaque, Cost::Heavy),
    Op::zero("Bernoulli", infer::same, Cost::Heavy),
    Op::zero("RandomNormalLike", infer::same, Cost::Heavy),
    Op::zero("RandomUniformLike", infer::same, Cost::Heavy),
    Op::zero("RandomNormal", random, Cost::Heavy),
    Op::zero("RandomUniform", random, Cost::Heavy),
    Op::zero("HannWindow", infer::opaque, Cost::Middle),
    Op::zero("HammingWindow", infer::opaque, Cost::Middle),
    Op::zero("BlackmanWindow", infer::opaque, Cost::Middle),
    Op::zero("MelWeightMatrix", unknown, Cost::Middle),
    Op::zero("Hardmax", infer::same, Cost::Heavy),
    Op::zero("ImageDecoder", unknown, Cost::Heavy),
    Op::zero("TfIdfVectorizer", unknown, Cost::Heavy),
    Op::zero("RegexFullMatch", infer::compare, Cost::Heavy),
    Op::zero("StringConcat", infer::broadcast, Cost::Heavy),
    Op::zero("StringNormalizer", infer::opaque, Cost::Heavy),
    Op::zero("StringSplit", unknown, Cost::Heavy),
    Op::zero("SequenceEmpty", unknown, Cost::Copy),
    Op::zero("SequenceLength", count, Cost::Copy),
    Op::zero("OptionalHasElement", flag, Cost::Copy),
];

fn shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let dims = g.shape(n.input(0)?)?;
    let rank = to_i64(dims.len());
    // Clamped, as the specification says.
    let place = |at: i64| {
        let at = if at < 0 { at + rank } else { at };
        usize::try_from(at.clamp(0, rank)).ok()
    };
    let start = place(n.int("start", 0))?;
    let end = place(n.int("end", i64::MAX))?.max(start);
    let dims = dims[start..end].to_vec();
    let length = Dim::known(to_i64(dims.len()));
    Some(vec![
        Info::new(DataType::Int64, Some(vec![length])).with_content(Some(dims)),
    ])
}

fn size(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let dims = g.shape(n.input(0)?)?;
    let total = g.symbols.product(&dims);
    Some(vec![
        Info::new(DataType::Int64, Some(Vec::new())).with_content(Some(vec![total])),
    ])
}

fn arg(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let mut dims = g.shape(n.input(0)?)?;
    let axis = normalized(n.int("axis", 0), dims.len())?;
    if n.int("keepdims", 1) != 0 {
        dims[axis] = Dim::known(1);
    } else {
        dims.remove(axis);
    }
    Some(vec![Info::new(DataType::Int64, Some(dims))])
}

fn non_zero(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let rank = to_i64(g.rank(n.input(0)?)?);
    let count = g.symbols.fresh();
    Some(vec![Info::new(
        DataType::Int64,
        Some(vec![Dim::known(rank), count]),
    )])
}

fn eye_like(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let x = n.input(0)?;
    let data_type = n.data_type("dtype").unwrap_or(g.data_type(x));
    Some(vec![Info::new(data_type, g.shape(x))])
}

fn unknown(_: &mut Graph, _: &Node) -> Option<Vec<Info>> {
    None
}

fn count(_: &mut Graph, _: &Node) -> Option<Vec<Info>> {
    Some(vec![Info::new(DataType::Int64, Some(Vec::new()))])
}

fn flag(_: &mut Graph, _: &Node) -> Option<Vec<Info>> {
    Some(vec![Info::new(DataType::Bool, Some(Vec::new()))])
}

fn constant_of_shape(g: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let value = n.attribute("value").and_then(|a| a.t.as_deref());
    let data_type = value.map_or(DataType::Float32, TensorProto::element_type);
    let target = n.input(0)?;
    let dims = match g.content(target) {
        Some(dims) => dims,
        None => {
            let rank = g.shape(target)?.first()?.as_known()?;
            let rank = usize::try_from(rank).ok().filter(|&r| r <= 16)?;
            (0..rank).map(|_| g.symbols.fresh()).collect()
        }
    };
    let content = match dims.as_slice() {
        [length] => (|| {
            let length = usize::try_from(length.as_known()?)
                .ok()
                .filter(|&n| n <= 64)?;
            let fill = *tensor::small_ints(value?)?.first()?;
            Some(vec![Dim::known(fill); length])
        })(),
        _ => None,
    };
    Some(vec![Info::new(data_type, Some(dims)).with_content(content)])
}

fn non_max_suppression(g: &mut Graph, _: &Node) -> Option<Vec<Info>> {
    let count = g.symbols.fresh();
    Some(vec![Info::new(
        DataType::Int64,
        Some(vec![count, Dim::known(3)]),
    )])
}

fn random(_: &mut Graph, n: &Node) -> Option<Vec<Info>> {
    let data_type = n.data_type("dtype").unwrap_or(DataType::Float32);
    let dims = n
        .ints("shape")
        .map(|s| s.iter().map(|&d| Dim::known(d)).collect());
    Some(vec![Info::new(data_type, dims)])
}
