//! DEL and UNLINK, which are the same here: whatever is big is freed in the background anyway.

use crate::command::call::{Call, CommandError};

/// `DEL key [key ...]` and `UNLINK key [key ...]`
///
/// # Errors
/// None.
#[inline]
pub fn del(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (keys, db) = (call.args.from(1), call.db());
    let count = keys.iter().filter(|key| call.txn.delete(db, key)).count();
    call.reply.int(count as i64);
    Ok(())
}
