//! DEL and UNLINK, which are the same here: whatever is big is freed in the background anyway.

use crate::command::call::{Call, CommandError};
use crate::settings::EventClass;

/// `DEL key [key ...]` and `UNLINK key [key ...]`
///
/// # Errors
/// None.
#[inline]
pub fn del(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (keys, db) = (call.args.from(1), call.db());
    let mut count = 0;
    for key in keys.iter() {
        if call.txn.delete(db, key) {
            count += 1;
            call.notify(EventClass::GENERIC, "del", key);
        }
    }
    call.reply.int(count);
    Ok(())
}
