//! Asking when keys end: TTL, PTTL, EXPIRETIME, PEXPIRETIME.

use crate::clock::Millis;
use crate::command::call::{Call, CommandError};

/// The answer for a key that is not there.
const NO_KEY: i64 = -2;

/// The answer for a key that does not end.
const NO_EXPIRY: i64 = -1;

/// `TTL key`: seconds left, to the nearest.
///
/// # Errors
/// None.
#[inline]
pub fn ttl(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, |now, at| nearest_second(now.until(at)));
    Ok(())
}

/// `PTTL key`: milliseconds left.
///
/// # Errors
/// None.
pub fn pttl(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, Millis::until);
    Ok(())
}

/// `EXPIRETIME key`: the Unix time in seconds, to the nearest.
///
/// # Errors
/// None.
pub fn expiretime(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, |_, at| nearest_second(at.0));
    Ok(())
}

/// `PEXPIRETIME key`: the Unix time in milliseconds.
///
/// # Errors
/// None.
pub fn pexpiretime(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, |_, at| at.0);
    Ok(())
}

fn nearest_second(millis: u64) -> u64 {
    millis.saturating_add(500) / 1000
}

/// Answers what `told` makes of the present time and the key's end.
#[inline]
fn answer(call: &mut Call<'_, '_>, told: impl Fn(Millis, Millis) -> u64) {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    let time = match call.txn.peek(db, &args[1]) {
        None => NO_KEY,
        Some(live) => live.expiry.map_or(NO_EXPIRY, |at| told(now, at) as i64),
    };
    call.reply.int(time);
}
