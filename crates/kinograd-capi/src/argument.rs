//! What C callers hand over: texts, structures, places to write to.
//!
//! Of every pointer that is not NULL it is asked that it points to what its type says: a text ends
//! in a NUL, an array has as many elements as its count says, a structure as many bytes as its
//! `struct_size` says, and nobody else writes there during the call.

use std::ffi::{CStr, c_char};

use crate::status::{Failure, kg_status};

/// The longest structure that is taken from a newer program, bytes.
const MOST_BYTES: usize = 4096;

/// A structure of plain numbers and pointers, for which zero is a value of every field.
///
/// # Safety
/// The type is `repr(C)`, its first field is `struct_size: u32`, and all bytes 0 is a value of it.
pub(crate) unsafe trait Structure: Copy {
    /// The name in C.
    const NAME: &'static str;
    /// `struct_size` in the first version that had the structure.
    const FIRST_SIZE: usize;
}

/// A text that must be there.
///
/// # Safety
/// As the module says.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, Failure> {
    // SAFETY: as asked of the caller.
    let text = unsafe { optional_text(pointer, name) }?;
    text.ok_or_else(|| Failure::argument(format!("{name} is NULL")))
}

/// A text, or `None` for NULL.
///
/// # Safety
/// As the module says.
pub(crate) unsafe fn optional_text<'a>(
    pointer: *const c_char,
    name: &str,
) -> Result<Option<&'a str>, Failure> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: it is not NULL, and ends in a NUL as asked of the caller.
    let text = unsafe { CStr::from_ptr(pointer) }.to_str();
    text.map(Some)
        .map_err(|error| Failure::argument(format!("{name} is not UTF-8: {error}")))
}

/// An array of texts.
///
/// # Safety
/// As the module says.
pub(crate) unsafe fn texts(
    pointer: *const *const c_char,
    count: u32,
    name: &str,
) -> Result<Vec<String>, Failure> {
    let place = |index: u32| format!("{name}[{index}]");
    if count > 0 && pointer.is_null() {
        return Err(Failure::argument(format!("{name} is NULL")));
    }
    (0..count)
        .map(|index| {
            // SAFETY: there are `count` of them, as asked of the caller.
            let one = unsafe { pointer.add(index as usize).read_unaligned() };
            // SAFETY: as asked of the caller.
            unsafe { text(one, &place(index)) }.map(str::to_owned)
        })
        .collect()
}

/// Places of the caller's to write to. They may hold anything before, so that no reference is made.
pub(crate) struct Out<T> {
    pointer: *mut T,
    count: usize,
}

impl<T> Out<T> {
    /// Writes the result.
    pub fn set(&self, value: T) {
        self.fill(std::iter::once(value));
    }

    /// Writes one after the other, no more than there are places.
    pub fn fill(&self, values: impl Iterator<Item = T>) {
        for (index, value) in values.take(self.count).enumerate() {
            // SAFETY: there are `count` places, as asked of who made this.
            unsafe { self.pointer.add(index).write_unaligned(value) };
        }
    }
}

/// Where a result goes: found before any work is done for it.
///
/// # Safety
/// As the module says, for as long as what is returned lives.
pub(crate) unsafe fn out<T>(pointer: *mut T, name: &str) -> Result<Out<T>, Failure> {
    // SAFETY: as asked of the caller.
    unsafe { out_array(pointer, 1, 1, name) }
}

/// Where an array goes, of which the first `needed` elements are written.
///
/// # Safety
/// As the module says, for as long as what is returned lives.
pub(crate) unsafe fn out_array<T>(
    pointer: *mut T,
    count: u32,
    needed: usize,
    name: &str,
) -> Result<Out<T>, Failure> {
    if pointer.is_null() {
        return Err(Failure::argument(format!("{name} is NULL")));
    }
    if (count as usize) < needed {
        let message = format!("{name} has place for {count}; {needed} are needed");
        return Err(Failure::new(kg_status::BufferTooSmall, message));
    }
    Ok(Out {
        pointer,
        count: needed,
    })
}

/// Writes a text with a NUL behind it, as `snprintf` does with sizes: `size` gets the bytes that are
/// needed, and a NULL `buffer` of no capacity asks for that alone.
///
/// # Safety
/// As the module says.
pub(crate) unsafe fn write_text(
    text: &str,
    buffer: *mut c_char,
    capacity: u64,
    size: *mut u64,
) -> Result<(), Failure> {
    let text = text.replace('\0', "\u{fffd}");
    // SAFETY: as asked of the caller; the bytes fit, with the NUL.
    unsafe {
        let write = write_bytes(text.as_bytes(), 1, buffer.cast(), capacity, size)?;
        if write {
            buffer.add(text.len()).write(0);
        }
    }
    Ok(())
}

/// Writes bytes as [`write_text`] does, with place for `more` behind them; whether it wrote.
///
/// # Safety
/// As the module says.
pub(crate) unsafe fn write_bytes(
    bytes: &[u8],
    more: usize,
    buffer: *mut u8,
    capacity: u64,
    size: *mut u64,
) -> Result<bool, Failure> {
    let needed = (bytes.len() + more) as u64;
    if !size.is_null() {
        // SAFETY: it points to a number, as asked of the caller.
        unsafe { size.write_unaligned(needed) };
    }
    if buffer.is_null() {
        return match (capacity, size.is_null()) {
            (0, false) => Ok(false),
            (0, true) => Err(Failure::argument("buffer and size are both NULL")),
            _ => Err(Failure::argument(
                "buffer is NULL and its capacity is not 0",
            )),
        };
    }
    if capacity < needed {
        let message = format!("the buffer has {capacity} bytes; {needed} are needed");
        return Err(Failure::new(kg_status::BufferTooSmall, message));
    }
    // SAFETY: the buffer has the capacity that the caller says, and is none of this library's.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, bytes.len()) };
    Ok(true)
}

/// Reads options. NULL is the defaults. A structure of an older program has only the fields of
/// its time, the others are 0; one of a newer program is taken where what we do not know is 0.
///
/// # Safety
/// As the module says.
pub(crate) unsafe fn options<T: Structure>(pointer: *const T) -> Result<T, Failure> {
    // SAFETY: all bytes 0 is a value, as the trait says.
    let mut value: T = unsafe { std::mem::zeroed() };
    if pointer.is_null() {
        return Ok(value);
    }
    let bytes = pointer.cast::<u8>();
    // SAFETY: a structure begins with its size, as the trait and the caller say.
    let size = unsafe { struct_size::<T>(bytes) }?;
    let known = size_of::<T>();
    // SAFETY: the caller has `size` bytes.
    let beyond = (known..size).any(|at| unsafe { bytes.add(at).read() } != 0);
    if beyond {
        let message = format!(
            "{} has {size} bytes, and this version of the library knows {known} of them",
            T::NAME
        );
        return Err(Failure::argument(message));
    }
    // SAFETY: both have so many bytes, and any bytes of the caller's are values of the fields.
    unsafe { std::ptr::copy_nonoverlapping(bytes, (&raw mut value).cast(), size.min(known)) };
    Ok(value)
}

/// Writes a structure into one whose `struct_size` the caller has set, as many fields as it has;
/// what a newer program has beyond them is set to 0.
///
/// # Safety
/// As the module says.
pub(crate) unsafe fn write_structure<T: Structure>(
    value: &T,
    pointer: *mut T,
) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::argument(format!("{} is NULL", T::NAME)));
    }
    let bytes = pointer.cast::<u8>();
    // SAFETY: a structure begins with its size, which stays; the caller has `size` bytes.
    unsafe {
        let size = struct_size::<T>(bytes)?;
        let own = (&raw const *value).cast::<u8>();
        let (start, known) = (size_of::<u32>(), size_of::<T>().min(size));
        std::ptr::copy_nonoverlapping(own.add(start), bytes.add(start), known - start);
        bytes.add(known).write_bytes(0, size - known);
    }
    Ok(())
}

/// The first field of a structure, checked.
///
/// # Safety
/// As the module says.
unsafe fn struct_size<T: Structure>(bytes: *const u8) -> Result<usize, Failure> {
    // SAFETY: a structure begins with this field.
    let size = unsafe { bytes.cast::<u32>().read_unaligned() } as usize;
    if (T::FIRST_SIZE..=MOST_BYTES).contains(&size) {
        return Ok(size);
    }
    Err(Failure::argument(format!(
        "{}.struct_size is {size}; sizeof({0}) was expected",
        T::NAME
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Now {
        struct_size: u32,
        a: u32,
        b: f64,
    }
    // SAFETY: plain numbers after `struct_size`.
    unsafe impl Structure for Now {
        const NAME: &'static str = "now";
        const FIRST_SIZE: usize = 8;
    }

    #[repr(C)]
    struct Newer {
        now: Now,
        c: u64,
    }

    fn read(value: &Newer) -> Result<Now, Failure> {
        // SAFETY: it has more bytes than `struct_size` says.
        unsafe { options((&raw const *value).cast::<Now>()) }
    }

    fn newer(struct_size: u32, c: u64) -> Newer {
        let now = Now {
            struct_size,
            a: 5,
            b: 2.5,
        };
        Newer { now, c }
    }

    #[test]
    fn older_and_newer_programs_are_understood() {
        let old = read(&newer(8, 9)).unwrap();
        assert_eq!((old.a, old.b), (5, 0.0));
        let same = read(&newer(16, 9)).unwrap();
        assert_eq!((same.a, same.b), (5, 2.5));
        assert_eq!(read(&newer(24, 0)).unwrap().b, 2.5);
        assert!(read(&newer(24, 9)).is_err());
        for size in [0, 4, 7, 1 << 20] {
            let message = read(&newer(size, 0)).err().unwrap().message;
            assert!(message.contains("sizeof(now)"), "{message}");
        }
        // SAFETY: NULL is asked for nothing.
        let none: Now = unsafe { options(std::ptr::null()) }.unwrap();
        assert_eq!((none.a, none.b), (0, 0.0));
    }

    #[test]
    fn results_fill_as_many_fields_as_the_program_has() {
        let value = Now {
            struct_size: 0,
            a: 1,
            b: 3.0,
        };
        for (size, expected) in [(8, (1, 2.5, 9)), (16, (1, 3.0, 9)), (24, (1, 3.0, 0))] {
            let mut theirs = newer(size, 9);
            // SAFETY: it has as many bytes as `struct_size` says.
            unsafe { write_structure(&value, (&raw mut theirs).cast()) }.unwrap();
            assert_eq!((theirs.now.a, theirs.now.b, theirs.c), expected);
            assert_eq!(theirs.now.struct_size, size);
        }
    }

    #[test]
    fn texts_are_written_whole_or_not_at_all() {
        let mut buffer = [1 as c_char; 4];
        let mut size = 0;
        let at = buffer.as_mut_ptr();
        // SAFETY: the buffer has four bytes, or is not there.
        unsafe {
            write_text("abcd", std::ptr::null_mut(), 0, &raw mut size).unwrap();
            assert_eq!(size, 5);
            let failure = write_text("abcd", at, 4, &raw mut size).unwrap_err();
            assert_eq!(failure.status, kg_status::BufferTooSmall);
            assert_eq!(buffer, [1; 4]);
            write_text("abc", at, 4, std::ptr::null_mut()).unwrap();
            assert_eq!(CStr::from_ptr(at).to_str(), Ok("abc"));
            let none = std::ptr::null_mut();
            assert!(write_text("", none, 3, &raw mut size).is_err());
            assert!(write_text("", none, 0, std::ptr::null_mut()).is_err());
        }
    }
}
