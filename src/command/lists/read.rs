//! Reading lists: LLEN, LINDEX, LRANGE.

use super::{position, span};
use crate::command::args::integer;
use crate::command::call::{Call, CommandError};

/// `LLEN key`
///
/// # Errors
/// A key of another type.
pub fn llen(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let len = call.txn.get_list(db, &args[1])?.map_or(0, |list| list.len());
    call.reply.int(len as i64);
    Ok(())
}

/// `LINDEX key index`
///
/// # Errors
/// A key of another type, an index that is no integer.
pub fn lindex(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let Some(list) = call.txn.get_list(db, &args[1])? else {
        // Why not checked first: nor does Redis look at the index of a list that is not there.
        call.reply.null();
        return Ok(());
    };
    match position(integer(&args[2])?, list.len()).and_then(|at| list.get(at)) {
        Some(element) => call.reply.bulk(element),
        None => call.reply.null(),
    }
    Ok(())
}

/// `LRANGE key start stop`
///
/// # Errors
/// A key of another type, positions that are no integers.
#[inline]
pub fn lrange(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (start, stop) = (integer(&args[2])?, integer(&args[3])?);
    let Some(list) = call.txn.get_list(db, &args[1])? else {
        call.reply.array(0);
        return Ok(());
    };
    let span = span(start, stop, list.len());
    let count = (span.end - span.start) as usize;
    call.reply.array(count);
    list.forward(span.start).take(count).for_each(|element| call.reply.bulk(element));
    Ok(())
}
