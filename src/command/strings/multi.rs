//! Several strings at once: MGET, MSET, MSETNX.

use crate::command::call::{Call, CommandError};
use crate::command::strings::value::answer_found;
use crate::resp::Args;
use crate::settings::EventClass;
use crate::store::version::Value;

/// `MGET key [key ...]`
///
/// # Errors
/// None.
#[inline]
pub fn mget(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (keys, db) = (call.args.from(1), call.db());
    call.reply.array(keys.len());
    for key in keys.iter() {
        // Why: a key of another type has no string, which is no error here.
        answer_found(call.reply, call.txn.get_string(db, key).unwrap_or(None));
    }
    Ok(())
}

/// `MSET key value [key value ...]`
///
/// # Errors
/// A key without a value.
pub fn mset(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let pairs = pairs(call.args, "mset")?;
    put_all(call, pairs);
    call.reply.ok();
    Ok(())
}

/// `MSETNX key value [key value ...]`: all of them, or none if any exists.
///
/// # Errors
/// A key without a value.
pub fn msetnx(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (pairs, db) = (pairs(call.args, "msetnx")?, call.db());
    let absent = pairs.iter().step_by(2).all(|key| call.txn.peek(db, key).is_none());
    if absent {
        put_all(call, pairs);
    }
    call.reply.int(i64::from(absent));
    Ok(())
}

/// Keys and values in turn.
fn pairs<'a>(args: Args<'a>, command: &str) -> Result<Args<'a>, CommandError> {
    let pairs = args.from(1);
    if pairs.len() % 2 == 0 { Ok(pairs) } else { Err(CommandError::Arity(command.to_owned())) }
}

fn put_all(call: &mut Call<'_, '_>, pairs: Args<'_>) {
    let db = call.db();
    for (key, value) in pairs.iter().step_by(2).zip(pairs.iter().skip(1).step_by(2)) {
        call.txn.put(db, key, Value::Str(value), None);
        call.notify(EventClass::STRING, "set", key);
    }
}
