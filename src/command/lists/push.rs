//! Adding elements: LPUSH, RPUSH, LPUSHX, RPUSHX.

use smallvec::SmallVec;

use super::End;
use crate::command::call::{Call, CommandError};
use crate::settings::EventClass;

/// `LPUSH key element [element ...]`
///
/// # Errors
/// A key of another type.
#[inline]
pub fn lpush(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    push(call, End::Left)
}

/// `RPUSH key element [element ...]`
///
/// # Errors
/// A key of another type.
#[inline]
pub fn rpush(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    push(call, End::Right)
}

/// `LPUSHX key element [element ...]`
///
/// # Errors
/// A key of another type.
pub fn lpushx(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    push_if_there(call, End::Left)
}

/// `RPUSHX key element [element ...]`
///
/// # Errors
/// A key of another type.
pub fn rpushx(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    push_if_there(call, End::Right)
}

#[inline]
fn push(call: &mut Call<'_, '_>, end: End) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let elements: SmallVec<[&[u8]; 8]> = args.from(2).iter().collect();
    let len = call.txn.edit_list(db, &args[1], |list| {
        match end {
            End::Left => list.push_front(&elements),
            End::Right => list.push_back(&elements),
        }
        Ok::<_, CommandError>(list.len())
    })?;
    call.notify(EventClass::LIST, end.push_event(), &args[1]);
    call.reply.int(len as i64);
    Ok(())
}

fn push_if_there(call: &mut Call<'_, '_>, end: End) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    if call.txn.peek_list(db, &args[1])?.is_none() {
        call.reply.int(0);
        return Ok(());
    }
    push(call, end)
}
