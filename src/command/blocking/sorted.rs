//! Taking members of sorted sets, waiting for them if need be: BZPOPMIN, BZPOPMAX, BZMPOP.

use crate::command::args::{Options, is};
use crate::command::blocking::{Absent, Plan, Try, Turn, parse_timeout};
use crate::command::call::{Call, CommandError};
use crate::resp::Args;
use crate::resp::number::parse_i64;
use crate::settings::EventClass;
use crate::store::value::collection::{SortedRef, Type};

/// An end of a sorted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The lowest score.
    Min,
    /// The highest.
    Max,
}

impl End {
    /// Reads MIN or MAX.
    fn parse(word: &[u8]) -> Result<Self, CommandError> {
        if is(word, "MIN") {
            Ok(Self::Min)
        } else if is(word, "MAX") {
            Ok(Self::Max)
        } else {
            Err(CommandError::Syntax)
        }
    }

    /// The event of members that are taken.
    fn event(self) -> &'static str {
        if self == Self::Min { "zpopmin" } else { "zpopmax" }
    }
}

/// `BZPOPMIN key [key ...] timeout`
///
/// # Errors
/// Keys of another type before the first sorted set, a timeout that is none.
pub(super) fn bzpopmin(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    pop(call, |call, turn| try_pop(call, turn, End::Min))
}

/// `BZPOPMAX key [key ...] timeout`
///
/// # Errors
/// Keys of another type before the first sorted set, a timeout that is none.
pub(super) fn bzpopmax(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    pop(call, |call, turn| try_pop(call, turn, End::Max))
}

fn pop(call: &mut Call<'_, '_>, try_once: Try) -> Result<(), CommandError> {
    let args = call.args;
    let last = args.len() - 1;
    let timeout = parse_timeout(&args[last])?;
    let keys = args.from(1).iter().take(last - 1);
    Plan { timeout, keys, of: Type::SortedSet, absent: Absent::NullArray, try_once }.run(call)
}

fn try_pop(call: &mut Call<'_, '_>, turn: Turn<'_>, end: End) -> Result<Option<usize>, CommandError> {
    let args = call.args;
    for (at, key) in args.from(1).iter().take(args.len() - 2).enumerate() {
        let Some(set) = turn.sorted_set(call, at, key)? else { continue };
        let rank = if end == End::Min { 0 } else { set.len() - 1 };
        let Some((score, member)) = set.at(rank) else { continue };
        call.reply.array(3);
        call.reply.bulk(key);
        call.reply.bulk(member);
        call.reply.double(score);
        remove(call, key, set, end, 1)?;
        return Ok(Some(at));
    }
    Ok(None)
}

/// What BZMPOP is to do.
struct Choice<'a> {
    /// The number of keys, the keys, and what follows them.
    args: Args<'a>,
    keys: usize,
    end: End,
    count: u64,
}

impl<'a> Choice<'a> {
    /// Reads `numkeys key [key ...] MIN|MAX [COUNT count]`.
    fn parse(args: Args<'a>) -> Result<Self, CommandError> {
        let keys = positive(&args[0], "ERR numkeys should be greater than 0")?;
        let keys = usize::try_from(keys).ok().filter(|keys| *keys < args.len() - 1);
        let keys = keys.ok_or(CommandError::Syntax)?;
        let end = End::parse(&args[keys + 1])?;
        let mut count = None;
        let mut options = Options::new(args, keys + 2);
        while let Some(word) = options.next() {
            if !is(word, "COUNT") || count.is_some() {
                return Err(CommandError::Syntax);
            }
            count = Some(positive(options.value()?, "ERR count should be greater than 0")?);
        }
        Ok(Self { args, keys, end, count: count.unwrap_or(1) })
    }

    fn keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.args.from(1).iter().take(self.keys)
    }
}

fn positive(argument: &[u8], text: &'static str) -> Result<u64, CommandError> {
    let number = parse_i64(argument).and_then(|number| u64::try_from(number).ok());
    number.filter(|number| *number > 0).ok_or(CommandError::Text(text.into()))
}

/// `BZMPOP timeout numkeys key [key ...] MIN|MAX [COUNT count]`
///
/// # Errors
/// Keys of another type before the first sorted set, options or a timeout that are none.
pub(super) fn bzmpop(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let args = call.args;
    let keys = Choice::parse(args.from(2))?.keys();
    let timeout = parse_timeout(&args[1])?;
    let (of, absent) = (Type::SortedSet, Absent::NullArray);
    Plan { timeout, keys, of, absent, try_once: try_mpop }.run(call)
}

fn try_mpop(call: &mut Call<'_, '_>, turn: Turn<'_>) -> Result<Option<usize>, CommandError> {
    let choice = Choice::parse(call.args.from(2))?;
    for (at, key) in choice.keys().enumerate() {
        let Some(set) = turn.sorted_set(call, at, key)? else { continue };
        let count = choice.count.min(set.len());
        call.reply.array(2);
        call.reply.bulk(key);
        call.reply.array(count as usize);
        let reply = &mut *call.reply;
        let mut answer = |(score, member): (f64, &[u8])| {
            reply.array(2);
            reply.bulk(member);
            reply.double(score);
        };
        match choice.end {
            End::Min => set.forward(0).take(count as usize).for_each(&mut answer),
            End::Max => set.backward(set.len()).take(count as usize).for_each(&mut answer),
        }
        remove(call, key, set, choice.end, count)?;
        return Ok(Some(at));
    }
    Ok(None)
}

/// Removes `count` members from an end of a set that has so many.
fn remove(
    call: &mut Call<'_, '_>,
    key: &[u8],
    set: SortedRef<'_>,
    end: End,
    count: u64,
) -> Result<(), CommandError> {
    let db = call.db();
    let rank = if end == End::Min { 0 } else { set.len() - count };
    call.txn.edit_sorted_set(db, key, |draft| {
        draft.remove_ranks(rank, count);
        Ok::<_, CommandError>(())
    })?;
    call.notify(EventClass::ZSET, end.event(), key);
    if count == set.len() {
        call.notify(EventClass::GENERIC, "del", key);
    }
    Ok(())
}
