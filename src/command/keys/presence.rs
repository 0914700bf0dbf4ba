//! Whether keys are there: EXISTS, TOUCH, TYPE.

use crate::command::call::{Call, CommandError};
use crate::command::keys::types;

/// `EXISTS key [key ...]`; a key that is named twice counts twice.
///
/// # Errors
/// None.
#[inline]
pub fn exists(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (keys, db) = (call.args.from(1), call.db());
    let count = keys.iter().filter(|key| call.txn.peek(db, key).is_some()).count();
    call.reply.int(count as i64);
    Ok(())
}

/// `TOUCH key [key ...]`
///
/// # Errors
/// None.
pub fn touch(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (keys, db) = (call.args.from(1), call.db());
    let count = keys.iter().filter(|key| call.txn.get(db, key).is_some()).count();
    call.reply.int(count as i64);
    Ok(())
}

/// `TYPE key`
///
/// # Errors
/// None.
pub fn key_type(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let name = call.txn.peek(db, &args[1]).map_or("none", |live| types::name(live.value));
    call.reply.simple(name);
    Ok(())
}
