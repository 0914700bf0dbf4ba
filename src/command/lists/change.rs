//! Changing lists in the middle: LSET, LINSERT, LREM, LTRIM.

use super::{position, span, symmetric};
use crate::command::args::{integer, is};
use crate::command::call::{Call, CommandError};
use crate::settings::EventClass;
use crate::store::value::collection::ListRef;

/// `LSET key index element`
///
/// # Errors
/// A key that is not there or of another type, an index that is none.
pub fn lset(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let list = call.txn.peek_list(db, &args[1])?.ok_or(CommandError::NoSuchKey)?;
    let at = position(integer(&args[2])?, list.len())
        .ok_or(CommandError::Text("ERR index out of range".into()))?;
    call.txn.edit_list(db, &args[1], |draft| {
        draft.splice(at, 1, &[&args[3]]);
        Ok::<_, CommandError>(())
    })?;
    call.notify(EventClass::LIST, "lset", &args[1]);
    call.reply.ok();
    Ok(())
}

/// `LINSERT key BEFORE|AFTER pivot element`
///
/// # Errors
/// A key of another type, another word than BEFORE or AFTER.
pub fn linsert(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let after = match &args[2] {
        word if is(word, "BEFORE") => 0,
        word if is(word, "AFTER") => 1,
        _ => return Err(CommandError::Syntax),
    };
    let Some(list) = call.txn.peek_list(db, &args[1])? else {
        call.reply.int(0);
        return Ok(());
    };
    let Some(pivot) = list.forward(0).position(|element| element == &args[3]) else {
        call.reply.int(-1);
        return Ok(());
    };
    call.txn.edit_list(db, &args[1], |draft| {
        draft.splice(pivot as u64 + after, 0, &[&args[4]]);
        Ok::<_, CommandError>(())
    })?;
    call.notify(EventClass::LIST, "linsert", &args[1]);
    call.reply.int(list.len() as i64 + 1);
    Ok(())
}

/// `LREM key count element`
///
/// # Errors
/// A key of another type, a count that is no integer.
pub fn lrem(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let count = symmetric(&args[2])?;
    let list = call.txn.peek_list(db, &args[1])?;
    let runs = list.map_or(Vec::new(), |list| matches(list, &args[3], count));
    let removed = runs.iter().map(|run| run.1).sum::<u64>();
    if removed > 0 {
        call.txn.edit_list(db, &args[1], |draft| {
            for &(at, len) in &runs {
                draft.splice(at, len, &[]);
            }
            Ok::<_, CommandError>(())
        })?;
        call.notify(EventClass::LIST, "lrem", &args[1]);
        if list.is_some_and(|list| list.len() == removed) {
            call.notify(EventClass::GENERIC, "del", &args[1]);
        }
    }
    call.reply.int(removed as i64);
    Ok(())
}

/// The runs of elements that are equal to `element`, as places and lengths, the last first: `count` of them from the
/// head, or from the tail if it is negative, or all if it is 0.
fn matches(list: ListRef<'_>, element: &[u8], count: i64) -> Vec<(u64, u64)> {
    let wanted = if count == 0 { u64::MAX } else { count.unsigned_abs() };
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let mut runs: Vec<(u64, u64)> = Vec::new();
    if count < 0 {
        let places = (0..list.len()).rev().zip(list.backward(list.len()));
        for (at, _) in places.filter(|place| place.1 == element).take(wanted) {
            match runs.last_mut() {
                Some((start, len)) if at + 1 == *start => (*start, *len) = (at, *len + 1),
                _ => runs.push((at, 1)),
            }
        }
    } else {
        let places = (0..).zip(list.forward(0));
        for (at, _) in places.filter(|place| place.1 == element).take(wanted) {
            match runs.last_mut() {
                Some((start, len)) if *start + *len == at => *len += 1,
                _ => runs.push((at, 1)),
            }
        }
        // Why: what is removed behind a place does not move it.
        runs.reverse();
    }
    runs
}

/// `LTRIM key start stop`
///
/// # Errors
/// A key of another type, positions that are no integers.
pub fn ltrim(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (start, stop) = (integer(&args[2])?, integer(&args[3])?);
    if let Some(list) = call.txn.peek_list(db, &args[1])? {
        let kept = span(start, stop, list.len());
        call.txn.edit_list(db, &args[1], |draft| {
            draft.splice(kept.end, list.len() - kept.end, &[]);
            draft.splice(0, kept.start, &[]);
            Ok::<_, CommandError>(())
        })?;
        call.notify(EventClass::LIST, "ltrim", &args[1]);
        if kept.is_empty() {
            call.notify(EventClass::GENERIC, "del", &args[1]);
        }
    }
    call.reply.ok();
    Ok(())
}
