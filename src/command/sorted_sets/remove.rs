//! Taking members out: ZREM, and the ranges of ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX.

use crate::command::call::{Call, CommandError};
use crate::command::sorted_sets::range::{By, Range, Span};
use crate::engine::WrongType;
use crate::settings::EventClass;

/// `ZREM key member [member ...]`
///
/// # Errors
/// The wrong type.
pub fn zrem(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (removed, is_empty) = call.txn.edit_sorted_set(db, &args[1], |draft| {
        let removed = args.iter().skip(2).filter(|member| draft.remove(member).is_some()).count();
        Ok::<_, WrongType>((removed, draft.is_empty()))
    })?;
    if removed > 0 {
        tell(call, "zrem", &args[1], is_empty);
    }
    call.reply.int(removed as i64);
    Ok(())
}

/// `ZREMRANGEBYRANK key start stop`
///
/// # Errors
/// Ranks that are none.
pub fn zremrangebyrank(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    remove_range(call, By::Rank, "zremrangebyrank")
}

/// `ZREMRANGEBYSCORE key min max`
///
/// # Errors
/// Ends that are none.
pub fn zremrangebyscore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    remove_range(call, By::Score, "zremrangebyscore")
}

/// `ZREMRANGEBYLEX key min max`
///
/// # Errors
/// Ends that are none.
pub fn zremrangebylex(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    remove_range(call, By::Member, "zremrangebylex")
}

fn remove_range(call: &mut Call<'_, '_>, by: By, event: &'static str) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let range = Range::parse(by, &args[2], &args[3])?;
    let set = call.txn.peek_sorted_set(db, &args[1])?;
    let span = set.map_or(0..0, |set| range.span(&set, false));
    let removed = span.end - span.start;
    remove_span(call, event, &args[1], span)?;
    call.reply.int(removed as i64);
    Ok(())
}

/// Removes the members at these ranks, and tells `event` if there are any.
///
/// # Errors
/// The wrong type.
pub fn remove_span(
    call: &mut Call<'_, '_>,
    event: &'static str,
    key: &[u8],
    span: Span,
) -> Result<(), CommandError> {
    if span.is_empty() {
        return Ok(());
    }
    let db = call.db();
    let is_empty = call.txn.edit_sorted_set(db, key, |draft| {
        draft.remove_ranks(span.start, span.end - span.start);
        Ok::<_, WrongType>(draft.is_empty())
    })?;
    tell(call, event, key, is_empty);
    Ok(())
}

fn tell(call: &mut Call<'_, '_>, event: &'static str, key: &[u8], is_gone: bool) {
    call.notify(EventClass::ZSET, event, key);
    if is_gone {
        call.notify(EventClass::GENERIC, "del", key);
    }
}
