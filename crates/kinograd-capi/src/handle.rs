//! Handles: numbers in the clothes of pointers, looked up and never followed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::status::{Failure, kg_status};

/// Bits of a handle, from the lowest: kind, place in the table, generation.
const KIND_BITS: u32 = 4;
const PLACE_BITS: u32 = (usize::BITS - KIND_BITS) / 2 - 2;
const GENERATION_BITS: u32 = usize::BITS - KIND_BITS - PLACE_BITS;
const LAST_GENERATION: usize = (1 << (GENERATION_BITS - 1)) - 1;

/// What a handle stands for.
pub(crate) trait Object: Send + Sync + Sized + 'static {
    /// The type that C programs see a pointer of.
    type Opaque;
    /// Tells this kind of handle from others; not above 15.
    const KIND: usize;
    /// The kind in words.
    const NAME: &'static str;

    /// All objects of the kind.
    fn table() -> &'static Table<Self>;
}

/// The objects of one kind that were made and not yet destroyed.
pub(crate) struct Table<T>(Mutex<Slots<T>>);

struct Slots<T> {
    all: Vec<Slot<T>>,
    /// Places that were given back.
    free: Vec<usize>,
}

struct Slot<T> {
    /// How many objects have been at this place, with this one.
    generation: usize,
    object: Option<Arc<T>>,
}

impl<T> Table<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(Slots {
            all: Vec::new(),
            free: Vec::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Slots<T>> {
        // Nothing in here panics halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Slots<T> {
    fn insert(&mut self, object: T) -> Option<(usize, usize)> {
        let object = Some(Arc::new(object));
        if let Some(place) = self.free.pop() {
            let slot = &mut self.all[place];
            slot.generation += 1;
            slot.object = object;
            return Some((place, slot.generation));
        }
        let place = self.all.len();
        if place >> PLACE_BITS != 0 {
            return None;
        }
        self.all.push(Slot {
            generation: 1,
            object,
        });
        Some((place, 1))
    }

    fn slot(&mut self, (place, generation): (usize, usize)) -> Option<&mut Slot<T>> {
        let slot = self.all.get_mut(place)?;
        (slot.generation == generation).then_some(slot)
    }

    fn remove(&mut self, at: (usize, usize)) -> Option<Arc<T>> {
        let slot = self.slot(at)?;
        let object = slot.object.take()?;
        // A place whose generations are used up is left alone for good.
        if slot.generation < LAST_GENERATION {
            self.free.push(at.0);
        }
        Some(object)
    }
}

/// A new handle of an object.
pub(crate) fn insert<T: Object>(object: T) -> Result<*mut T::Opaque, Failure> {
    let Some((place, generation)) = T::table().lock().insert(object) else {
        let message = format!("there are too many {}s", T::NAME);
        return Err(Failure::new(kg_status::OverBudget, message));
    };
    let number = (((generation << PLACE_BITS) | place) << KIND_BITS) | T::KIND;
    Ok(std::ptr::without_provenance_mut(number))
}

/// The object of a handle. It lives on while the caller holds it, whoever destroys the handle.
pub(crate) fn get<T: Object>(handle: *const T::Opaque) -> Result<Arc<T>, Failure> {
    let at = place_of::<T>(handle)?;
    let mut table = T::table().lock();
    let object = table.slot(at).and_then(|slot| slot.object.clone());
    object.ok_or_else(destroyed::<T>)
}

/// Takes the object from a handle, which is none from now on. NULL is taken, as `free` takes it.
pub(crate) fn remove<T: Object>(handle: *mut T::Opaque) -> Result<Option<Arc<T>>, Failure> {
    if handle.is_null() {
        return Ok(None);
    }
    let at = place_of::<T>(handle)?;
    let object = T::table().lock().remove(at);
    object.map(Some).ok_or_else(destroyed::<T>)
}

fn place_of<T: Object>(handle: *const T::Opaque) -> Result<(usize, usize), Failure> {
    let refuse = |what: &str| {
        let message = format!("the {} is {what}", T::NAME);
        Err(Failure::new(kg_status::InvalidHandle, message))
    };
    let number = handle.addr();
    if number == 0 {
        return refuse("NULL");
    }
    if number & ((1 << KIND_BITS) - 1) != T::KIND {
        return refuse("no such handle, but something else");
    }
    let number = number >> KIND_BITS;
    Ok((number & ((1 << PLACE_BITS) - 1), number >> PLACE_BITS))
}

fn destroyed<T: Object>() -> Failure {
    let message = format!("the {} was destroyed before, or never made", T::NAME);
    Failure::new(kg_status::InvalidHandle, message)
}

/// Says what a type is to handles.
macro_rules! object {
    ($type:ty, $opaque:ty, $kind:literal, $name:literal) => {
        impl $crate::handle::Object for $type {
            type Opaque = $opaque;
            const KIND: usize = $kind;
            const NAME: &'static str = $name;

            fn table() -> &'static $crate::handle::Table<Self> {
                static TABLE: $crate::handle::Table<$type> = $crate::handle::Table::new();
                &TABLE
            }
        }
    };
}
pub(crate) use object;

#[cfg(test)]
mod tests {
    use super::*;

    pub struct Opaque;
    object!(u32, Opaque, 9, "number");

    #[test]
    fn a_handle_is_good_until_it_is_destroyed() {
        let first = insert(7_u32).unwrap();
        assert_eq!(*get::<u32>(first).unwrap(), 7);
        let held = get::<u32>(first).unwrap();
        assert_eq!(remove::<u32>(first).unwrap().as_deref(), Some(&7));
        assert_eq!(*held, 7);
        let again = remove::<u32>(first).unwrap_err();
        assert_eq!(again.status, kg_status::InvalidHandle);
        // The place is used again, the handle is not.
        let second = insert(8_u32).unwrap();
        assert_ne!(first, second);
        assert!(get::<u32>(first).is_err());
        assert_eq!(*get::<u32>(second).unwrap(), 8);
        for wild in [1_usize, 15, 9, usize::MAX, second.addr() + 1] {
            let wild = std::ptr::without_provenance_mut(wild);
            assert!(get::<u32>(wild).is_err() && remove::<u32>(wild).is_err());
        }
        assert!(get::<u32>(std::ptr::null()).is_err());
        assert!(remove::<u32>(std::ptr::null_mut()).unwrap().is_none());
    }

    #[test]
    fn a_place_whose_generations_are_used_up_is_left_alone() {
        let mut slots = Slots {
            all: vec![Slot {
                generation: LAST_GENERATION - 1,
                object: None,
            }],
            free: vec![0],
        };
        let last = slots.insert(1).unwrap();
        assert_eq!(last, (0, LAST_GENERATION));
        assert!(slots.remove(last).is_some());
        assert_eq!(slots.insert(2), Some((1, 1)));
    }
}
