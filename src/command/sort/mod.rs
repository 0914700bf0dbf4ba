//! SORT and `SORT_RO`: the elements of a list, set or sorted set in another order, or what belongs to them.
//!
//! | file | owns |
//! |---|---|
//! | `query` | what was asked for |
//! | `pattern` | the values of BY and GET |
//! | `weight` | numbers, as C reads them |
//! | `order` | putting elements in order |
//!
//! Only as much is put in order as LIMIT lets through, and an order that is there already (BY without a pattern, of a
//! list or sorted set) is gone into where LIMIT says.

mod order;
mod pattern;
mod query;
mod weight;

use std::borrow::Cow;

use crate::command::bind::{Binding, plain};
use crate::command::call::{Call, CommandError};
use crate::command::strings::value;
use crate::settings::EventClass;
use crate::store::value::collection::{Collection, Type};
use crate::store::version::StringRef;
use query::Query;

/// The functions of the commands of this group.
pub(super) const BINDINGS: &[(&str, Binding)] = &[("sort", plain(sort)), ("sort_ro", plain(sort_ro))];

/// `SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination]`
///
/// # Errors
/// Unknown options, a key of another type, elements or weights that are no numbers.
pub fn sort(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let query = Query::parse(call.args, true)?;
    run(call, query, Misses::Told)
}

/// `SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA]`
///
/// # Errors
/// Those of [`sort`].
pub fn sort_ro(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let query = Query::parse(call.args, false)?;
    run(call, query, Misses::Known)
}

/// Who tells of keys that are looked for in vain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Misses {
    /// This command, since it may write.
    Told,
    /// It is done for commands that only read.
    Known,
}

fn run(call: &mut Call<'_, '_>, mut query: Query<'_>, misses: Misses) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let collection = match call.txn.get(db, &args[1]).map(|live| live.value.collection()) {
        None => None,
        Some(Some(found @ (Collection::List(_) | Collection::Set(_) | Collection::SortedSet(_)))) => {
            Some(found)
        }
        Some(_) => return Err(CommandError::WrongType),
    };
    if collection.is_none() {
        tell_miss(call, misses, &args[1]);
    }
    if query.is_unsorted && query.store.is_some() && matches!(collection, Some(Collection::Set(_))) {
        // Why: what is stored has to be the same wherever it is done again.
        (query.is_unsorted, query.by, query.is_alpha) = (false, None, true);
    }
    let elements = match collection {
        Some(collection) => order::elements(call, collection, &query, misses)?,
        None => Vec::new(),
    };
    match query.store {
        None => answer(call, &elements, &query, misses),
        Some(destination) => store(call, &elements, &query, misses, destination),
    }
    Ok(())
}

fn answer<'g>(call: &mut Call<'_, 'g>, elements: &[&'g [u8]], query: &Query<'_>, misses: Misses) {
    call.reply.array(elements.len() * query.gets.len().max(1));
    for element in elements {
        if query.gets.is_empty() {
            call.reply.bulk(element);
        }
        for get in &query.gets {
            match get.find(call, element, misses) {
                Some(found) => value::answer(call.reply, found),
                None => call.reply.null(),
            }
        }
    }
}

/// Puts a list in the destination's place, and answers its length; what is not found is empty in it.
fn store<'g>(
    call: &mut Call<'_, 'g>,
    elements: &[&'g [u8]],
    query: &Query<'_>,
    misses: Misses,
    destination: &[u8],
) {
    let db = call.db();
    let mut values: Vec<Cow<'g, [u8]>> = Vec::with_capacity(elements.len() * query.gets.len().max(1));
    for &element in elements {
        if query.gets.is_empty() {
            values.push(Cow::Borrowed(element));
        }
        for get in &query.gets {
            values.push(get.find(call, element, misses).map_or(Cow::Borrowed(&[][..]), to_bytes));
        }
    }
    if values.is_empty() {
        if call.txn.delete(db, destination) {
            call.notify(EventClass::GENERIC, "del", destination);
        }
    } else {
        let entries = values.iter().map(AsRef::as_ref).collect();
        let put = call.txn.put_collection(db, destination, Type::List, entries, None);
        put.expect("any bytes are an element");
        call.notify(EventClass::LIST, "sortstore", destination);
    }
    call.reply.int(values.len() as i64);
}

/// A string's bytes, where they are; an integer's digits.
fn to_bytes(string: StringRef<'_>) -> Cow<'_, [u8]> {
    match string {
        StringRef::Int(number) => Cow::Owned(itoa::Buffer::new().format(number).as_bytes().to_vec()),
        StringRef::Str(bytes) | StringRef::Raw(bytes) => Cow::Borrowed(bytes),
        StringRef::Shared(bytes) => Cow::Borrowed(bytes),
    }
}

fn tell_miss(call: &mut Call<'_, '_>, misses: Misses, key: &[u8]) {
    if misses == Misses::Told {
        call.notify(EventClass::KEY_MISS, "keymiss", key);
    }
}
