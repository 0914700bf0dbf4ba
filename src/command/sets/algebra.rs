//! Sets put together: SINTER, SUNION, SDIFF, what they store, SINTERCARD.

use std::collections::HashSet;

use crate::command::args::{Options, integer, is};
use crate::command::call::{Call, CommandError};
use crate::resp::Args;
use crate::settings::EventClass;
use crate::store::value::collection::{SetRef, Type};

/// `SINTER key [key ...]`
///
/// # Errors
/// A key of another type.
pub fn sinter(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let sets = look_up(call, call.args.from(1).iter(), false)?;
    let members: Vec<_> = intersection(sets).collect();
    answer(call, &members);
    Ok(())
}

/// `SINTERSTORE destination key [key ...]`
///
/// # Errors
/// A key of another type; the destination may be of any.
pub fn sinterstore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let sets = look_up(call, call.args.from(2).iter(), true)?;
    let members = intersection(sets).collect();
    store(call, members, "sinterstore");
    Ok(())
}

/// `SINTERCARD numkeys key [key ...] [LIMIT limit]`
///
/// # Errors
/// Wrong numbers, a key of another type.
pub fn sintercard(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (keys, limit) = card_arguments(call.args)?;
    let sets = look_up(call, call.args.from(2).iter().take(keys), false)?;
    let count = intersection(sets).take(limit).count();
    call.reply.int(count as i64);
    Ok(())
}

/// `SUNION key [key ...]`
///
/// # Errors
/// A key of another type.
pub fn sunion(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let sets = look_up(call, call.args.from(1).iter(), false)?;
    let members = union(&sets);
    answer(call, &members);
    Ok(())
}

/// `SUNIONSTORE destination key [key ...]`
///
/// # Errors
/// A key of another type; the destination may be of any.
pub fn sunionstore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let sets = look_up(call, call.args.from(2).iter(), true)?;
    store(call, union(&sets), "sunionstore");
    Ok(())
}

/// `SDIFF key [key ...]`
///
/// # Errors
/// A key of another type.
pub fn sdiff(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let sets = look_up(call, call.args.from(1).iter(), false)?;
    let members = difference(&sets);
    answer(call, &members);
    Ok(())
}

/// `SDIFFSTORE destination key [key ...]`
///
/// # Errors
/// A key of another type; the destination may be of any.
pub fn sdiffstore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let sets = look_up(call, call.args.from(2).iter(), true)?;
    store(call, difference(&sets), "sdiffstore");
    Ok(())
}

/// How many keys SINTERCARD has, and up to where it counts.
fn card_arguments(args: Args<'_>) -> Result<(usize, usize), CommandError> {
    let text = |text: &'static str| CommandError::Text(text.into());
    let too_few = || text("ERR numkeys should be greater than 0");
    let count = integer(&args[1]).ok().and_then(|count| usize::try_from(count).ok());
    let count = count.filter(|count| *count > 0).ok_or_else(too_few)?;
    if count > args.len() - 2 {
        return Err(text("ERR Number of keys can't be greater than number of args"));
    }
    let mut limit = 0;
    let mut options = Options::new(args, 2 + count);
    while let Some(word) = options.next() {
        let value = if is(word, "LIMIT") { options.value()? } else { return Err(CommandError::Syntax) };
        let given = integer(value).ok().and_then(|limit| usize::try_from(limit).ok());
        limit = given.ok_or_else(|| text("ERR LIMIT can't be negative"))?;
    }
    Ok((count, if limit == 0 { usize::MAX } else { limit }))
}

/// The sets of keys, in order; none where a key is absent. What is looked for in vain is told, unless that is done for
/// commands that only read.
fn look_up<'a, 'g>(
    call: &mut Call<'_, 'g>,
    keys: impl ExactSizeIterator<Item = &'a [u8]>,
    tells_misses: bool,
) -> Result<Vec<Option<SetRef<'g>>>, CommandError> {
    let db = call.db();
    let mut sets = Vec::with_capacity(keys.len());
    for key in keys {
        let set = call.txn.get_set(db, key)?;
        if tells_misses && set.is_none() {
            call.notify(EventClass::KEY_MISS, "keymiss", key);
        }
        sets.push(set);
    }
    Ok(sets)
}

/// Members that all have: those of the smallest that the others have too.
fn intersection(sets: Vec<Option<SetRef<'_>>>) -> impl Iterator<Item = &[u8]> {
    let mut sets: Vec<_> = sets.into_iter().collect::<Option<_>>().unwrap_or_default();
    sets.sort_by_key(SetRef::len);
    let smallest = sets.first().copied();
    let members = smallest.into_iter().flat_map(|set| set.iter());
    members.filter(move |member| sets[1..].iter().all(|set| set.contains(member)))
}

/// Members that any has.
fn union<'g>(sets: &[Option<SetRef<'g>>]) -> Vec<&'g [u8]> {
    let sets = || sets.iter().flatten();
    if sets().count() <= 1 {
        return sets().flat_map(SetRef::iter).collect();
    }
    let mut known = HashSet::new();
    sets().flat_map(SetRef::iter).filter(|member| known.insert(*member)).collect()
}

/// Members that the first has and no other.
fn difference<'g>(sets: &[Option<SetRef<'g>>]) -> Vec<&'g [u8]> {
    let Some((Some(first), others)) = sets.split_first() else { return Vec::new() };
    let others = || others.iter().flatten();
    let probes = others().map(SetRef::probe_cost).sum::<u64>().saturating_mul(first.len());
    let members_of_others = others().map(SetRef::len).sum::<u64>();
    if probes <= members_of_others {
        return first.iter().filter(|member| !others().any(|set| set.contains(member))).collect();
    }
    let known: HashSet<_> = others().flat_map(SetRef::iter).collect();
    first.iter().filter(|member| !known.contains(member)).collect()
}

fn answer(call: &mut Call<'_, '_>, members: &[&[u8]]) {
    call.reply.set(members.len());
    for member in members {
        call.reply.bulk(member);
    }
}

/// Puts a set of these members in the destination's place, and answers how many there are.
fn store(call: &mut Call<'_, '_>, members: Vec<&[u8]>, event: &'static str) {
    let (args, db) = (call.args, call.db());
    let (destination, count) = (&args[1], members.len());
    if count == 0 {
        if call.txn.delete(db, destination) {
            call.notify(EventClass::GENERIC, "del", destination);
        }
    } else {
        let put = call.txn.put_collection(db, destination, Type::Set, members, None);
        put.expect("any bytes are a member");
        call.notify(EventClass::SET, event, destination);
    }
    call.reply.int(count as i64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    #[test]
    fn the_arguments_of_sintercard_are_checked() {
        let parsed = |words: &str| {
            let request: OwnedRequest = words.split_whitespace().collect();
            let parsed = card_arguments(request.as_args());
            parsed.map_err(|error| error.to_string())
        };
        assert_eq!(parsed("SINTERCARD 1 a"), Ok((1, usize::MAX)));
        assert_eq!(parsed("SINTERCARD 2 a LIMIT"), Ok((2, usize::MAX)));
        assert_eq!(parsed("SINTERCARD 1 a LIMIT 0"), Ok((1, usize::MAX)));
        assert_eq!(parsed("SINTERCARD 2 a b limit 3 LIMIT 4"), Ok((2, 4)));
        for words in ["SINTERCARD 0 a", "SINTERCARD -1 a", "SINTERCARD x a"] {
            assert_eq!(parsed(words), Err("ERR numkeys should be greater than 0".to_owned()), "{words}");
        }
        let error = "ERR Number of keys can't be greater than number of args";
        assert_eq!(parsed("SINTERCARD 2 a"), Err(error.to_owned()));
        for words in ["SINTERCARD 1 a LIMIT -1", "SINTERCARD 1 a LIMIT x"] {
            assert_eq!(parsed(words), Err("ERR LIMIT can't be negative".to_owned()), "{words}");
        }
        for words in ["SINTERCARD 1 a LIMIT", "SINTERCARD 1 a b", "SINTERCARD 1 a LIMIT 1 x"] {
            assert_eq!(parsed(words), Err("ERR syntax error".to_owned()), "{words}");
        }
    }
}
