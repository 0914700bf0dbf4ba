//! Members that come and go: SADD, SREM, SMOVE.

use crate::command::call::{Call, CommandError};
use crate::settings::EventClass;

/// `SADD key member [member ...]`
///
/// # Errors
/// A key of another type.
pub fn sadd(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (key, members) = (&args[1], args.from(2));
    let added = call.txn.edit_set(db, key, |draft| {
        let added = members.iter().filter(|member| draft.add(member)).count();
        Ok::<_, CommandError>(added as i64)
    })?;
    if added > 0 {
        call.notify(EventClass::SET, "sadd", key);
    }
    call.reply.int(added);
    Ok(())
}

/// `SREM key member [member ...]`
///
/// # Errors
/// A key of another type.
pub fn srem(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, members) = (call.args, call.args.from(2));
    let removed = remove(call, &args[1], members.iter())?;
    call.reply.int(removed);
    Ok(())
}

/// `SMOVE source destination member`
///
/// # Errors
/// Keys of other types; that of the destination is not looked at where there is no source.
pub fn smove(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (source, destination, member) = (&args[1], &args[2], &args[3]);
    let Some(from) = call.txn.get_set(db, source)? else {
        call.reply.int(0);
        return Ok(());
    };
    call.txn.peek_set(db, destination)?;
    let is_member = from.contains(member);
    if is_member && source != destination {
        remove(call, source, [member].into_iter())?;
        let added = call.txn.edit_set(db, destination, |draft| Ok::<_, CommandError>(draft.add(member)))?;
        if added {
            call.notify(EventClass::SET, "sadd", destination);
        }
    }
    call.reply.int(i64::from(is_member));
    Ok(())
}

/// Removes members and tells of it; gives how many there were.
fn remove<'a>(
    call: &mut Call<'_, '_>,
    key: &[u8],
    members: impl Iterator<Item = &'a [u8]>,
) -> Result<i64, CommandError> {
    let db = call.db();
    let (removed, is_gone) = call.txn.edit_set(db, key, |draft| {
        let removed = members.filter(|member| draft.remove(member)).count();
        Ok::<_, CommandError>((removed as i64, draft.is_empty()))
    })?;
    if removed > 0 {
        call.notify(EventClass::SET, "srem", key);
        if is_gone {
            call.notify(EventClass::GENERIC, "del", key);
        }
    }
    Ok(removed)
}
