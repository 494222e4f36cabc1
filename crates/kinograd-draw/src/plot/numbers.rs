//! Numbers in few letters.

/// Decimals that emit about six marks on this width apart.
pub(super) fn digits_apart(width: f64) -> usize {
    let decimals = -(width / 6.0).log10();
    if decimals.is_finite() {
        decimals.ceil().clamp(0.0, 6.0) as usize
    } else {
        0
    }
}

/// A number in few letters, with at least so many decimals where they are not zero.
pub(super) fn short(value: f64, decimals: usize) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e5).contains(&size) {
        return format!("{value:.0e}");
    }
    let digits = if size >= 100.0 || size == 0.0 {
        0
    } else if size >= 10.0 {
        1
    } else if size >= 0.1 {
        2
    } else {
        3
    };
    let digits = digits.max(decimals);
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
