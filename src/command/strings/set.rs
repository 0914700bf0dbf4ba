//! SET and its older forms: SETNX, SETEX, PSETEX, GETSET.

use crate::clock::Millis;
use crate::command::args::TimeForm;
use crate::command::call::{Call, CommandError};
use crate::command::strings::options::{Condition, ExpiryChange, SetOptions};
use crate::command::strings::value::answer_found;
use crate::engine::Live;
use crate::settings::EventClass;
use crate::store::version::Value;

/// `SET key value [NX | XX | IFEQ value] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
///
/// # Errors
/// Options that do not go together, an invalid expiry.
#[inline]
pub fn set(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    if args.len() == 3 {
        let key = &args[1];
        call.txn.put(db, key, Value::Str(&args[2]), None);
        call.notify(EventClass::STRING, "set", key);
        call.reply.ok();
        return Ok(());
    }
    let options = SetOptions::parse(args, 3)?;
    set_with_options(call, options)
}

fn set_with_options(call: &mut Call<'_, '_>, options: SetOptions<'_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (key, value) = (&args[1], &args[2]);
    let time = options.expiry.time(call.txn.now(), "set")?;
    let old = match options {
        SetOptions { get: true, .. } => call.txn.get(db, key),
        // Why: what nobody asks for is not looked up; a plain overwrite then depends on nothing.
        SetOptions {
            condition: Condition::Always,
            expiry: ExpiryChange::Unsaid | ExpiryChange::To(..),
            ..
        } => None,
        _ => call.txn.peek(db, key),
    };
    if options.get && old.is_none() {
        call.notify(EventClass::KEY_MISS, "keymiss", key);
    }
    let told = if options.get { old.map(Live::string).transpose()? } else { None };
    let allowed = options.condition.allows(old.map(|live| live.value))?;
    if allowed {
        let kept = if options.expiry == ExpiryChange::Keep { old.and_then(|live| live.expiry) } else { None };
        put_until(call, key, value, time.or(kept));
        if time.is_some() {
            notify_expiry(call, key, time);
        }
    }
    match (options.get, allowed) {
        (true, _) => answer_found(call.reply, told),
        (false, true) => call.reply.ok(),
        (false, false) => call.reply.null(),
    }
    Ok(())
}

/// Sets a key. A value whose time has passed already is never stored: what it would replace goes.
fn put_until(call: &mut Call<'_, '_>, key: &[u8], value: &[u8], expiry: Option<Millis>) {
    let db = call.db();
    if expiry.is_some_and(|at| at <= call.txn.now()) {
        call.txn.delete(db, key);
    } else {
        call.txn.put(db, key, Value::Str(value), expiry);
    }
    call.notify(EventClass::STRING, "set", key);
}

/// Tells that a key was given a time to end; of one that has passed also that it has ended.
fn notify_expiry(call: &mut Call<'_, '_>, key: &[u8], expiry: Option<Millis>) {
    call.notify(EventClass::GENERIC, "expire", key);
    if expiry.is_some_and(|at| at <= call.txn.now()) {
        call.notify(EventClass::EXPIRED, "expired", key);
    }
}

/// `SETNX key value`
///
/// # Errors
/// None.
pub fn setnx(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let absent = call.txn.peek(db, &args[1]).is_none();
    if absent {
        call.txn.put(db, &args[1], Value::Str(&args[2]), None);
        call.notify(EventClass::STRING, "set", &args[1]);
    }
    call.reply.int(i64::from(absent));
    Ok(())
}

/// `SETEX key seconds value`
///
/// # Errors
/// An invalid expiry.
#[inline]
pub fn setex(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    set_for(call, TimeForm::Seconds, "setex")
}

/// `PSETEX key milliseconds value`
///
/// # Errors
/// An invalid expiry.
#[inline]
pub fn psetex(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    set_for(call, TimeForm::Millis, "psetex")
}

#[inline]
fn set_for(call: &mut Call<'_, '_>, form: TimeForm, command: &str) -> Result<(), CommandError> {
    let args = call.args;
    let expiry = form.expiry(&args[2], call.txn.now(), command)?;
    put_until(call, &args[1], &args[3], Some(expiry));
    notify_expiry(call, &args[1], Some(expiry));
    call.reply.ok();
    Ok(())
}

/// `GETSET key value`
///
/// # Errors
/// None.
pub fn getset(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let old = call.txn.get_string(db, &args[1])?;
    if old.is_none() {
        call.notify(EventClass::KEY_MISS, "keymiss", &args[1]);
    }
    call.txn.put(db, &args[1], Value::Str(&args[2]), None);
    call.notify(EventClass::STRING, "set", &args[1]);
    answer_found(call.reply, old);
    Ok(())
}
