//! The nodes of a tree: one allocation each, immutable once anybody else can see them.
//!
//! ```text
//! offset  bytes
//!      0      4  bytes of the allocation
//!      4      2  slots (of an inner node)
//!      6      1  level: 0 for a leaf, else one more than its children's
//!      7      1  fresh: made by the edit at work, which may still change it
//!      8      …  leaf: a block, and what the allocator gives beyond it; inner node: slots of 32 bytes {child, entries, prefix of the first entry, bytes below}
//! ```
//!
//! Nodes are not counted: who owns one, and frees it, is said by [`super::ledger`]. Here is all that is unsafe about
//! them.

#![expect(
    clippy::cast_ptr_alignment,
    reason = "allocations are 8-aligned, and so are the slots behind the header"
)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use crate::prefetch::prefetch;
use crate::store::value::block::Block;
use crate::store::value::form::Form;

/// An inner node has at most so many children.
pub(super) const SLOTS_MAX: usize = 32;
pub(super) const HEADER_BYTES: usize = size_of::<Header>();
/// Up to here leaves are rounded to a few sizes.
pub(super) const ROUNDED_BYTES_MAX: usize = 1024;
/// Bytes that the cache fetches together.
const LINE_BYTES: usize = 64;

#[repr(C, align(8))]
struct Header {
    bytes: u32,
    slots: u16,
    level: u8,
    fresh: bool,
}

/// A child of an inner node, and what is known of it without looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Slot {
    pub child: NodePtr,
    /// Entries below.
    pub len: u64,
    /// Of the first entry below, as [`Form::prefix`].
    pub prefix: u64,
    /// Bytes of the nodes below, the child's own included.
    pub bytes: u64,
}

impl Slot {
    /// Has the child fetched. Why all of it: a search looks here and there, and what is changed is copied.
    #[inline]
    pub fn prefetch(&self) {
        let bytes = self.bytes.min(ROUNDED_BYTES_MAX as u64) as usize;
        let start = self.child.0.as_ptr().cast_const().cast::<u8>();
        for line in (0..bytes).step_by(LINE_BYTES) {
            prefetch(start.wrapping_add(line));
        }
    }
}

/// A pointer to a node that the holder may read: its tree belongs to a version under the holder's guard, or to the
/// holder's edit.
///
/// Invariant: points to a node that was made here and is not freed. [`super::ledger`] says why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodePtr(NonNull<Header>);

// SAFETY: a node that two threads can see is immutable.
unsafe impl Send for NodePtr {}
// SAFETY: as above.
unsafe impl Sync for NodePtr {}

impl NodePtr {
    /// Makes a leaf of a block of `body` bytes, which `write` fills.
    pub(super) fn leaf(body: usize, write: impl FnOnce(&mut [u8])) -> Self {
        let bytes = leaf_bytes(body);
        let node = Self::allocate(bytes, 0, 0);
        // SAFETY: just allocated, and nobody else has it. Zeroed, or else there would be slices of uninitialised bytes.
        unsafe {
            node.0.as_ptr().cast::<u8>().add(HEADER_BYTES).write_bytes(0, bytes - HEADER_BYTES);
            node.refill(body, write);
        }
        node
    }

    /// Has `write` make a fresh leaf another one, with a block of `body` bytes.
    ///
    /// # Safety
    /// It is a leaf of [`leaf_bytes`] for such a block, and nobody else can see it.
    pub(super) unsafe fn refill(self, body: usize, write: impl FnOnce(&mut [u8])) {
        debug_assert!(self.is_fresh() && self.level() == 0 && self.bytes() == leaf_bytes(body));
        // SAFETY: the allocation has room for the body, is initialised, and the caller is the only one who has it.
        write(unsafe {
            std::slice::from_raw_parts_mut(self.0.as_ptr().cast::<u8>().add(HEADER_BYTES), body)
        });
    }

    /// Makes an inner node.
    ///
    /// # Panics
    /// Without children, or with more than [`SLOTS_MAX`].
    pub(super) fn inner(slots: &[Slot]) -> Self {
        assert!((1..=SLOTS_MAX).contains(&slots.len()), "an inner node has children");
        let level = slots[0].child.level() + 1;
        let node = Self::allocate(HEADER_BYTES + size_of_val(slots), slots.len() as u16, level);
        // SAFETY: just allocated with room for the slots, which are 8-aligned behind the header.
        unsafe {
            let start = node.0.as_ptr().add(1).cast::<Slot>();
            std::ptr::copy_nonoverlapping(slots.as_ptr(), start, slots.len());
        }
        node
    }

    /// Makes an inner node like this one, but for one child.
    ///
    /// # Safety
    /// It is an inner node with so many children, and is allocated.
    pub(super) unsafe fn with_slot(self, at: usize, slot: Slot) -> Self {
        // SAFETY: as the caller says; the copy has just been made and nobody else has it.
        unsafe {
            let node = Self::inner(self.slots());
            node.set_slot(at, slot);
            node
        }
    }

    fn allocate(bytes: usize, slots: u16, level: u8) -> Self {
        let layout = layout(bytes);
        // SAFETY: the layout is not empty: it has a header.
        let Some(node) = NonNull::new(unsafe { alloc(layout) }.cast::<Header>()) else {
            handle_alloc_error(layout)
        };
        let bytes = u32::try_from(bytes).expect("a node is smaller than 4 GiB: its entries are limited");
        // SAFETY: just allocated.
        unsafe { node.write(Header { bytes, slots, level, fresh: true }) };
        Self(node)
    }

    #[inline]
    fn header<'n>(self) -> &'n Header {
        // SAFETY: the type's invariant. The one field that changes does so only while a single edit can see the node.
        unsafe { self.0.as_ref() }
    }

    /// 0 for a leaf.
    #[inline]
    pub(super) fn level(self) -> u8 {
        self.header().level
    }

    /// Bytes of its allocation.
    #[inline]
    pub(super) fn bytes(self) -> usize {
        self.header().bytes as usize
    }

    /// Whether the edit at work made it.
    #[inline]
    pub(super) fn is_fresh(self) -> bool {
        self.header().fresh
    }

    /// Says that it never changes again.
    ///
    /// # Safety
    /// Nobody else can see the node.
    pub(super) unsafe fn freeze(self) {
        // SAFETY: the caller is the only one who knows the node.
        unsafe { (*self.0.as_ptr()).fresh = false };
    }

    /// The entries of a leaf.
    ///
    /// # Safety
    /// It is a leaf, and stays allocated for `'n`.
    #[inline]
    pub(super) unsafe fn block<'n>(self) -> Block<'n> {
        debug_assert_eq!(self.level(), 0);
        // SAFETY: `leaf` filled the allocation with a block behind the header.
        let body = unsafe {
            let start = self.0.as_ptr().cast::<u8>().add(HEADER_BYTES);
            std::slice::from_raw_parts(start, self.bytes() - HEADER_BYTES)
        };
        Block::of(body)
    }

    /// The children of an inner node.
    ///
    /// # Safety
    /// It is an inner node, and stays allocated, and unchanged, for `'n`.
    #[inline]
    pub(super) unsafe fn slots<'n>(self) -> &'n [Slot] {
        debug_assert_ne!(self.level(), 0);
        // SAFETY: `inner` wrote so many slots behind the header.
        unsafe {
            let start = self.0.as_ptr().add(1).cast::<Slot>();
            std::slice::from_raw_parts(start, usize::from(self.header().slots))
        }
    }

    /// Replaces one child.
    ///
    /// # Safety
    /// It is a fresh inner node with so many children, and nobody holds its slots.
    pub(super) unsafe fn set_slot(self, at: usize, slot: Slot) {
        debug_assert!(self.is_fresh() && at < usize::from(self.header().slots));
        // SAFETY: as the caller says; a fresh node is known to one edit only.
        unsafe { self.0.as_ptr().add(1).cast::<Slot>().add(at).write(slot) };
    }

    /// The first entry below.
    ///
    /// # Safety
    /// The nodes below stay allocated for `'n`.
    pub(super) unsafe fn first<'n>(mut self) -> &'n [u8] {
        // SAFETY: nodes above level 0 are inner nodes, which have children; a leaf has entries. The caller keeps them.
        unsafe {
            while self.level() > 0 {
                self = self.slots()[0].child;
            }
            self.block().get(0)
        }
    }

    /// What its parent knows of it.
    ///
    /// # Safety
    /// The nodes below are allocated.
    #[inline]
    pub(super) unsafe fn as_slot(self, form: Form) -> Slot {
        // SAFETY: as the caller says; used at once.
        unsafe {
            let own = self.bytes() as u64;
            if self.level() == 0 {
                let block = self.block();
                let prefix = form.prefix(block.get(0));
                return Slot { child: self, len: block.len() as u64, prefix, bytes: own };
            }
            let slots = self.slots();
            let len = slots.iter().map(|slot| slot.len).sum();
            let below: u64 = slots.iter().map(|slot| slot.bytes).sum();
            Slot { child: self, len, prefix: slots[0].prefix, bytes: own + below }
        }
    }

    /// Its address and layout, for whoever frees it later.
    #[inline]
    pub(super) fn allocation(self) -> (NonNull<u8>, Layout) {
        (self.0.cast(), layout(self.bytes()))
    }

    /// Takes back an address, from a version.
    ///
    /// # Safety
    /// `address` came from [`NodePtr::address`], of a node that is not freed.
    #[inline]
    pub(crate) unsafe fn from_address(address: u64) -> Self {
        // SAFETY: as the caller says, so it is not null.
        Self(unsafe { NonNull::new_unchecked(address as *mut Header) })
    }

    /// The address, for a version.
    #[inline]
    pub(crate) fn address(self) -> u64 {
        self.0.as_ptr() as u64
    }

    /// Frees the node, not those below.
    ///
    /// # Safety
    /// Nobody reads it any more, and nobody frees it again.
    pub(super) unsafe fn free(self) {
        let (start, layout) = self.allocation();
        // SAFETY: made by `allocate` with this layout; the caller gives it up.
        unsafe { dealloc(start.as_ptr(), layout) };
    }

    /// Frees the node and all below.
    ///
    /// # Safety
    /// As [`NodePtr::free`], for all of them.
    pub(crate) unsafe fn free_whole(self) {
        let mut left = vec![self];
        while let Some(node) = left.pop() {
            // SAFETY: as the caller says; children are read before their parent is freed, and each has one parent.
            unsafe {
                if node.level() > 0 {
                    left.extend(node.slots().iter().map(|slot| slot.child));
                }
                node.free();
            }
        }
    }
}

/// Bytes of the allocation of a leaf with a block of so many bytes: as many as the allocator takes for it, so that leaves
/// of about the same length can take each other's place.
pub(super) fn leaf_bytes(body: usize) -> usize {
    match HEADER_BYTES + body {
        bytes @ ..=512 => bytes.next_multiple_of(64),
        bytes @ ..=ROUNDED_BYTES_MAX => bytes.next_multiple_of(128),
        bytes => bytes,
    }
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, align_of::<Header>()).expect("a node fits the address space")
}
