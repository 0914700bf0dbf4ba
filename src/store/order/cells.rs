//! The array of a leaf: a base of cells in key order, and slots for fresh ones. See the parent's head.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_epoch::{Guard, Owned, Pointer, Shared};
use smallvec::SmallVec;

use crate::prefetch::prefetch;
use crate::store::cell::Cell;
use crate::store::order::window::{common_prefix, place, window};
use crate::sync::schedule_point;

/// Cells in the base of an array. Larger ones make the skiplist smaller, and merging and removing dearer.
pub const BASE_CELLS_MAX: usize = 64;
/// Slots for fresh cells: with the word before them two cache lines.
pub const FRESH: usize = 15;
/// Windows are made anew at a split where so many of their bytes have become the same in all of them.
const IDLE_WINDOW_BYTES_MAX: u32 = 3;

pub const VACANT: u64 = 0;
const SEALED: u64 = 1;
const ADDRESS: u64 = (1 << 48) - 1;

pub const LIVE: usize = 0;
pub const HALVED: usize = 1;
pub const TAILED: usize = 2;
pub const CONDEMNED: usize = 3;
pub const GONE: usize = 4;

pub type Array = [MaybeUninit<AtomicU64>];

/// A cell of a base, and its window.
#[derive(Clone, Copy)]
pub struct Slot {
    pub window: u64,
    pub cell: *const Cell,
}

pub type Slots = SmallVec<[Slot; BASE_CELLS_MAX + FRESH]>;

/// What came of putting a cell among the fresh ones.
pub enum Added<'g> {
    Done,
    /// The key has this cell already.
    Present(&'g Cell),
    /// There is no vacant slot.
    Full,
}

/// Sixteen bits that keys rarely share: of their last bytes and their length, in the place for them in a fresh slot.
#[inline]
pub fn fingerprint(key: &[u8]) -> u64 {
    let tail = window(key, key.len().saturating_sub(8)) ^ key.len() as u64;
    tail.wrapping_mul(0x9E37_79B9_7F4A_7C15) & !ADDRESS
}

#[inline]
pub fn cell_at(address: u64, _guard: &Guard) -> &Cell {
    // SAFETY: a cell is freed a grace period after it was taken out of its leaf; the array was loaded under the guard.
    unsafe { &*((address & ADDRESS) as *const Cell) }
}

/// The words of an array.
#[inline]
pub fn words(array: &Array) -> &[AtomicU64] {
    // SAFETY: `build` initialised every word, and MaybeUninit<T> is laid out as T.
    unsafe { std::slice::from_raw_parts(array.as_ptr().cast(), array.len()) }
}

/// An array that was loaded under a guard.
#[derive(Clone, Copy)]
pub struct Cells<'g> {
    pub words: &'g [AtomicU64],
}

impl<'g> Cells<'g> {
    #[inline]
    pub fn of(array: Shared<'g, Array>) -> Self {
        // SAFETY: never null; loaded under the guard and retired only once replaced.
        Self { words: words(unsafe { array.with_tag(LIVE).deref() }) }
    }

    /// Words behind the fresh slots: they never change.
    #[inline]
    fn fixed(self) -> &'g [u64] {
        let fixed = &self.words[1 + FRESH..];
        // SAFETY: an AtomicU64 is laid out as a u64, and nobody stores into these once the array is shared.
        unsafe { std::slice::from_raw_parts(fixed.as_ptr().cast(), fixed.len()) }
    }

    #[inline]
    pub fn skip(self) -> usize {
        // Relaxed: never changes; the Acquire load of the array's pointer made it visible.
        self.words[0].load(Ordering::Relaxed) as usize
    }

    #[inline]
    pub fn windows(self) -> &'g [u64] {
        let fixed = self.fixed();
        &fixed[..fixed.len() / 2]
    }

    #[inline]
    pub fn base(self) -> &'g [u64] {
        let fixed = self.fixed();
        &fixed[fixed.len() / 2..]
    }

    #[inline]
    fn fresh_slots(self) -> &'g [AtomicU64] {
        &self.words[1..=FRESH]
    }

    /// The addresses of the fresh cells.
    #[inline]
    pub fn fresh(self) -> impl Iterator<Item = u64> + 'g {
        // Acquire: pairs with the AcqRel in `add`: the cell is initialised.
        let slots = self.fresh_slots().iter().map(|slot| slot.load(Ordering::Acquire));
        slots.take_while(|&slot| slot > SEALED).map(|slot| slot & ADDRESS)
    }

    /// The addresses of all cells, those of the base first.
    #[inline]
    pub fn all(self) -> impl Iterator<Item = u64> + 'g {
        self.base().iter().copied().chain(self.fresh())
    }

    /// Where a key is in the base of the leaf that begins with `low`, which it is not below.
    #[inline]
    pub fn place(self, low: &[u8], key: &[u8], guard: &Guard) -> Result<usize, usize> {
        let base = self.base();
        place(self.windows(), self.skip(), low, key, |at| cell_at(base[at], guard).key(guard))
    }

    /// Puts the cell that `make` makes into the first vacant slot, unless the key is in one before it.
    #[inline]
    pub fn add(self, key: &[u8], guard: &'g Guard, make: &mut impl FnMut() -> *const Cell) -> Added<'g> {
        let mark = fingerprint(key);
        for slot in self.fresh_slots() {
            schedule_point();
            // Acquire: pairs with the AcqRel below: the cell is initialised.
            let mut found = slot.load(Ordering::Acquire);
            if found == VACANT {
                let wanted = make() as u64 | mark;
                schedule_point();
                // AcqRel: Release publishes the cell to the Acquire loads here and in `fresh`; Acquire as above.
                match slot.compare_exchange(VACANT, wanted, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return Added::Done,
                    Err(other) => found = other,
                }
            }
            if found == SEALED {
                break;
            }
            if found & !ADDRESS == mark && cell_at(found, guard).key(guard) == key {
                return Added::Present(cell_at(found, guard));
            }
        }
        Added::Full
    }

    /// Sees to it that nothing in the array changes any more.
    pub fn seal(self) {
        for slot in self.fresh_slots() {
            schedule_point();
            // Acquire: a cell that came first is initialised; nothing is published.
            let _ = slot.compare_exchange(VACANT, SEALED, Ordering::Acquire, Ordering::Acquire);
        }
    }

    /// All cells in key order, with windows, and what these skip.
    pub fn merged(self, low: &[u8], guard: &'g Guard) -> (usize, Slots) {
        let mut fresh: SmallVec<[(u64, u64); FRESH]> = self.fresh().map(|cell| (0, cell)).collect();
        fetch_cells(fresh.iter().map(|&(_, cell)| cell));
        fetch_versions(fresh.iter().map(|&(_, cell)| cell), guard);
        let key = |cell: u64| cell_at(cell, guard).key(guard);
        let old_skip = self.skip();
        let common = |skip: usize, key: &[u8]| match key.get(..skip) {
            Some(start) if *start == low[..skip] => skip,
            _ => common_prefix(&low[..skip], key),
        };
        let skip = fresh.iter().fold(old_skip, |skip, &(_, cell)| common(skip, key(cell)));
        for (window_of, cell) in &mut fresh {
            *window_of = window(key(*cell), skip);
        }
        // Why by windows: they are here, the keys are far away.
        fresh.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| key(a.1).cmp(key(b.1))));
        let mut base = self.windows().iter().zip(self.base()).map(|(&old, &cell)| Slot {
            window: if skip == old_skip { old } else { window(key(cell), skip) },
            cell: cell as *const Cell,
        });
        let mut slots = Slots::new();
        let mut next = base.next();
        for (window, cell) in fresh {
            while let Some(slot) = next
                && (slot.window < window || slot.window == window && key(slot.cell as u64) < key(cell))
            {
                slots.push(slot);
                next = base.next();
            }
            slots.push(Slot { window, cell: cell as *const Cell });
        }
        slots.extend(next);
        slots.extend(base);
        (skip, slots)
    }
}

/// Brings what a search in an array looks at near, all at once. Where the array is shorter, what lies behind it too.
#[inline]
pub fn fetch_array(array: Shared<'_, Array>) {
    const LINES: usize = (2 + FRESH + BASE_CELLS_MAX) / 8;
    let address = array.with_tag(LIVE).into_usize() as *const u8;
    for line in 0..LINES {
        prefetch(address.wrapping_add(line * 64));
    }
}

/// Brings cells near.
#[inline]
pub fn fetch_cells(cells: impl Iterator<Item = u64>) {
    for cell in cells {
        prefetch(cell as *const Cell);
    }
}

/// Brings the versions in cells near.
#[inline]
pub fn fetch_versions(cells: impl Iterator<Item = u64>, guard: &Guard) {
    for cell in cells {
        cell_at(cell, guard).prefetch_version(guard);
    }
}

/// Makes an array whose first slot for fresh cells holds `fresh`.
pub fn build(skip: usize, base: &[Slot], fresh: u64) -> Owned<Array> {
    let mut array = Owned::<Array>::init(1 + FRESH + 2 * base.len());
    let windows = base.iter().map(|slot| slot.window);
    let cells = base.iter().map(|slot| slot.cell as u64);
    let slots = std::iter::once(fresh).chain(std::iter::repeat_n(VACANT, FRESH - 1));
    let words = std::iter::once(skip as u64).chain(slots).chain(windows).chain(cells);
    for (to, word) in array.iter_mut().zip(words) {
        to.write(AtomicU64::new(word));
    }
    array
}

/// Makes the array of a leaf that begins with `low`, out of one part of a leaf that skipped `skip` bytes.
pub fn part(low: &[u8], skip: usize, slots: &[Slot], guard: &Guard) -> Owned<Array> {
    let (Some(first), Some(last)) = (slots.first(), slots.last()) else {
        return build(low.len(), slots, VACANT);
    };
    let idle = (first.window ^ last.window).leading_zeros() / 8;
    if idle <= IDLE_WINDOW_BYTES_MAX {
        return build(skip, slots, VACANT);
    }
    let key = |slot: &Slot| cell_at(slot.cell as u64, guard).key(guard);
    let skip = common_prefix(low, key(last));
    let anew: Slots = slots.iter().map(|slot| Slot { window: window(key(slot), skip), ..*slot }).collect();
    build(skip, &anew, VACANT)
}
