//! Axes, ranks and the lengths of lists, as ONNX writes them.

/// An axis, a rank or the length of a list. Lossless: no list is longer than `isize::MAX`.
pub(crate) fn to_i64(n: usize) -> i64 {
    const { assert!(isize::BITS <= i64::BITS) };
    debug_assert!(isize::try_from(n).is_ok(), "{n} is the length of no list");
    n.cast_signed() as i64
}

/// An axis counted from the end where it is negative, as a number below `rank`.
pub(crate) fn normalized(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 {
        axis.checked_add(to_i64(rank))?
    } else {
        axis
    };
    usize::try_from(axis).ok().filter(|&axis| axis < rank)
}
