//! Changing hashes: HSET, HMSET, HSETNX, HDEL.

use crate::command::call::{Call, CommandError};
use crate::resp::Args;
use crate::settings::EventClass;
use crate::store::value::draft::FieldSet;

/// `HSET key field value [field value ...]`
///
/// # Errors
/// A field without a value.
#[inline]
pub fn hset(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let added = set_all(call, "hset")?;
    call.reply.int(added);
    Ok(())
}

/// `HMSET key field value [field value ...]`
///
/// # Errors
/// As [`hset`].
pub fn hmset(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    set_all(call, "hmset")?;
    call.reply.ok();
    Ok(())
}

/// Sets all fields, which lose their expiries; tells how many are new.
#[inline]
fn set_all(call: &mut Call<'_, '_>, command: &str) -> Result<i64, CommandError> {
    let (args, db) = (call.args, call.db());
    let data = args.from(2);
    if data.len() % 2 != 0 {
        return Err(CommandError::Arity(command.to_owned()));
    }
    let added = call.txn.edit_hash(db, &args[1], |hash| {
        let new = pairs(data).filter(|(field, value)| hash.set(field, value, None) == FieldSet::Added);
        Ok::<_, CommandError>(new.count())
    })?;
    call.notify(EventClass::HASH, "hset", &args[1]);
    Ok(added as i64)
}

/// Fields and values in turn.
pub(super) fn pairs(data: Args<'_>) -> impl Iterator<Item = (&[u8], &[u8])> {
    data.iter().step_by(2).zip(data.iter().skip(1).step_by(2))
}

/// `HSETNX key field value`
///
/// # Errors
/// None.
pub fn hsetnx(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let set = call.txn.edit_hash(db, &args[1], |hash| {
        let absent = hash.get(&args[2]).is_none();
        if absent {
            hash.set(&args[2], &args[3], None);
        }
        Ok::<_, CommandError>(absent)
    })?;
    if set {
        call.notify(EventClass::HASH, "hset", &args[1]);
    }
    call.reply.int(i64::from(set));
    Ok(())
}

/// `HDEL key field [field ...]`
///
/// # Errors
/// None.
pub fn hdel(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (deleted, left) = call.txn.edit_hash(db, &args[1], |hash| {
        let deleted = args.from(2).iter().filter(|field| hash.delete(field)).count();
        Ok::<_, CommandError>((deleted, !hash.is_empty()))
    })?;
    if deleted > 0 {
        tell_deleted(call, left);
    }
    call.reply.int(deleted as i64);
    Ok(())
}

/// Tells that fields were deleted, and that the hash is gone unless something is `left` of it.
pub(super) fn tell_deleted(call: &mut Call<'_, '_>, left: bool) {
    let args = call.args;
    call.notify(EventClass::HASH, "hdel", &args[1]);
    if !left {
        call.notify(EventClass::GENERIC, "del", &args[1]);
    }
}
