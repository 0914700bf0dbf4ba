//! Reading hashes: HGET, HMGET, HGETALL, HKEYS, HVALS, HLEN, HSTRLEN, HEXISTS.

use crate::clock::Millis;
use crate::command::call::{Call, CommandError};
use crate::resp::ReplyBuf;
use crate::store::value::collection::HashRef;
use crate::store::value::form::FieldRef;

/// Answers the value of a field that was found, or a null.
#[inline]
pub(super) fn answer(reply: &mut ReplyBuf, found: Option<FieldRef<'_>>) {
    match found {
        Some(field) => reply.bulk(field.value),
        None => reply.null(),
    }
}

/// The field that the request names behind its key.
#[inline]
fn field<'g>(call: &mut Call<'_, 'g>) -> Result<Option<FieldRef<'g>>, CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    let hash = call.txn.get_hash(db, &args[1])?;
    Ok(hash.and_then(|hash| hash.get(&args[2], now)))
}

/// `HGET key field`
///
/// # Errors
/// None.
#[inline]
pub fn hget(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let found = field(call)?;
    answer(call.reply, found);
    Ok(())
}

/// `HMGET key field [field ...]`
///
/// # Errors
/// None.
pub fn hmget(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    let hash = call.txn.get_hash(db, &args[1])?;
    let fields = args.from(2);
    call.reply.array(fields.len());
    for field in fields.iter() {
        answer(call.reply, hash.and_then(|hash| hash.get(field, now)));
    }
    Ok(())
}

/// `HSTRLEN key field`
///
/// # Errors
/// None.
pub fn hstrlen(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let len = field(call)?.map_or(0, |field| field.value.len());
    call.reply.int(len as i64);
    Ok(())
}

/// `HEXISTS key field`
///
/// # Errors
/// None.
pub fn hexists(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let found = field(call)?.is_some();
    call.reply.int(i64::from(found));
    Ok(())
}

/// `HLEN key`; as in Redis, fields count until they are removed.
///
/// # Errors
/// None.
pub fn hlen(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let len = call.txn.get_hash(db, &args[1])?.map_or(0, |hash| hash.len());
    call.reply.int(len as i64);
    Ok(())
}

/// `HGETALL key`
///
/// # Errors
/// None.
pub fn hgetall(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    list(call, ReplyBuf::map, |reply, field| {
        reply.bulk(field.field);
        reply.bulk(field.value);
    })
}

/// `HKEYS key`
///
/// # Errors
/// None.
pub fn hkeys(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    list(call, ReplyBuf::array, |reply, field| reply.bulk(field.field))
}

/// `HVALS key`
///
/// # Errors
/// None.
pub fn hvals(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    list(call, ReplyBuf::array, |reply, field| reply.bulk(field.value))
}

/// Answers something of each field, behind a head that says of how many.
fn list(
    call: &mut Call<'_, '_>,
    head: impl Fn(&mut ReplyBuf, usize),
    one: impl Fn(&mut ReplyBuf, FieldRef<'_>),
) -> Result<(), CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    let hash = call.txn.get_hash(db, &args[1])?;
    head(call.reply, live_len(hash, now));
    for field in hash.iter().flat_map(|hash| hash.iter(now)) {
        one(call.reply, field);
    }
    Ok(())
}

fn live_len(hash: Option<HashRef<'_>>, now: Millis) -> usize {
    hash.map_or(0, |hash| hash.live_len(now)) as usize
}
