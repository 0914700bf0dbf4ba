//! A collection that is being changed: what a command works on, before it becomes a version.
//!
//! A draft begins with what the version before it held, keeps count of what it changes as *deltas* (the log gets these
//! and not the collection), and turns from a block into trees when it outgrows the limits.
//!
//! | file | a draft of |
//! |---|---|
//! | `list` | a list |
//! | `set` | a set |
//! | `hash` | a hash |
//! | `sorted` | a sorted set |
//! | `load` | all of them at once, from their entries |

mod hash;
mod list;
mod load;
mod set;
mod sorted;

use smallvec::SmallVec;

use crate::clock::Millis;
use crate::store::value::block::{Block, BlockBuf, block_bytes};
use crate::store::value::builder::Builder;
use crate::store::value::collection::{Collection, Trees, Type, is_before};
use crate::store::value::edit::TreeEdit;
use crate::store::value::form::{Form, key_hash};
use crate::store::value::ledger::Ledger;
use crate::store::value::limits::Limits;
use crate::store::value::seq::Seq;

pub use hash::{FieldSet, HashDraft};
pub use list::ListDraft;
pub use load::{Damaged, load};
pub use set::SetDraft;
pub use sorted::SortedDraft;

/// Splices of more bytes are not merged with others: what lies behind would be moved each time.
const MERGED_BYTES_MAX: usize = 4096;

/// A change of a collection, as data. It is exact on the state that it was made of, and on no other.
#[derive(Clone, Debug)]
pub enum Delta {
    /// These entries are there now, in the place of those with the same keys.
    Upsert(BlockBuf),
    /// The entries with these keys are gone.
    Remove(BlockBuf),
    /// So many elements from an index on are replaced by these.
    Splice {
        /// Where.
        index: u64,
        /// How many.
        remove: u64,
        /// By what.
        insert: BlockBuf,
    },
}

impl Delta {
    /// The entries, keys or elements that it has.
    pub fn entries(&self) -> &BlockBuf {
        match self {
            Self::Upsert(entries) | Self::Remove(entries) | Self::Splice { insert: entries, .. } => entries,
        }
    }

    /// The delta as it is read from a log, with the block of its entries.
    pub fn with<'e>(&self, entries: Block<'e>) -> DeltaRef<'e> {
        match *self {
            Self::Upsert(_) => DeltaRef::Upsert(entries),
            Self::Remove(_) => DeltaRef::Remove(entries),
            Self::Splice { index, remove, .. } => DeltaRef::Splice { index, remove, insert: entries },
        }
    }
}

/// What a collection has become.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "it is soon a version; until then it stays where it was made")]
pub enum Built {
    /// One block.
    Packed {
        /// Its type.
        of: Type,
        /// A set of integers in their order.
        is_ints: bool,
        /// A hash that has a field with an expiry.
        may_expire: bool,
        /// The block.
        bytes: SmallVec<[u8; 256]>,
    },
    /// Trees.
    Trees {
        /// Its type.
        of: Type,
        /// They.
        trees: Trees,
    },
}

impl Built {
    /// Whether it is a hash that has a field with an expiry.
    pub fn may_expire(&self) -> bool {
        match self {
            Self::Packed { may_expire, .. } => *may_expire,
            Self::Trees { of, trees } => *of == Type::Hash && trees.second.is_some(),
        }
    }
}

/// What a draft has come to.
#[derive(Debug)]
pub struct Outcome {
    /// What is there now; none: nothing is left, so the key goes.
    pub built: Option<Built>,
    /// What was changed, in order, behind [`Desk::before`].
    pub deltas: Vec<Delta>,
    /// Whether anything was.
    pub is_changed: bool,
}

/// What all drafts have.
#[derive(Debug)]
pub(super) struct Draft<'l> {
    body: Body,
    deltas: Vec<Delta>,
    is_changed: bool,
    limits: Limits,
    ledger: &'l mut Ledger,
}

#[derive(Debug)]
enum Body {
    Packed(BlockBuf),
    Trees { main: TreeEdit, second: Option<TreeEdit> },
}

/// The time and the limits of a draft, and where it notes the nodes that it makes.
#[derive(Debug)]
pub struct Desk<'l> {
    /// Fields whose time has come by then are not there.
    pub now: Millis,
    /// When a block becomes a tree.
    pub limits: Limits,
    /// Of the attempt.
    pub ledger: &'l mut Ledger,
    /// What the attempt has changed of the collection before: what the draft changes is added to that.
    pub before: Vec<Delta>,
}

impl<'l> Desk<'l> {
    /// A desk for the first change of a collection.
    pub fn new(now: Millis, limits: Limits, ledger: &'l mut Ledger) -> Self {
        Self { now, limits, ledger, before: Vec::new() }
    }
}

impl<'l> Draft<'l> {
    /// A draft of what `old` holds, whose main tree has `form` and whose second `second`.
    fn new(old: Option<Collection<'_>>, form: Form, second: Form, desk: Desk<'l>) -> Self {
        let Desk { limits, ledger, before, .. } = desk;
        let body = match old.map(|old| (old.entries(), old)) {
            None => Body::Packed(BlockBuf::default()),
            Some((Seq::Packed(block), _)) => Body::Packed(block.into()),
            Some((Seq::Tree(main), old)) => {
                let other = match old {
                    Collection::SortedSet(set) => set.members,
                    Collection::Hash(hash) => hash.due,
                    Collection::List(_) | Collection::Set(_) => None,
                };
                Body::Trees {
                    main: TreeEdit::new(form, Some(main.handle()), ledger),
                    second: other.map(|tree| TreeEdit::new(second, Some(tree.handle()), ledger)),
                }
            }
        };
        Self { body, deltas: before, is_changed: false, limits, ledger }
    }

    fn len(&self) -> u64 {
        match &self.body {
            Body::Packed(block) => block.len() as u64,
            Body::Trees { main, .. } => main.len(),
        }
    }

    fn get(&self, index: u64) -> Option<&[u8]> {
        match &self.body {
            Body::Packed(block) => (index < block.len() as u64).then(|| block.get(index as usize)),
            Body::Trees { main, .. } => main.read().and_then(|tree| tree.get(index)),
        }
    }

    /// Replaces entries of the block or the main tree.
    fn splice(&mut self, index: u64, remove: u64, insert: &[&[u8]]) {
        match &mut self.body {
            Body::Packed(block) => block.splice(index as usize, remove as usize, insert),
            Body::Trees { main, .. } => main.splice(index, remove, insert, self.ledger),
        }
    }

    fn note_upsert(&mut self, entry: &[u8]) {
        self.is_changed = true;
        if let Some(Delta::Upsert(entries)) = self.deltas.last_mut() {
            return entries.push(entry);
        }
        self.deltas.push(Delta::Upsert(BlockBuf::of(entry)));
    }

    fn note_remove(&mut self, key: &[u8]) {
        self.is_changed = true;
        if let Some(Delta::Remove(keys)) = self.deltas.last_mut() {
            return keys.push(key);
        }
        self.deltas.push(Delta::Remove(BlockBuf::of(key)));
    }

    /// Notes a splice; one that only inserts into what the last one inserted, or beside it, becomes a part of that.
    fn note_splice(&mut self, index: u64, remove: u64, insert: &[&[u8]]) {
        self.is_changed = true;
        if let Some(Delta::Splice { index: last, insert: inserted, .. }) = self.deltas.last_mut()
            && remove == 0
            && (*last..=*last + inserted.len() as u64).contains(&index)
            && inserted.data_bytes() <= MERGED_BYTES_MAX
        {
            return inserted.splice((index - *last) as usize, 0, insert);
        }
        let mut inserted = BlockBuf::default();
        for element in insert {
            inserted.push(element);
        }
        self.deltas.push(Delta::Splice { index, remove, insert: inserted });
    }

    /// Turns the block into a main tree, in the order of `form`.
    fn grow(&mut self, form: Form) {
        if let Body::Packed(block) = &self.body {
            let mut entries: Vec<&[u8]> = block.iter().collect();
            let tree = build(&mut entries, form, self.ledger);
            self.body = Body::Trees { main: TreeEdit::new(form, tree, self.ledger), second: None };
        }
    }

    /// Ends the draft. `is_ints` and `may_expire` are told of a block.
    fn finish(self, of: Type, is_ints: bool, may_expire: bool) -> Outcome {
        let built = match self.body {
            Body::Packed(block) if block.is_empty() => None,
            Body::Packed(block) => Some(Built::Packed { of, is_ints, may_expire, bytes: block.to_bytes() }),
            Body::Trees { main, second } => {
                let second = second.and_then(|tree| tree.finish(self.ledger));
                main.finish(self.ledger).map(|main| Built::Trees { of, trees: Trees { main, second } })
            }
        };
        Outcome { built, deltas: self.deltas, is_changed: self.is_changed }
    }
}

/// Builds a tree of entries in any order.
fn build(entries: &mut [&[u8]], form: Form, ledger: &mut Ledger) -> Option<super::tree::Tree> {
    if form != Form::Element {
        // Why cached: the hash would be taken again for each comparison.
        entries.sort_by_cached_key(|entry| (form.prefix(entry), form.key(entry)));
    }
    let mut builder = Builder::new(form);
    for entry in entries {
        builder.push(entry, ledger);
    }
    builder.finish(ledger)
}

/// The index of a key in a tree by hash, or where it belongs.
fn place(tree: &TreeEdit, form: Form, key: &[u8]) -> Result<u64, u64> {
    let Some(tree) = tree.read() else { return Err(0) };
    let hash = key_hash(key);
    let (index, mut cursor) = tree.search(hash, |entry| is_before(form, entry, hash, key));
    if cursor.peek().is_some_and(|entry| form.key(entry) == key) { Ok(index) } else { Err(index) }
}

/// The index of a key in a block in any order; where it belongs is the end.
fn place_packed(block: &BlockBuf, form: Form, key: &[u8]) -> Result<u64, u64> {
    let found = block.iter().position(|entry| form.key(entry) == key);
    found.map(|at| at as u64).ok_or(block.len() as u64)
}

fn packed_bytes(block: &BlockBuf) -> usize {
    block_bytes(block.len(), block.data_bytes())
}

/// Applies deltas that were logged to what they were made of; gives what they make of it.
///
/// # Errors
/// Deltas that do not go with the collection: they were made of another.
pub fn apply<'e>(
    old: Collection<'_>,
    deltas: impl Iterator<Item = DeltaRef<'e>>,
    desk: Desk<'_>,
) -> Result<Option<Built>, Damaged> {
    let outcome = match old {
        Collection::List(list) => {
            let mut draft = ListDraft::new(Some(list), desk);
            for delta in deltas {
                draft.replay(delta)?;
            }
            draft.finish()
        }
        Collection::Set(set) => {
            let mut draft = SetDraft::new(Some(set), desk);
            for delta in deltas {
                draft.replay(delta)?;
            }
            draft.finish()
        }
        Collection::Hash(hash) => {
            let mut draft = HashDraft::new(Some(hash), desk);
            for delta in deltas {
                draft.replay(delta)?;
            }
            draft.finish()
        }
        Collection::SortedSet(set) => {
            let mut draft = SortedDraft::new(Some(set), desk);
            for delta in deltas {
                draft.replay(delta)?;
            }
            draft.finish()
        }
    };
    Ok(outcome.built)
}

/// A delta as it is read from a log.
#[derive(Clone, Copy, Debug)]
pub enum DeltaRef<'e> {
    /// [`Delta::Upsert`].
    Upsert(Block<'e>),
    /// [`Delta::Remove`].
    Remove(Block<'e>),
    /// [`Delta::Splice`].
    Splice {
        /// Where.
        index: u64,
        /// How many.
        remove: u64,
        /// By what.
        insert: Block<'e>,
    },
}
