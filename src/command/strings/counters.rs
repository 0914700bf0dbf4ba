//! Strings as numbers: INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT.

use crate::command::args::integer;
use crate::command::call::{Call, CommandError};
use crate::command::strings::decimal::{Number, NumberError};
use crate::settings::EventClass;
use crate::store::version::{StringRef, Value};

/// `INCR key`
///
/// # Errors
/// A value that is no integer; an overflow.
#[inline]
pub fn incr(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    add(call, 1)
}

/// `DECR key`
///
/// # Errors
/// As [`incr`].
#[inline]
pub fn decr(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    add(call, -1)
}

/// `INCRBY key increment`
///
/// # Errors
/// As [`incr`]; an increment that is no integer.
#[inline]
pub fn incrby(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let increment = integer(&call.args[2])?;
    add(call, increment)
}

/// `DECRBY key decrement`
///
/// # Errors
/// As [`incrby`].
pub fn decrby(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let decrement = integer(&call.args[2])?;
    let increment =
        decrement.checked_neg().ok_or(CommandError::Text("ERR decrement would overflow".into()))?;
    add(call, increment)
}

/// Adds to the integer that the key holds, which is 0 where there is none. Its expiry stays.
#[inline]
fn add(call: &mut Call<'_, '_>, increment: i64) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (old, expiry) = match call.txn.peek_string(db, &args[1])? {
        Some(live) => (integer_of(live.value)?, live.expiry),
        None => (0, None),
    };
    let new = old
        .checked_add(increment)
        .ok_or(CommandError::Text("ERR increment or decrement would overflow".into()))?;
    call.txn.put(db, &args[1], Value::Int(new), expiry);
    call.notify(EventClass::STRING, "incrby", &args[1]);
    call.reply.int(new);
    Ok(())
}

/// The integer that a string spells, whichever way it is kept.
#[inline]
fn integer_of(value: StringRef<'_>) -> Result<i64, CommandError> {
    match value {
        StringRef::Int(number) => Ok(number),
        StringRef::Str(text) | StringRef::Raw(text) => integer(text),
        StringRef::Shared(text) => integer(text),
    }
}

/// `INCRBYFLOAT key increment`; what is stored, and logged, is the sum.
///
/// # Errors
/// A value or an increment that is no number; a sum that is none.
pub fn incrbyfloat(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let live = call.txn.peek_string(db, &args[1])?;
    let old = match live {
        Some(live) => Number::parse(live.value.bytes(&mut itoa::Buffer::new()))?,
        None => Number::ZERO,
    };
    let sum = old.plus(&Number::parse(&args[2])?)?.to_string();
    call.txn.put(db, &args[1], Value::Str(sum.as_bytes()), live.and_then(|live| live.expiry));
    call.notify(EventClass::STRING, "incrbyfloat", &args[1]);
    call.reply.bulk(sum.as_bytes());
    Ok(())
}

impl From<NumberError> for CommandError {
    fn from(error: NumberError) -> Self {
        match error {
            NumberError::NotANumber => Self::NotFloat,
            NumberError::OutOfRange => Self::Text("ERR increment would produce NaN or Infinity".into()),
        }
    }
}
