//! Reading one string: GET, GETDEL, GETEX, STRLEN.

use crate::command::call::{Call, CommandError};
use crate::command::strings::options::{ExpiryChange, parse_getex};
use crate::command::strings::value::{answer, answer_found};
use crate::settings::EventClass;

/// `GET key`
///
/// # Errors
/// None.
#[inline]
pub fn get(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let found = call.txn.get_string(db, &args[1])?;
    answer_found(call.reply, found);
    Ok(())
}

/// `GETDEL key`
///
/// # Errors
/// None.
pub fn getdel(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let found = call.txn.get_string(db, &args[1])?;
    answer_found(call.reply, found);
    if found.is_some() {
        call.txn.delete(db, &args[1]);
        call.notify(EventClass::GENERIC, "del", &args[1]);
    } else {
        call.notify(EventClass::KEY_MISS, "keymiss", &args[1]);
    }
    Ok(())
}

/// `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`; without an option it writes nothing.
///
/// # Errors
/// Options that do not go together; an invalid expiry, of which a missing key knows nothing.
pub fn getex(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let change = parse_getex(args, 2)?;
    let Some(live) = call.txn.get_string(db, &args[1])? else {
        call.reply.null();
        call.notify(EventClass::KEY_MISS, "keymiss", &args[1]);
        return Ok(());
    };
    let time = change.time(call.txn.now(), "getex")?;
    answer(call.reply, live.value);
    if time.is_some() || (change == ExpiryChange::Clear && live.expiry.is_some()) {
        call.txn.set_expiry(db, &args[1], time);
        let event = match time {
            Some(at) if at <= call.txn.now() => "del",
            Some(_) => "expire",
            None => "persist",
        };
        call.notify(EventClass::GENERIC, event, &args[1]);
    }
    Ok(())
}

/// `STRLEN key`
///
/// # Errors
/// None.
pub fn strlen(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let len = call.txn.get_string(db, &args[1])?.map_or(0, |live| live.value.len());
    call.reply.int(len as i64);
    Ok(())
}
