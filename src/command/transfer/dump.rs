//! DUMP: a value as bytes.

use crate::command::call::{Call, CommandError};
use crate::command::transfer::portable::export;
use crate::rdb;

/// `DUMP key`
///
/// # Errors
/// None.
pub fn dump(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    match call.txn.get(db, &args[1]).and_then(|live| export(live.value, now)) {
        Some(value) => call.reply.bulk_shared(rdb::dump(&value).into()),
        None => call.reply.null(),
    }
    Ok(())
}
