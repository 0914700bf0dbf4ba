//! Taking elements, waiting for them if need be: BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH.

use super::End;
use super::moves::{Route, move_element};
use super::pop::{Choice, take_from_first, take_one};
use crate::command::blocking::{Absent, Plan, Try, Turn, parse_timeout};
use crate::command::call::{Call, CommandError};
use crate::store::value::collection::Type;

/// `BLPOP key [key ...] timeout`
///
/// # Errors
/// Keys of another type before the first list, a timeout that is none.
pub fn blpop(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    pop(call, |call, turn| try_pop(call, turn, End::Left))
}

/// `BRPOP key [key ...] timeout`
///
/// # Errors
/// Keys of another type before the first list, a timeout that is none.
pub fn brpop(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    pop(call, |call, turn| try_pop(call, turn, End::Right))
}

fn pop(call: &mut Call<'_, '_>, try_once: Try) -> Result<(), CommandError> {
    let args = call.args;
    let last = args.len() - 1;
    let timeout = parse_timeout(&args[last])?;
    let keys = args.from(1).iter().take(last - 1);
    Plan { timeout, keys, of: Type::List, absent: Absent::NullArray, try_once }.run(call)
}

fn try_pop(call: &mut Call<'_, '_>, turn: Turn<'_>, end: End) -> Result<Option<usize>, CommandError> {
    let args = call.args;
    for (at, key) in args.from(1).iter().take(args.len() - 2).enumerate() {
        if let Some(list) = turn.list(call, at, key)? {
            call.reply.array(2);
            call.reply.bulk(key);
            take_one(call, key, list, end)?;
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// `BLMPOP timeout numkeys key [key ...] LEFT|RIGHT [COUNT count]`
///
/// # Errors
/// Keys of another type before the first list, options or a timeout that are none.
pub fn blmpop(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let args = call.args;
    let keys = Choice::parse(args.from(2))?.keys();
    let timeout = parse_timeout(&args[1])?;
    let try_once: Try = |call, turn| {
        let choice = Choice::parse(call.args.from(2))?;
        take_from_first(call, &choice, turn)
    };
    Plan { timeout, keys, of: Type::List, absent: Absent::NullArray, try_once }.run(call)
}

/// `BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout`
///
/// # Errors
/// Keys of another type, ends or a timeout that are none.
pub fn blmove(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let args = call.args;
    End::parse(&args[3])?;
    End::parse(&args[4])?;
    move_or_wait(call, &args[5], |call, turn| {
        let args = call.args;
        let (from, to) = (End::parse(&args[3])?, End::parse(&args[4])?);
        move_element(call, Route { source: &args[1], destination: &args[2], from, to }, turn)
    })
}

/// `BRPOPLPUSH source destination timeout`
///
/// # Errors
/// Keys of another type, a timeout that is none.
pub fn brpoplpush(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let args = call.args;
    move_or_wait(call, &args[3], |call, turn| {
        let args = call.args;
        let route = Route { source: &args[1], destination: &args[2], from: End::Right, to: End::Left };
        move_element(call, route, turn)
    })
}

fn move_or_wait(call: &mut Call<'_, '_>, timeout: &[u8], try_once: Try) -> Result<(), CommandError> {
    let timeout = parse_timeout(timeout)?;
    let keys = call.args.from(1).iter().take(1);
    Plan { timeout, keys, of: Type::List, absent: Absent::Null, try_once }.run(call)
}
