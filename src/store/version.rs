//! One immutable state of one key, in one allocation.
//!
//! ```text
//! offset  bytes
//!      0      8  meta: LSN (48 high bits); where the key begins, in words (4 bits), kind (4 bits), flags (8 low
//!                bits); atomic, only COMMITTED is ever set later
//!      8      4  access: idle clock or frequency of the key; atomic, touched by readers
//!     12      4  lengths: key (12 high bits), value (20 low bits); key = 0xFFF: the long form follows
//!    +16     16  long form only: key length, value length, 8 bytes each
//!     +8         only with EXPIRY: Unix milliseconds
//!     +8         only for an integer: the value
//!    +32         only for a shared string: the `bytes::Bytes` that holds it
//!    +48         only for a large collection: two trees {root, entries, bytes}; a root of 0: there is none
//!      …         the key's bytes, then the value's bytes of an inline string, or the block of a small collection
//! ```
//!
//! A version is built by one writer, published by a CAS on its cell, and from then on read by anybody who is
//! pinned; whoever replaces it retires it. The nodes of its trees are not freed with it: they have an owner of their own
//! ([`crate::store::value::ledger`]). Nothing here knows of cells, disk or clocks.

#![expect(
    clippy::cast_ptr_alignment,
    reason = "allocations are 8-aligned, and words lie at multiples of 8: see `Shape`"
)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::borrow::Cow;
use std::ptr::NonNull;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::clock::Millis;
use crate::lsn::Lsn;
use crate::store::value::block::Block;
use crate::store::value::collection::{Collection, HashRef, ListRef, SetRef, SortedRef, Trees, Type};
use crate::store::value::draft::Built;
use crate::store::value::node::NodePtr;
use crate::store::value::seq::Seq;
use crate::store::value::tree::Tree;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// A string longer than this lives in a buffer of its own that replies can share.
pub const SHARED_MIN_BYTES: usize = 16 * 1024;

const COMMITTED: u64 = 1;
const EXPIRY: u64 = 1 << 1;
const LONG: u64 = 1 << 2;
/// A small hash has a field with an expiry.
const FIELD_EXPIRY: u64 = 1 << 3;
const KIND_SHIFT: u32 = 8;
const KIND_MASK: u64 = 0xF << KIND_SHIFT;
const KEY_AT_SHIFT: u32 = 12;
const KEY_AT_MASK: u64 = 0xF;
const WORD_BYTES: usize = 8;
const LSN_SHIFT: u32 = 16;

const KEY_BITS: u32 = 12;
const VALUE_BITS: u32 = 20;
const KEY_ESCAPE: u32 = (1 << KEY_BITS) - 1;
const VALUE_SHORT_MAX: usize = (1 << VALUE_BITS) - 1;

/// What a version holds. The discriminants are the kind bits of the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// No value: the key is absent.
    Tombstone = 0,
    /// An inline string.
    Str = 1,
    /// An integer that a client sees as its decimal digits.
    Int = 2,
    /// An inline string that was edited in place (Redis calls the encoding `raw` whatever its length).
    Raw = 3,
    /// A long string in a shared buffer.
    Shared = 4,
    /// A small list, set, set of integers in their order, hash, sorted set: a block.
    PackedList = 5,
    /// See above.
    PackedSet = 6,
    /// See above.
    PackedInts = 7,
    /// See above.
    PackedHash = 8,
    /// See above.
    PackedSorted = 9,
    /// A large list, set, hash, sorted set: trees.
    TreeList = 10,
    /// See above.
    TreeSet = 11,
    /// See above.
    TreeHash = 12,
    /// See above.
    TreeSorted = 13,
}

impl Kind {
    #[inline]
    fn from_meta(meta: u64) -> Self {
        match (meta & KIND_MASK) >> KIND_SHIFT {
            0 => Self::Tombstone,
            1 => Self::Str,
            2 => Self::Int,
            3 => Self::Raw,
            4 => Self::Shared,
            5 => Self::PackedList,
            6 => Self::PackedSet,
            7 => Self::PackedInts,
            8 => Self::PackedHash,
            9 => Self::PackedSorted,
            10 => Self::TreeList,
            11 => Self::TreeSet,
            12 => Self::TreeHash,
            _ => Self::TreeSorted,
        }
    }

    fn packed(of: Type, is_ints: bool) -> Self {
        match of {
            Type::String => Self::Str,
            Type::List => Self::PackedList,
            Type::Set if is_ints => Self::PackedInts,
            Type::Set => Self::PackedSet,
            Type::Hash => Self::PackedHash,
            Type::SortedSet => Self::PackedSorted,
        }
    }

    fn tree(of: Type) -> Self {
        match of {
            Type::String => Self::Shared,
            Type::List => Self::TreeList,
            Type::Set => Self::TreeSet,
            Type::Hash => Self::TreeHash,
            Type::SortedSet => Self::TreeSorted,
        }
    }

    #[inline]
    fn is_tree(self) -> bool {
        self as u8 >= Self::TreeList as u8
    }

    /// The type of what it is a kind of; none for a tombstone.
    pub fn type_of(self) -> Option<Type> {
        match self {
            Self::Tombstone => None,
            Self::Str | Self::Int | Self::Raw | Self::Shared => Some(Type::String),
            Self::PackedList | Self::TreeList => Some(Type::List),
            Self::PackedSet | Self::PackedInts | Self::TreeSet => Some(Type::Set),
            Self::PackedHash | Self::TreeHash => Some(Type::Hash),
            Self::PackedSorted | Self::TreeSorted => Some(Type::SortedSet),
        }
    }
}

/// A value as it goes into a version.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// A string; kept as an integer when it is the canonical form of one.
    Str(&'a [u8]),
    /// An integer.
    Int(i64),
    /// A string that must not be kept as an integer.
    Raw(&'a [u8]),
    /// A long string, taken over without a copy.
    Shared(Bytes),
    /// A collection; its trees, if it has any, belong to the version from now on.
    Collection(&'a Built),
}

/// A value as it is read from a version.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'g> {
    /// A string.
    String(StringRef<'g>),
    /// A collection.
    Collection(CollectionRef<'g>),
}

impl<'g> ValueRef<'g> {
    /// The string, if it is one.
    #[inline]
    pub fn string(self) -> Option<StringRef<'g>> {
        match self {
            Self::String(string) => Some(string),
            Self::Collection(_) => None,
        }
    }

    /// The collection, if it is one.
    #[inline]
    pub fn collection(self) -> Option<Collection<'g>> {
        match self {
            Self::String(_) => None,
            Self::Collection(collection) => Some(collection.read()),
        }
    }

    /// What it is.
    pub fn type_of(self) -> Type {
        match self {
            Self::String(_) => Type::String,
            Self::Collection(collection) => collection.type_of(),
        }
    }
}

/// A collection in a version that stays for `'g`.
#[derive(Clone, Copy, Debug)]
pub struct CollectionRef<'g> {
    version: VersionPtr,
    life: std::marker::PhantomData<&'g ()>,
}

impl<'g> CollectionRef<'g> {
    /// Its type.
    pub fn type_of(self) -> Type {
        // Only versions of collections are looked at through this.
        self.version.kind().type_of().unwrap_or(Type::String)
    }

    /// All entries in one block: that of a small collection as it is, that of a large one made.
    pub fn to_block(self) -> Cow<'g, [u8]> {
        match self.version.trees() {
            // SAFETY: as in `read`.
            None => Cow::Borrowed(unsafe { self.version.inline() }),
            Some(_) => Cow::Owned(self.read().entries().to_block()),
        }
    }

    /// The collection in the form in which another version takes it; the trees are the same.
    pub fn to_built(self) -> Built {
        let (of, kind) = (self.type_of(), self.version.kind());
        match self.version.trees() {
            Some(trees) => Built::Trees { of, trees },
            None => Built::Packed {
                of,
                is_ints: kind == Kind::PackedInts,
                may_expire: self.version.has_field_expiry(),
                // SAFETY: copied at once.
                bytes: SmallVec::from_slice(unsafe { self.version.inline() }),
            },
        }
    }

    /// The collection, to be read.
    pub fn read(self) -> Collection<'g> {
        let shape = self.version.shape();
        let kind = Kind::from_meta(shape.meta);
        let trees = self.version.trees();
        // SAFETY: made by `VersionPtr::value`, whose caller keeps the version, and with it its trees, for `'g`.
        let (seq, second) = unsafe {
            match trees {
                Some(trees) => (Seq::Tree(trees.main.read()), trees.second.map(|tree| tree.read())),
                None => (Seq::Packed(Block::of(self.version.inline())), None),
            }
        };
        match kind.type_of() {
            Some(Type::Set) => Collection::Set(SetRef { seq, is_ints: kind == Kind::PackedInts }),
            Some(Type::Hash) => {
                let may_expire = second.is_some() || shape.meta & FIELD_EXPIRY != 0;
                Collection::Hash(HashRef { seq, due: second, may_expire })
            }
            Some(Type::SortedSet) => Collection::SortedSet(SortedRef { ranked: seq, members: second }),
            _ => Collection::List(ListRef { seq }),
        }
    }
}

/// A string as it is read from a version.
#[derive(Clone, Copy, Debug)]
pub enum StringRef<'g> {
    /// An integer.
    Int(i64),
    /// An inline string.
    Str(&'g [u8]),
    /// An inline string that was edited in place.
    Raw(&'g [u8]),
    /// A long string.
    Shared(&'g Bytes),
}

impl<'g> StringRef<'g> {
    /// The string's bytes; an integer's digits are written into `digits`.
    #[inline]
    pub fn bytes<'d>(&self, digits: &'d mut itoa::Buffer) -> &'d [u8]
    where
        'g: 'd,
    {
        match *self {
            Self::Int(n) => digits.format(n).as_bytes(),
            Self::Str(s) | Self::Raw(s) => s,
            Self::Shared(s) => s,
        }
    }

    /// The string's length in bytes.
    pub fn len(&self) -> usize {
        match *self {
            Self::Int(n) => itoa::Buffer::new().format(n).len(),
            Self::Str(s) | Self::Raw(s) => s.len(),
            Self::Shared(s) => s.len(),
        }
    }

    /// Whether the string is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value in the form in which another version takes it.
    pub fn to_value(&self) -> Value<'g> {
        match *self {
            Self::Int(n) => Value::Int(n),
            Self::Str(s) => Value::Str(s),
            Self::Raw(s) => Value::Raw(s),
            Self::Shared(s) => Value::Shared(s.clone()),
        }
    }
}

/// Parses the canonical decimal form of an `i64`: no sign but `-`, no leading zero, no space.
#[inline]
pub fn canonical_int(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let first = *digits.first()?;
    if digits.len() > 19 || !first.is_ascii_digit() || (first == b'0' && (digits.len() > 1 || negative)) {
        return None;
    }
    let mut magnitude = 0_u64;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude * 10 + u64::from(digit);
    }
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

#[repr(C)]
struct Header {
    meta: AtomicU64,
    access: AtomicU32,
    lengths: u32,
}

const HEADER_BYTES: usize = size_of::<Header>();
const SHARED_BYTES: usize = size_of::<Bytes>();
const TREES_BYTES: usize = size_of::<[[u64; 3]; 2]>();

/// Where the parts of a version lie. Why the place of the key is kept, though kind and flags imply it: it is asked for
/// several times per command.
#[derive(Clone, Copy)]
struct Shape {
    meta: u64,
    key_len: usize,
    value_len: usize,
}

impl Shape {
    fn new(kind: Kind, has_expiry: bool, key_len: usize, value_len: usize) -> Self {
        let mut meta = u64::from(kind as u8) << KIND_SHIFT;
        if has_expiry {
            meta |= EXPIRY;
        }
        if key_len >= KEY_ESCAPE as usize || value_len > VALUE_SHORT_MAX {
            meta |= LONG;
        }
        let payload = match kind {
            Kind::Int => WORD_BYTES,
            Kind::Shared => SHARED_BYTES,
            kind if kind.is_tree() => TREES_BYTES,
            _ => 0,
        };
        let key_at = expiry_at(meta) + if has_expiry { WORD_BYTES } else { 0 } + payload;
        meta |= ((key_at / WORD_BYTES) as u64) << KEY_AT_SHIFT;
        Self { meta, key_len, value_len }
    }

    #[inline]
    fn key_at(self) -> usize {
        (self.meta >> KEY_AT_SHIFT & KEY_AT_MASK) as usize * WORD_BYTES
    }

    #[inline]
    fn bytes(self) -> usize {
        self.key_at() + self.key_len + self.value_len
    }

    fn layout(self) -> Layout {
        Layout::from_size_align(self.bytes(), align_of::<Header>()).expect("a version fits the address space")
    }
}

/// Where the expiry lies, if there is one: behind the lengths.
#[inline]
fn expiry_at(meta: u64) -> usize {
    HEADER_BYTES + if meta & LONG == 0 { 0 } else { 2 * WORD_BYTES }
}

#[inline]
fn is_shared(meta: u64) -> bool {
    meta & KIND_MASK == (Kind::Shared as u64) << KIND_SHIFT
}

/// A pointer to a version that the holder may read: it owns it, or is pinned.
///
/// Invariant: points to a version made by [`OwnedVersion::new`] and not yet freed. The constructors establish
/// it: `OwnedVersion` by ownership, the cell's loads by the guard they take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VersionPtr(NonNull<u8>);

// SAFETY: a version is immutable but for its atomic words, and its `Bytes` are Send + Sync.
unsafe impl Send for VersionPtr {}
// SAFETY: as above.
unsafe impl Sync for VersionPtr {}

impl VersionPtr {
    /// Takes back an address that [`VersionPtr::address`] gave.
    ///
    /// # Safety
    /// `address` is that of a version that stays allocated while the result (or a copy) is used.
    #[inline]
    pub unsafe fn from_address(address: u64) -> Self {
        // SAFETY: the caller says that this is the address of a live version, so it is not null.
        Self(unsafe { NonNull::new_unchecked(address as *mut u8) })
    }

    /// The address, for a cell's word.
    #[inline]
    pub fn address(self) -> u64 {
        self.0.as_ptr() as u64
    }

    #[inline]
    fn header<'v>(self) -> &'v Header {
        // SAFETY: the type's invariant: a live version starts with an initialised header.
        unsafe { self.0.cast::<Header>().as_ref() }
    }

    #[inline]
    fn shape(self) -> Shape {
        // Relaxed: the bits looked at never change after publication, which the cell's Acquire load ordered.
        let meta = self.header().meta.load(Ordering::Relaxed);
        let lengths = self.header().lengths;
        if meta & LONG == 0 {
            let key_len = (lengths >> VALUE_BITS) as usize;
            return Shape { meta, key_len, value_len: lengths as usize & VALUE_SHORT_MAX };
        }
        // SAFETY: LONG says that two lengths follow the header; the allocation is 8-aligned.
        let (key_len, value_len) = unsafe {
            let long = self.0.as_ptr().add(HEADER_BYTES).cast::<u64>();
            (*long as usize, *long.add(1) as usize)
        };
        Shape { meta, key_len, value_len }
    }

    /// What kind of value this is.
    #[inline]
    pub fn kind(self) -> Kind {
        Kind::from_meta(self.header().meta.load(Ordering::Relaxed))
    }

    /// Whether this says that the key is absent.
    #[inline]
    pub fn is_tombstone(self) -> bool {
        // Relaxed: as in `shape`.
        self.header().meta.load(Ordering::Relaxed) & KIND_MASK == 0
    }

    /// The place of the record that made this version.
    #[inline]
    pub fn lsn(self) -> Lsn {
        Lsn::new(self.header().meta.load(Ordering::Relaxed) >> LSN_SHIFT)
    }

    /// Whether the record that made this version is known to be committed.
    #[inline]
    pub fn is_committed(self) -> bool {
        // Acquire: pairs with the Release in `set_committed`, so that the record's state was stored before.
        self.header().meta.load(Ordering::Acquire) & COMMITTED != 0
    }

    /// Says that the record that made this version is committed. Anybody may, once it is.
    #[inline]
    pub fn set_committed(self) {
        let meta = self.header().meta.load(Ordering::Relaxed);
        // Release: pairs with the Acquire in `is_committed`. A plain store: no other bit changes after publication.
        self.header().meta.store(meta | COMMITTED, Ordering::Release);
    }

    /// The key's bytes.
    ///
    /// # Safety
    /// The version stays allocated for `'v`.
    #[inline]
    pub unsafe fn key<'v>(self) -> &'v [u8] {
        let shape = self.shape();
        // SAFETY: `OwnedVersion::new` wrote `key_len` bytes there, and the caller keeps them allocated.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(shape.key_at()), shape.key_len) }
    }

    /// When the value ends to be, if it does.
    #[inline]
    pub fn expiry(self) -> Option<Millis> {
        // Relaxed: as in `shape`.
        let meta = self.header().meta.load(Ordering::Relaxed);
        if meta & EXPIRY == 0 {
            return None;
        }
        // SAFETY: EXPIRY says that the time lies there; 8-aligned as all before is.
        Some(Millis(unsafe { *self.0.as_ptr().add(expiry_at(meta)).cast::<u64>() }))
    }

    /// Whether a reader at `now` finds no value here.
    #[inline]
    pub fn is_absent(self, now: Millis) -> bool {
        self.is_tombstone() || self.expiry().is_some_and(|at| at <= now)
    }

    /// The value; none for a tombstone.
    ///
    /// # Safety
    /// The version, and with it its trees, stays allocated for `'v`.
    #[inline]
    pub unsafe fn value<'v>(self) -> Option<ValueRef<'v>> {
        let shape = self.shape();
        let base = self.0.as_ptr();
        // SAFETY: `OwnedVersion::new` laid the parts out by the same shape, and the caller keeps them allocated.
        let string = unsafe {
            match Kind::from_meta(shape.meta) {
                Kind::Tombstone => return None,
                Kind::Str => StringRef::Str(self.inline()),
                Kind::Raw => StringRef::Raw(self.inline()),
                Kind::Int => StringRef::Int(*base.add(shape.key_at() - WORD_BYTES).cast::<i64>()),
                Kind::Shared => StringRef::Shared(&*base.add(shape.key_at() - SHARED_BYTES).cast::<Bytes>()),
                _ => {
                    let collection = CollectionRef { version: self, life: std::marker::PhantomData };
                    return Some(ValueRef::Collection(collection));
                }
            }
        };
        Some(ValueRef::String(string))
    }

    /// The bytes behind the key.
    ///
    /// # Safety
    /// The version stays allocated for `'v`.
    #[inline]
    unsafe fn inline<'v>(self) -> &'v [u8] {
        let shape = self.shape();
        // SAFETY: `OwnedVersion::new` wrote so many bytes there, and the caller keeps them allocated.
        unsafe {
            std::slice::from_raw_parts(self.0.as_ptr().add(shape.key_at() + shape.key_len), shape.value_len)
        }
    }

    /// Whether it is a large collection.
    #[inline]
    pub fn has_trees(self) -> bool {
        self.kind().is_tree()
    }

    /// The trees of a large collection.
    #[inline]
    pub fn trees(self) -> Option<Trees> {
        let shape = self.shape();
        if !Kind::from_meta(shape.meta).is_tree() {
            return None;
        }
        // SAFETY: the kind says that two trees lie before the key; the nodes live as long as the version is the
        // current one, or is looked at under a guard since it was.
        unsafe {
            let [main, second] = *self.0.as_ptr().add(shape.key_at() - TREES_BYTES).cast::<[[u64; 3]; 2]>();
            let tree = |[root, len, bytes]: [u64; 3]| Tree { root: NodePtr::from_address(root), len, bytes };
            Some(Trees { main: tree(main), second: (second[0] != 0).then(|| tree(second)) })
        }
    }

    /// Whether it holds a value that has parts.
    #[inline]
    pub fn is_collection(self) -> bool {
        // Relaxed: as in `shape`.
        let meta = self.header().meta.load(Ordering::Relaxed);
        (meta & KIND_MASK) >> KIND_SHIFT >= Kind::PackedList as u64
    }

    /// Whether a field of this hash may have an expiry.
    #[inline]
    pub fn has_field_expiry(self) -> bool {
        let meta = self.header().meta.load(Ordering::Relaxed);
        meta & FIELD_EXPIRY != 0
    }

    /// When the first field of a hash ends to be, if any does.
    ///
    /// # Safety
    /// As of [`VersionPtr::value`].
    pub unsafe fn next_field_expiry(self) -> Option<Millis> {
        if !self.has_field_expiry() {
            return None;
        }
        // SAFETY: as the caller promises.
        match unsafe { self.value() }?.collection()? {
            Collection::Hash(hash) => hash.next_expiry(),
            _ => None,
        }
    }

    /// The mutable word that tells how long ago or how often the key was used.
    #[inline]
    pub fn access<'v>(self) -> &'v AtomicU32 {
        &self.header().access
    }

    /// Bytes of memory that this version occupies, its long string or its trees included.
    #[inline]
    pub fn memory_bytes(self) -> usize {
        let shape = self.shape();
        let kind = Kind::from_meta(shape.meta);
        if kind as u8 <= Kind::Raw as u8 {
            return shape.bytes();
        }
        self.large_bytes(shape)
    }

    fn large_bytes(self, shape: Shape) -> usize {
        if let Some(trees) = self.trees() {
            return shape.bytes() + trees.bytes() as usize;
        }
        // SAFETY: read at once, under the type's invariant.
        match unsafe { self.value() } {
            Some(ValueRef::String(StringRef::Shared(bytes))) => shape.bytes() + bytes.len(),
            _ => shape.bytes(),
        }
    }

    /// The version's allocation, if it is all that [`VersionPtr::free`] frees.
    #[inline]
    pub fn sole_allocation(self) -> Option<(NonNull<u8>, Layout)> {
        let shape = self.shape();
        (!is_shared(shape.meta)).then(|| (self.0, shape.layout()))
    }

    /// Frees the version, and the nodes of its trees.
    ///
    /// # Safety
    /// As [`VersionPtr::free`]; the trees belong to no other version.
    pub unsafe fn free_whole(self) {
        let trees = self.trees();
        // SAFETY: as the caller says.
        unsafe {
            self.free();
            if let Some(trees) = trees {
                trees.main.root.free_whole();
                if let Some(second) = trees.second {
                    second.root.free_whole();
                }
            }
        }
    }

    /// Frees the version, but not the nodes of its trees.
    ///
    /// # Safety
    /// Nobody else reads it any more, and nobody frees it again.
    pub unsafe fn free(self) {
        let shape = self.shape();
        // SAFETY: made by `OwnedVersion::new` with this layout; the caller gives it up.
        unsafe {
            if is_shared(shape.meta) {
                std::ptr::drop_in_place(self.0.as_ptr().add(shape.key_at() - SHARED_BYTES).cast::<Bytes>());
            }
            dealloc(self.0.as_ptr(), shape.layout());
        }
    }
}

/// A version that is not published yet; freed when dropped.
#[derive(Debug)]
pub struct OwnedVersion(VersionPtr);

impl OwnedVersion {
    /// Builds a version of `key`; no value makes a tombstone.
    ///
    /// The LSN is zero and the version not committed until [`OwnedVersion::stamp`].
    #[inline]
    pub fn new(key: &[u8], value: Option<Value<'_>>, expiry: Option<Millis>, access: u32) -> Self {
        match value {
            Some(Value::Str(s)) if s.len() <= SHARED_MIN_BYTES && canonical_int(s).is_none() => {
                Self::inline(key, s, expiry, access)
            }
            value => Self::of_any(key, value, expiry, access),
        }
    }

    /// A version of an inline string, as most are.
    fn inline(key: &[u8], s: &[u8], expiry: Option<Millis>, access: u32) -> Self {
        let shape = Shape::new(Kind::Str, expiry.is_some(), key.len(), s.len());
        Self(Self::write(shape, key, s, None, expiry, access))
    }

    fn of_any(key: &[u8], value: Option<Value<'_>>, expiry: Option<Millis>, access: u32) -> Self {
        let (kind, inline): (Kind, &[u8]) = match &value {
            None => (Kind::Tombstone, &[]),
            Some(Value::Int(_)) => (Kind::Int, &[]),
            Some(Value::Str(s)) => match canonical_int(s) {
                Some(n) => return Self::new(key, Some(Value::Int(n)), expiry, access),
                None => (Kind::Str, s),
            },
            Some(Value::Raw(s)) => (Kind::Raw, s),
            Some(Value::Shared(_)) => (Kind::Shared, &[]),
            Some(Value::Collection(Built::Packed { of, is_ints, bytes, .. })) => {
                (Kind::packed(*of, *is_ints), bytes)
            }
            Some(Value::Collection(Built::Trees { of, .. })) => (Kind::tree(*of), &[]),
        };
        if inline.len() > SHARED_MIN_BYTES && matches!(kind, Kind::Str | Kind::Raw) {
            let shared = Bytes::copy_from_slice(inline);
            return Self::new(key, Some(Value::Shared(shared)), expiry, access);
        }
        let mut shape = Shape::new(kind, expiry.is_some(), key.len(), inline.len());
        if let Some(Value::Collection(built)) = &value
            && built.may_expire()
        {
            shape.meta |= FIELD_EXPIRY;
        }
        Self(Self::write(shape, key, inline, value, expiry, access))
    }

    #[inline]
    fn write(
        shape: Shape,
        key: &[u8],
        inline: &[u8],
        value: Option<Value<'_>>,
        expiry: Option<Millis>,
        access: u32,
    ) -> VersionPtr {
        let layout = shape.layout();
        // SAFETY: the layout is not empty (it has a header). All writes below stay inside it by `Shape`, at
        // 8-aligned offsets for the words, and initialise every byte that `VersionPtr` reads.
        unsafe {
            let base = alloc(layout);
            let Some(start) = NonNull::new(base) else { handle_alloc_error(layout) };
            let lengths = if shape.meta & LONG == 0 {
                (shape.key_len as u32) << VALUE_BITS | shape.value_len as u32
            } else {
                let long = base.add(HEADER_BYTES).cast::<u64>();
                long.write(shape.key_len as u64);
                long.add(1).write(shape.value_len as u64);
                KEY_ESCAPE << VALUE_BITS
            };
            let header = Header { meta: AtomicU64::new(shape.meta), access: AtomicU32::new(access), lengths };
            base.cast::<Header>().write(header);
            if let Some(at) = expiry {
                base.add(expiry_at(shape.meta)).cast::<u64>().write(at.0);
            }
            match value {
                Some(Value::Int(n)) => base.add(shape.key_at() - WORD_BYTES).cast::<i64>().write(n),
                Some(Value::Shared(bytes)) => {
                    base.add(shape.key_at() - SHARED_BYTES).cast::<Bytes>().write(bytes);
                }
                Some(Value::Collection(Built::Trees { trees, .. })) => {
                    let words = |tree: Tree| [tree.root.address(), tree.len, tree.bytes];
                    let words = [words(trees.main), trees.second.map_or([0; 3], words)];
                    base.add(shape.key_at() - TREES_BYTES).cast::<[[u64; 3]; 2]>().write(words);
                }
                _ => {}
            }
            let key_start = base.add(shape.key_at());
            std::ptr::copy_nonoverlapping(key.as_ptr(), key_start, key.len());
            std::ptr::copy_nonoverlapping(inline.as_ptr(), key_start.add(key.len()), inline.len());
            VersionPtr(start)
        }
    }

    /// Gives the version the place of its record, before it is published.
    #[inline]
    pub fn stamp(&mut self, lsn: Lsn) {
        let header = self.0.header();
        let flags = header.meta.load(Ordering::Relaxed) & ((1 << LSN_SHIFT) - 1);
        // Relaxed: not published yet; the cell's CAS releases it.
        header.meta.store(lsn.get() << LSN_SHIFT | flags, Ordering::Relaxed);
    }

    /// The version, still owned.
    #[inline]
    pub fn as_ptr(&self) -> VersionPtr {
        self.0
    }

    /// The key's bytes.
    pub fn key(&self) -> &[u8] {
        // SAFETY: owned by `self`, which the result borrows.
        unsafe { self.0.key() }
    }

    /// The value; none for a tombstone.
    pub fn value(&self) -> Option<ValueRef<'_>> {
        // SAFETY: owned by `self`, which the result borrows.
        unsafe { self.0.value() }
    }

    /// Gives up ownership, to a cell or to the epoch.
    #[inline]
    pub fn into_ptr(self) -> VersionPtr {
        let version = self.0;
        std::mem::forget(self);
        version
    }
}

impl Drop for OwnedVersion {
    fn drop(&mut self) {
        // SAFETY: owned, never published: nobody else has it.
        unsafe { self.0.free() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn small_version_costs_header_key_and_value() {
        let version = OwnedVersion::new(&[7; 16], Some(Value::Raw(&[9; 48])), None, 0);
        assert_eq!(version.as_ptr().memory_bytes(), 16 + 16 + 48);
    }

    #[test]
    fn canonical_integers_are_kept_as_integers_and_others_are_not() {
        for text in ["0", "-1", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(canonical_int(text.as_bytes()), text.parse().ok(), "{text}");
        }
        for text in
            ["", "-", "00", "-0", "+1", " 1", "1 ", "9223372036854775808", "-9223372036854775809", "1x"]
        {
            assert_eq!(canonical_int(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn committed_is_the_only_thing_that_changes() {
        let mut version = OwnedVersion::new(b"k", Some(Value::Str(b"v")), Some(Millis(77)), 5);
        version.stamp(Lsn::new(4096));
        assert!(!version.as_ptr().is_committed());
        version.as_ptr().set_committed();
        assert!(version.as_ptr().is_committed());
        assert_eq!(version.as_ptr().lsn(), Lsn::new(4096));
        assert_eq!(version.as_ptr().expiry(), Some(Millis(77)));
        assert_eq!(version.key(), b"k");
    }

    quickcheck! {
        fn what_goes_in_comes_out(key: Vec<u8>, value: Vec<u8>, stretch: (u8, u8), expiry: Option<u64>) -> bool {
            let key = key.repeat(1 + usize::from(stretch.0));
            let value = value.repeat(1 + usize::from(stretch.1));
            let version = OwnedVersion::new(&key, Some(Value::Str(&value)), expiry.map(Millis), 0);
            let mut digits = itoa::Buffer::new();
            let read = version.value().and_then(ValueRef::string).map(|v| v.bytes(&mut digits).to_vec());
            version.key() == key && read == Some(value) && version.as_ptr().expiry() == expiry.map(Millis)
        }

        fn integers_survive(n: i64) -> bool {
            let version = OwnedVersion::new(b"", Some(Value::Str(n.to_string().as_bytes())), None, 0);
            matches!(version.value(), Some(ValueRef::String(StringRef::Int(m))) if m == n)
        }
    }
}
