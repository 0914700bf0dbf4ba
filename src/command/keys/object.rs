//! OBJECT: how a value is kept and how it is used.

use crate::command::call::{Call, CommandError};
use crate::engine::KeyInfo;
use crate::resp::ReplyBuf;
use crate::settings::EvictionPolicy;
use crate::store::version::{StringRef, ValueRef};

/// What Redis answers for an integer that it keeps one shared copy of.
const REFERENCES_SHARED: i64 = i32::MAX as i64;

/// Redis shares the integers from 0 up to this one, excluded. Nothing is shared here, but programs compare.
const SHARED_INTEGERS: i64 = 10_000;

const HELP: [&str; 15] = [
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
    "HELP",
    "    Print this help.",
];

/// `OBJECT ENCODING key`
///
/// # Errors
/// None.
pub fn encoding(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, |reply, info| {
        reply.bulk(info.encoding.as_bytes());
        Ok(())
    })
}

/// `OBJECT FREQ key`
///
/// # Errors
/// Where the policy of eviction counts no uses.
pub fn freq(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let counted = counts_uses(call.context.settings.maxmemory_policy());
    answer(call, |reply, info| {
        if !counted {
            return Err(CommandError::Text(
                "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
                 switching between policies at runtime LRU and LFU data will take some time to adjust."
                    .into(),
            ));
        }
        reply.int(i64::from(info.frequency));
        Ok(())
    })
}

/// `OBJECT IDLETIME key`
///
/// # Errors
/// Where the policy of eviction counts uses instead.
pub fn idletime(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let counted = counts_uses(call.context.settings.maxmemory_policy());
    answer(call, |reply, info| {
        if counted {
            return Err(CommandError::Text(
                "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching \
                 between policies at runtime LRU and LFU data will take some time to adjust."
                    .into(),
            ));
        }
        reply.int(info.idle_seconds as i64);
        Ok(())
    })
}

/// Whether keys are told apart by how often they are used, rather than by how long ago.
fn counts_uses(policy: EvictionPolicy) -> bool {
    matches!(policy, EvictionPolicy::VolatileLfu | EvictionPolicy::AllkeysLfu)
}

/// Answers what is known of the key, or a null.
fn answer(
    call: &mut Call<'_, '_>,
    told: impl FnOnce(&mut ReplyBuf, KeyInfo) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    if let Some(info) = call.txn.key_info(db, &args[2]) {
        return told(call.reply, info);
    }
    call.reply.null();
    Ok(())
}

/// `OBJECT REFCOUNT key`
///
/// # Errors
/// None.
pub fn refcount(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    match call.txn.peek(db, &args[2]) {
        Some(live) => call.reply.int(references(live.value)),
        None => call.reply.null(),
    }
    Ok(())
}

fn references(value: ValueRef<'_>) -> i64 {
    match value {
        ValueRef::String(StringRef::Int(number)) if (0..SHARED_INTEGERS).contains(&number) => {
            REFERENCES_SHARED
        }
        _ => 1,
    }
}

/// `OBJECT HELP`
///
/// # Errors
/// None.
pub fn help(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.reply.array(HELP.len());
    for line in HELP {
        call.reply.simple(line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_integers_look_shared_as_in_redis() {
        assert_eq!(references(ValueRef::String(StringRef::Int(0))), REFERENCES_SHARED);
        assert_eq!(references(ValueRef::String(StringRef::Int(9_999))), REFERENCES_SHARED);
        assert_eq!(references(ValueRef::String(StringRef::Int(10_000))), 1);
        assert_eq!(references(ValueRef::String(StringRef::Int(-1))), 1);
        assert_eq!(references(ValueRef::String(StringRef::Str(b"7 "))), 1);
    }
}
