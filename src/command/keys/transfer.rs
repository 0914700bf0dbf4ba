//! Bringing values to other keys and other databases: COPY, MOVE.

use crate::command::args::{Options, database, is};
use crate::command::call::{Call, CommandError};
use crate::engine::DbIndex;
use crate::settings::EventClass;

/// `COPY source destination [DB destination-db] [REPLACE]`
///
/// # Errors
/// Unknown options, a database that does not exist, a source that is the destination.
pub fn copy(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (source, destination) = (&args[1], &args[2]);
    let (mut to, mut replace) = (db, false);
    let mut options = Options::new(args, 3);
    while let Some(word) = options.next() {
        if is(word, "REPLACE") {
            replace = true;
        } else if is(word, "DB") {
            to = database(options.value()?, call.txn.databases())?;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    if to == db && source == destination {
        return Err(same_object());
    }
    let is_there = call.txn.get(db, source).is_some();
    if !is_there {
        call.notify(EventClass::KEY_MISS, "keymiss", source);
    }
    let free = is_there && (replace || call.txn.peek(to, destination).is_none());
    let copied = free && call.txn.copy(db, source, (to, destination));
    if copied {
        call.notify_in(to, EventClass::NEW, "new", destination);
        call.notify_in(to, EventClass::GENERIC, "copy_to", destination);
    }
    call.reply.int(i64::from(copied));
    Ok(())
}

/// `MOVE key db`
///
/// # Errors
/// A database that does not exist, or is the present one.
pub fn move_key(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let to = database(&args[2], call.txn.databases())?;
    if to == db {
        return Err(same_object());
    }
    let moved = move_to(call, &args[1], to);
    call.reply.int(i64::from(moved));
    Ok(())
}

/// Moves a key that is there to a database where it is not; tells whether it did.
fn move_to(call: &mut Call<'_, '_>, key: &[u8], to: DbIndex) -> bool {
    let db = call.db();
    let free = call.txn.peek(db, key).is_some() && call.txn.peek(to, key).is_none();
    if !free || !call.txn.rename(db, key, (to, key)) {
        return false;
    }
    call.notify_in(to, EventClass::NEW, "new", key);
    call.notify(EventClass::GENERIC, "move_from", key);
    call.notify_in(to, EventClass::GENERIC, "move_to", key);
    true
}

fn same_object() -> CommandError {
    CommandError::Text("ERR source and destination objects are the same".into())
}
