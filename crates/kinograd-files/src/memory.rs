use crate::OverBudget;

/// An empty vector with room for `len` values, or an error where the memory is not there.
///
/// ```
/// use kinograd_files::reserved;
/// let frames: Vec<f32> = reserved("frames", 100)?;
/// assert!(frames.is_empty() && frames.capacity() >= 100);
/// assert!(reserved::<f32>("frames", usize::MAX).is_err());
/// # Ok::<(), kinograd_files::OverBudget>(())
/// ```
///
/// # Errors
/// [`OverBudget::Count`] with what was to be stored.
pub fn reserved<T>(what: &str, len: usize) -> Result<Vec<T>, OverBudget> {
    let mut values = Vec::new();
    match values.try_reserve_exact(len) {
        Ok(()) => Ok(values),
        Err(_) => Err(OverBudget::Count {
            what: what.to_owned(),
            value: format!("no memory for {len}"),
            limit: isize::MAX as u64 / size_of::<T>().max(1) as u64,
            raise: None,
        }),
    }
}
