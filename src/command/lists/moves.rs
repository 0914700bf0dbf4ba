//! Moving an element from one list to another, or to the other end of its own: LMOVE, RPOPLPUSH.

use super::End;
use crate::command::blocking::Turn;
use crate::command::call::{Call, CommandError};
use crate::settings::EventClass;

/// Two lists and the ends of them.
#[derive(Clone, Copy)]
pub(super) struct Route<'a> {
    pub source: &'a [u8],
    pub destination: &'a [u8],
    pub from: End,
    pub to: End,
}

/// `LMOVE source destination LEFT|RIGHT LEFT|RIGHT`
///
/// # Errors
/// Keys of another type, ends that are none.
pub fn lmove(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let args = call.args;
    let (from, to) = (End::parse(&args[3])?, End::parse(&args[4])?);
    move_or_null(call, Route { source: &args[1], destination: &args[2], from, to })
}

/// `RPOPLPUSH source destination`
///
/// # Errors
/// Keys of another type.
pub fn rpoplpush(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let args = call.args;
    let route = Route { source: &args[1], destination: &args[2], from: End::Right, to: End::Left };
    move_or_null(call, route)
}

fn move_or_null(call: &mut Call<'_, '_>, route: Route<'_>) -> Result<(), CommandError> {
    if move_element(call, route, Turn::Now)?.is_none() {
        call.reply.null();
    }
    Ok(())
}

/// Moves an element and answers with it; gives the position of its key, which is the only one, if there was one. A list
/// may be its own destination.
pub(super) fn move_element(
    call: &mut Call<'_, '_>,
    route: Route<'_>,
    turn: Turn<'_>,
) -> Result<Option<usize>, CommandError> {
    let db = call.db();
    let Route { source, destination, from, to } = route;
    let Some(list) = turn.list(call, 0, source)? else { return Ok(None) };
    // Why before anything is written: a failure must leave the source as it is.
    call.txn.peek_list(db, destination)?;
    let at = if from == End::Left { 0 } else { list.len() - 1 };
    let element = list.get(at).unwrap_or_default();
    call.txn.edit_list(db, source, |draft| {
        draft.splice(at, 1, &[]);
        if source == destination {
            draft.splice(if to == End::Left { 0 } else { draft.len() }, 0, &[element]);
        }
        Ok::<_, CommandError>(())
    })?;
    if source != destination {
        call.txn.edit_list(db, destination, |draft| {
            draft.splice(if to == End::Left { 0 } else { draft.len() }, 0, &[element]);
            Ok::<_, CommandError>(())
        })?;
    }
    call.notify(EventClass::LIST, to.push_event(), destination);
    call.notify(EventClass::LIST, from.pop_event(), source);
    if source != destination && list.len() == 1 {
        call.notify(EventClass::GENERIC, "del", source);
    }
    call.reply.bulk(element);
    Ok(Some(0))
}
