//! Removing a string only if it is the expected one: DELIFEQ.

use crate::command::call::{Call, CommandError};
use crate::command::strings::value::equals;
use crate::settings::EventClass;

/// `DELIFEQ key value`
///
/// # Errors
/// None.
pub fn delifeq(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let equal = call.txn.peek_string(db, &args[1])?.is_some_and(|live| equals(live.value, &args[2]));
    if equal {
        call.txn.delete(db, &args[1]);
        call.notify(EventClass::GENERIC, "del", &args[1]);
    }
    call.reply.int(i64::from(equal));
    Ok(())
}
