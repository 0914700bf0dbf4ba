//! What a set holds: SISMEMBER, SMISMEMBER, SCARD, SMEMBERS.

use crate::command::call::{Call, CommandError};

/// `SISMEMBER key member`
///
/// # Errors
/// A key of another type.
pub fn sismember(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let set = call.txn.get_set(db, &args[1])?;
    call.reply.int(i64::from(set.is_some_and(|set| set.contains(&args[2]))));
    Ok(())
}

/// `SMISMEMBER key member [member ...]`
///
/// # Errors
/// A key of another type.
pub fn smismember(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let set = call.txn.get_set(db, &args[1])?;
    let members = args.from(2);
    call.reply.array(members.len());
    for member in members.iter() {
        call.reply.int(i64::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(())
}

/// `SCARD key`
///
/// # Errors
/// A key of another type.
pub fn scard(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let set = call.txn.get_set(db, &args[1])?;
    call.reply.int(set.map_or(0, |set| set.len() as i64));
    Ok(())
}

/// `SMEMBERS key`
///
/// # Errors
/// A key of another type.
pub fn smembers(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let set = call.txn.get_set(db, &args[1])?;
    call.reply.set(set.map_or(0, |set| set.len() as usize));
    for member in set.iter().flat_map(crate::store::value::collection::SetRef::iter) {
        call.reply.bulk(member);
    }
    Ok(())
}
