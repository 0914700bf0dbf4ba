//! Members at random: SPOP, SRANDMEMBER.

use super::sample;
use crate::command::args::integer;
use crate::command::call::{Call, CommandError};
use crate::settings::{ClientClass, EventClass};
use crate::store::value::collection::{SetRef, Type};

/// A reply of members that may repeat is not made longer than this, for it has to be held in memory.
const REPEATED_BYTES_MAX: u64 = 512 << 20;

/// `SPOP key [count]`
///
/// # Errors
/// A count that is none, a key of another type.
pub fn spop(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let count = match args.from(2).len() {
        0 => None,
        1 => Some(pop_count(&args[2])?),
        _ => return Err(CommandError::Syntax),
    };
    let set = call.txn.peek_set(db, &args[1])?;
    let members = match set {
        Some(set) => sample::distinct(set, count.unwrap_or(1), &mut || call.txn.random()),
        None => Vec::new(),
    };
    take_out(call, set, &members)?;
    match (count, members.first()) {
        (Some(_), _) => {
            call.reply.set(members.len());
            for member in &members {
                call.reply.bulk(member);
            }
        }
        (None, Some(member)) => call.reply.bulk(member),
        (None, None) => call.reply.null(),
    }
    Ok(())
}

fn pop_count(text: &[u8]) -> Result<u64, CommandError> {
    let count = integer(text).ok().and_then(|count| u64::try_from(count).ok());
    count.ok_or(CommandError::Text("ERR value is out of range, must be positive".into()))
}

/// Removes members that were drawn from the set, and tells of it.
fn take_out(call: &mut Call<'_, '_>, set: Option<SetRef<'_>>, members: &[&[u8]]) -> Result<(), CommandError> {
    let (Some(set), false) = (set, members.is_empty()) else { return Ok(()) };
    let (args, db) = (call.args, call.db());
    let (key, removed) = (&args[1], members.len() as u64);
    let left = set.len() - removed;
    if left == 0 {
        call.txn.delete(db, key);
    } else if left < removed {
        // Why: what is left is less to write, and to log, than what goes.
        let expiry = call.txn.peek(db, key).and_then(|live| live.expiry);
        let put = call.txn.put_collection(db, key, Type::Set, sample::others(set, members), expiry);
        put.expect("members of a set are members");
    } else {
        call.txn.edit_set(db, key, |draft| {
            for member in members {
                draft.remove(member);
            }
            Ok::<_, CommandError>(())
        })?;
    }
    call.notify(EventClass::SET, "spop", key);
    if left == 0 {
        call.notify(EventClass::GENERIC, "del", key);
    }
    Ok(())
}

/// `SRANDMEMBER key [count]`: so many different members, or with a negative count so many that may repeat.
///
/// # Errors
/// A count that is none, a key of another type, a reply that would be too long.
pub fn srandmember(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let count = match args.from(2).len() {
        0 => None,
        1 => Some(draw_count(&args[2])?),
        _ => return Err(CommandError::Syntax),
    };
    let set = call.txn.get_set(db, &args[1])?;
    match (set, count) {
        (None, None) => call.reply.null(),
        (None, Some(_)) => call.reply.array(0),
        (Some(set), None) => call.reply.bulk(sample::one(set, &mut || call.txn.random())),
        (Some(set), Some(count @ 0..)) => {
            let members = sample::distinct(set, count.unsigned_abs(), &mut || call.txn.random());
            call.reply.array(members.len());
            for member in members {
                call.reply.bulk(member);
            }
        }
        (Some(set), Some(count)) => return repeated(call, set, count.unsigned_abs()),
    }
    Ok(())
}

fn draw_count(text: &[u8]) -> Result<i64, CommandError> {
    let count = integer(text)?;
    if count == i64::MIN {
        let text =
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
        return Err(CommandError::Text(text.into()));
    }
    Ok(count)
}

/// Answers `count` members that are drawn independently. The client of a reply beyond its output limit is cut off
/// by the connection, so that no more of it is made.
fn repeated(call: &mut Call<'_, '_>, set: SetRef<'_>, count: u64) -> Result<(), CommandError> {
    let is_subscriber = call.session.subscriptions.as_ref().is_some_and(|names| names.total() > 0);
    let class = if is_subscriber { ClientClass::Pubsub } else { ClientClass::Normal };
    let limit = call.context.settings.output_limit(class).hard_bytes;
    let before = call.reply.len() as u64;
    call.reply.array(count as usize);
    for _ in 0..count {
        call.reply.bulk(sample::one(set, &mut || call.txn.random()));
        let bytes = call.reply.len() as u64;
        if limit > 0 && bytes > limit {
            break;
        }
        if bytes - before > REPEATED_BYTES_MAX {
            return Err(CommandError::Text("ERR the reply would be longer than 512 MB".into()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_checked_as_redis_does() {
        assert_eq!(pop_count(b"0"), Ok(0));
        assert_eq!(pop_count(b"9223372036854775807"), Ok(i64::MAX.unsigned_abs()));
        for text in ["x", "-1", "9223372036854775808"] {
            let error = pop_count(text.as_bytes()).expect_err(text);
            assert_eq!(error.to_string(), "ERR value is out of range, must be positive");
        }
        assert_eq!(draw_count(b"-9223372036854775807"), Ok(-i64::MAX));
        assert_eq!(draw_count(b"9223372036854775808"), Err(CommandError::NotInteger));
        assert!(draw_count(b"-9223372036854775808").is_err());
    }
}
