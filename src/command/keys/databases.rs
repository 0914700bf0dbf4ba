//! Whole databases: DBSIZE, RANDOMKEY, FLUSHDB, FLUSHALL, SWAPDB.

use crate::command::args::{database, integer, is};
use crate::command::call::{Call, CommandError};
use crate::engine::DbIndex;
use crate::resp::Args;

/// `DBSIZE`
///
/// # Errors
/// None.
pub fn dbsize(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let db = call.db();
    let count = call.txn.len(db);
    call.reply.int(count as i64);
    Ok(())
}

/// `RANDOMKEY`
///
/// # Errors
/// None.
pub fn randomkey(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let db = call.db();
    match call.txn.random_key(db) {
        Some(key) => call.reply.bulk(&key),
        None => call.reply.null(),
    }
    Ok(())
}

/// `FLUSHDB [ASYNC | SYNC]`
///
/// # Errors
/// Unknown options.
pub fn flushdb(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let db = call.db();
    flush(call, Some(db))
}

/// `FLUSHALL [ASYNC | SYNC]`
///
/// # Errors
/// Unknown options.
pub fn flushall(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    flush(call, None)
}

/// Empties at once, in either mode; the memory comes back in the background.
fn flush(call: &mut Call<'_, '_>, db: Option<DbIndex>) -> Result<(), CommandError> {
    check_flush_mode(call.args)?;
    call.txn.flush(db);
    call.reply.ok();
    Ok(())
}

fn check_flush_mode(args: Args<'_>) -> Result<(), CommandError> {
    match (args.len(), args.get(1)) {
        (_, None) => Ok(()),
        (2, Some(mode)) if is(mode, "ASYNC") || is(mode, "SYNC") => Ok(()),
        _ => Err(CommandError::Syntax),
    }
}

/// `SWAPDB index1 index2`
///
/// # Errors
/// Databases that do not exist.
pub fn swapdb(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let args = call.args;
    check_index(&args[1], "ERR invalid first DB index")?;
    check_index(&args[2], "ERR invalid second DB index")?;
    let databases = call.txn.databases();
    let (a, b) = (database(&args[1], databases)?, database(&args[2], databases)?);
    if a != b {
        call.txn.swap(a, b);
    }
    call.reply.ok();
    Ok(())
}

/// Refuses what is no 32-bit integer with a sentence that says which of the two is meant.
fn check_index(argument: &[u8], sentence: &'static str) -> Result<(), CommandError> {
    match integer(argument).map(i32::try_from) {
        Ok(Ok(_)) => Ok(()),
        _ => Err(CommandError::Text(sentence.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    #[test]
    fn flushing_takes_one_mode_at_most() {
        for (words, expected) in [
            ("FLUSHDB", Ok(())),
            ("FLUSHDB async", Ok(())),
            ("FLUSHDB SYNC", Ok(())),
            ("FLUSHDB SYNC SYNC", Err(CommandError::Syntax)),
            ("FLUSHDB now", Err(CommandError::Syntax)),
        ] {
            let request: OwnedRequest = words.split_whitespace().collect();
            assert_eq!(check_flush_mode(request.as_args()), expected, "{words}");
        }
    }
}
