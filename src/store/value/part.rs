//! A large collection by the hashes of its keys: part by part, as a walk over it goes, and many keys at once.
//!
//! Parts are taken in the order of the keys' hashes, which a change of the collection does not disturb. So of what changes
//! between two parts each entry is in one part at most, as it was when that was taken; what is there all the while is in
//! exactly one.

use smallvec::SmallVec;

use crate::store::value::block::{Block, BlockBuf};
use crate::store::value::collection::{Collection, HashRef, SetRef, SortedRef, Type};
use crate::store::value::form::{Form, key_hash};
use crate::store::value::seq::Seq;
use crate::store::value::tree::TreeRef;

impl<'g> Collection<'g> {
    /// A collection of this type without entries, as no key has it; none of a string.
    pub fn empty(of: Type) -> Option<Self> {
        let seq = Seq::Packed(Block::EMPTY);
        Some(match of {
            Type::String => return None,
            Type::List => Self::List(super::collection::ListRef { seq }),
            Type::Set => Self::Set(SetRef { seq, is_ints: true }),
            Type::Hash => Self::Hash(HashRef { seq, due: None, may_expire: false }),
            Type::SortedSet => Self::SortedSet(SortedRef { ranked: seq, members: None }),
        })
    }

    /// Bytes of what can be taken in parts; none of a small collection, and of a list, which has no order but that of its
    /// elements.
    pub fn bytes_in_parts(&self) -> Option<u64> {
        self.by_key().map(|(tree, _)| tree.handle().bytes())
    }

    /// Appends the entries whose keys come behind `after` to `out`, about so many bytes of them. Gives the key to go on
    /// behind; none at the end, and where there are no parts.
    pub fn part(&self, after: Option<&[u8]>, bytes_max: usize, out: &mut BlockBuf) -> Option<Vec<u8>> {
        let (tree, form) = self.by_key()?;
        let mut place = match after {
            None => tree.at(0),
            Some(after) => {
                let hash = key_hash(after);
                tree.search(hash, |entry| (form.prefix(entry), form.key(entry)) <= (hash, after)).1
            }
        };
        let mut last = None;
        while out.data_bytes() < bytes_max {
            let entry = place.next()?;
            out.push(entry);
            last = Some(entry);
        }
        place.peek().and(last).map(|entry| form.key(entry).to_vec())
    }

    /// Brings near what is looked at to find some fields or members of a large hash, set or sorted set.
    pub fn fetch<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) {
        if let Some((tree, _)) = self.by_key() {
            let hashes: SmallVec<[u64; 32]> = keys.map(key_hash).collect();
            tree.fetch(&hashes);
        }
    }

    /// The tree in which a large collection has its entries by the hashes of their keys.
    fn by_key(&self) -> Option<(TreeRef<'g>, Form)> {
        match *self {
            Self::Set(SetRef { seq: Seq::Tree(tree), .. }) => Some((tree, Form::Member)),
            Self::Hash(HashRef { seq: Seq::Tree(tree), .. }) => Some((tree, Form::Field)),
            Self::SortedSet(SortedRef { members, .. }) => members.map(|tree| (tree, Form::Scored)),
            _ => None,
        }
    }
}
