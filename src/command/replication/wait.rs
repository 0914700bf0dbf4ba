//! WAIT and WAITAOF: until what this connection has written last is elsewhere too.

use std::time::Duration;

use super::patience::{Patience, Until};
use crate::clock::Millis;
use crate::command::args::integer;
use crate::command::call::{Call, CommandError, Later};
use crate::resp::number::parse_i64;

const WAIT_ON_REPLICA: &str = "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 \
                               if a replica is configured to be writable (which is not the default) writes to \
                               replicas are just local and are not propagated.";
const WAITAOF_ON_REPLICA: &str = "ERR WAITAOF cannot be used with replica instances. Please also note that writes to \
                                  replicas are just local and are not propagated.";
const NO_FILES: &str = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";

/// WAIT numreplicas timeout
pub(super) fn wait(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    if call.context.engine().follows() {
        return Err(CommandError::Text(WAIT_ON_REPLICA.into()));
    }
    // Why not refused below 0, as nowhere in Redis: it is reached at once.
    let replicas = usize::try_from(integer(&call.args[1])?).unwrap_or(0);
    let timeout = millis(&call.args[2])?;
    let until = Until::Applied { written: call.session.token(&call.context.engine()), replicas };
    answer_or_wait(call, Patience::new(until, timeout));
    Ok(())
}

/// WAITAOF numlocal numreplicas timeout
pub(super) fn waitaof(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let text = |text: &'static str| CommandError::Text(text.into());
    let here = match integer(&call.args[1])? {
        0 => false,
        1 => true,
        _ => return Err(text("ERR value is out of range, must be between 0 and 1")),
    };
    let replicas = parse_i64(&call.args[2]).and_then(|count| usize::try_from(count).ok());
    let replicas = replicas.ok_or(text("ERR value is out of range, must be positive"))?;
    let timeout = millis(&call.args[3])?;
    if call.context.engine().follows() {
        return Err(text(WAITAOF_ON_REPLICA));
    }
    if here && !call.context.engine().is_persistent() {
        return Err(text(NO_FILES));
    }
    let until = Until::Durable { written: call.session.token(&call.context.engine()), here, replicas };
    answer_or_wait(call, Patience::new(until, timeout));
    Ok(())
}

/// Answers at once where there is nothing to wait for, or inside a transaction, where nothing waits.
pub(super) fn answer_or_wait(call: &mut Call<'_, '_>, patience: Patience) {
    if call.session.in_exec() || patience.is_reached(call.context) {
        patience.answer(call.context, call.reply);
    } else {
        call.later = Some(Later::Patience(Box::new(patience)));
    }
}

/// Reads a time in milliseconds; none for 0, which is for ever.
pub(super) fn millis(text: &[u8]) -> Result<Option<Duration>, CommandError> {
    let error = |text: &'static str| CommandError::Text(text.into());
    let millis = parse_i64(text).ok_or(error("ERR timeout is not an integer or out of range"))?;
    let millis = u64::try_from(millis).map_err(|_| error("ERR timeout is negative"))?;
    // Why: Redis counts from 1970 in the same 63 bits.
    if millis > i64::MAX as u64 - Millis::now().0 {
        return Err(error("ERR timeout is out of range"));
    }
    Ok((millis > 0).then(|| Duration::from_millis(millis)))
}
