//! Giving keys other names: RENAME, RENAMENX.

use crate::command::call::{Call, CommandError};
use crate::settings::EventClass;

/// `RENAME key newkey`
///
/// # Errors
/// [`CommandError::NoSuchKey`].
pub fn rename(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    rename_key(call, true)?;
    call.reply.ok();
    Ok(())
}

/// `RENAMENX key newkey`
///
/// # Errors
/// [`CommandError::NoSuchKey`].
pub fn renamenx(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let renamed = rename_key(call, false)?;
    call.reply.int(i64::from(renamed));
    Ok(())
}

/// Hands value and expiry over to the new name; tells whether it did. A key that gets its own name stays as it is.
fn rename_key(call: &mut Call<'_, '_>, replace: bool) -> Result<bool, CommandError> {
    let (args, db) = (call.args, call.db());
    let (old, new) = (&args[1], &args[2]);
    call.txn.peek(db, old).ok_or(CommandError::NoSuchKey)?;
    if old == new || (!replace && call.txn.peek(db, new).is_some()) {
        return Ok(false);
    }
    call.txn.rename(db, old, (db, new));
    call.notify(EventClass::NEW, "new", new);
    call.notify(EventClass::GENERIC, "rename_from", old);
    call.notify(EventClass::GENERIC, "rename_to", new);
    Ok(true)
}
