//! Asking when fields end: HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME.

use crate::clock::Millis;
use crate::command::call::{Call, CommandError};
use crate::command::hashes::fields::{NO_NUMBER, named};

/// The answer for a field that is not there.
const NO_FIELD: i64 = -2;

/// The answer for a field that does not end.
const NO_END: i64 = -1;

/// `HTTL key FIELDS numfields field [field ...]`: seconds left, rounded up.
///
/// # Errors
/// A number that is not that of the fields.
pub fn httl(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, |now, at| now.until(at).div_ceil(1000))
}

/// `HPTTL key FIELDS numfields field [field ...]`: milliseconds left.
///
/// # Errors
/// As [`httl`].
pub fn hpttl(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, Millis::until)
}

/// `HEXPIRETIME key FIELDS numfields field [field ...]`: Unix times in seconds, rounded up.
///
/// # Errors
/// As [`httl`].
pub fn hexpiretime(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, |_, at| at.0.div_ceil(1000))
}

/// `HPEXPIRETIME key FIELDS numfields field [field ...]`: Unix times in milliseconds.
///
/// # Errors
/// As [`httl`].
pub fn hpexpiretime(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, |_, at| at.0)
}

/// Answers for each field what `told` makes of the present time and its end.
fn answer(call: &mut Call<'_, '_>, told: impl Fn(Millis, Millis) -> u64) -> Result<(), CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    let hash = call.txn.get_hash(db, &args[1])?;
    let fields = named(args, 2, NO_NUMBER)?;
    call.reply.array(fields.len());
    for field in fields.iter() {
        let time = match hash.and_then(|hash| hash.get(field, now)) {
            None => NO_FIELD,
            Some(found) => found.expiry.map_or(NO_END, |at| told(now, at) as i64),
        };
        call.reply.int(time);
    }
    Ok(())
}
