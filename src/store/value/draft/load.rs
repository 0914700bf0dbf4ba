//! A collection from all of its entries at once: what a log or a snapshot has, or what a command has computed.

use crate::store::value::block::BlockBuf;
use crate::store::value::collection::{Trees, Type};
use crate::store::value::draft::hash::due_entries;
use crate::store::value::draft::{Built, build, packed_bytes};
use crate::store::value::form::{FieldRef, Form, compare_scored, scored};
use crate::store::value::ledger::Ledger;
use crate::store::value::limits::Limits;
use crate::store::version::canonical_int;

/// Entries that are none of their type, or a change that does not go with what it is applied to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("entries that are none of their collection")]
pub struct Damaged;

/// Builds a collection of entries ([`super::super::form`]) in any order, no two with the same key; none without entries.
///
/// # Errors
/// An entry that is none.
pub fn load(
    of: Type,
    mut entries: Vec<&[u8]>,
    limits: &Limits,
    ledger: &mut Ledger,
) -> Result<Option<Built>, Damaged> {
    check(of, &entries)?;
    if entries.is_empty() {
        return Ok(None);
    }
    if of == Type::SortedSet {
        entries.sort_unstable_by(|a, b| compare_scored(scored(a), scored(b)));
    }
    let ints = of == Type::Set
        && entries.len() <= limits.ints
        && entries.iter().all(|one| canonical_int(one).is_some());
    if ints {
        entries.sort_unstable_by_key(|one| canonical_int(one));
    }
    let may_expire = of == Type::Hash && entries.iter().any(|entry| FieldRef::of(entry).expiry.is_some());
    if entries.len() <= PACKED_ENTRIES_TRIED {
        let mut block = BlockBuf::default();
        for entry in &entries {
            block.push(entry);
        }
        if ints || is_packed(of, &block, limits) {
            let bytes = block.to_bytes();
            return Ok(Some(Built::Packed { of, is_ints: ints, may_expire, bytes }));
        }
    }
    let (form, second) = match of {
        Type::Hash => {
            let due = may_expire.then(|| due_entries(entries.iter().copied()));
            let tree = due.and_then(|due| build(&mut due.iter().collect::<Vec<_>>(), Form::Due, ledger));
            (Form::Field, tree)
        }
        Type::SortedSet => (Form::Ranked, build(&mut entries.clone(), Form::Scored, ledger)),
        Type::Set => (Form::Member, None),
        Type::List | Type::String => (Form::Element, None),
    };
    let main = build(&mut entries, form, ledger);
    Ok(main.map(|main| Built::Trees { of, trees: Trees { main, second } }))
}

/// Collections of more entries are never packed.
const PACKED_ENTRIES_TRIED: usize = 1 << 16;

fn check(of: Type, entries: &[&[u8]]) -> Result<(), Damaged> {
    let is_whole = |entry: &&[u8]| match of {
        Type::Hash => FieldRef::parse(entry).is_some(),
        Type::SortedSet => entry.len() >= size_of::<f64>() && !scored(entry).0.is_nan(),
        Type::List | Type::Set => true,
        Type::String => false,
    };
    if entries.iter().all(is_whole) { Ok(()) } else { Err(Damaged) }
}

fn is_packed(of: Type, block: &BlockBuf, limits: &Limits) -> bool {
    let bytes = packed_bytes(block);
    let longest = |form: Form| block.iter().map(|entry| form.key(entry).len()).max().unwrap_or(0);
    match of {
        Type::List => limits.list.allows(block.len(), bytes, 1),
        Type::Set => limits.set.allows(block.len(), longest(Form::Member), bytes),
        Type::SortedSet => limits.sorted_set.allows(block.len(), longest(Form::Ranked), bytes),
        Type::Hash => {
            let values = block.iter().map(|entry| FieldRef::of(entry).value.len()).max().unwrap_or(0);
            limits.hash.allows(block.len(), longest(Form::Field).max(values), bytes)
        }
        Type::String => false,
    }
}
