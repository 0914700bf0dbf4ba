//! Fields as numbers: HINCRBY, HINCRBYFLOAT. The field's expiry stays.

use crate::command::args::integer;
use crate::command::call::{Call, CommandError};
use crate::command::strings::decimal::Number;
use crate::resp::number::parse_i64;
use crate::settings::EventClass;

fn text(message: &'static str) -> CommandError {
    CommandError::Text(message.into())
}

/// `HINCRBY key field increment`
///
/// # Errors
/// An increment or a value that is no integer; an overflow.
pub fn hincrby(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let increment = integer(&args[3])?;
    let sum = call.txn.edit_hash(db, &args[1], |hash| {
        let (old, expiry) = match hash.get(&args[2]) {
            Some(found) => {
                let old = parse_i64(found.value).ok_or(text("ERR hash value is not an integer"))?;
                (old, found.expiry)
            }
            None => (0, None),
        };
        let sum = old.checked_add(increment).ok_or(text("ERR increment or decrement would overflow"))?;
        hash.set(&args[2], itoa::Buffer::new().format(sum).as_bytes(), expiry);
        Ok::<_, CommandError>(sum)
    })?;
    call.notify(EventClass::HASH, "hincrby", &args[1]);
    call.reply.int(sum);
    Ok(())
}

/// `HINCRBYFLOAT key field increment`; what is stored, and logged, is the sum.
///
/// # Errors
/// An increment or a value that is no number; a sum that is none.
pub fn hincrbyfloat(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let increment = Number::parse(&args[3])?;
    if increment == Number::Infinite {
        return Err(text("ERR value is NaN or Infinity"));
    }
    let sum = call.txn.edit_hash(db, &args[1], |hash| {
        let (old, expiry) = match hash.get(&args[2]) {
            Some(found) => {
                let old = Number::parse(found.value).map_err(|_| text("ERR hash value is not a float"))?;
                (old, found.expiry)
            }
            None => (Number::ZERO, None),
        };
        let sum = old.plus(&increment)?.to_string();
        hash.set(&args[2], sum.as_bytes(), expiry);
        Ok::<_, CommandError>(sum)
    })?;
    call.notify(EventClass::HASH, "hincrbyfloat", &args[1]);
    call.reply.bulk(sum.as_bytes());
    Ok(())
}
