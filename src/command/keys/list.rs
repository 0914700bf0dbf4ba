//! KEYS: every key that matches a pattern.
//!
//! What it costs follows from the pattern. One without special bytes is a lookup. One with a literal prefix seeks to
//! it in key order and costs what lies there. Only what is not answered within `VISITS_MAX` keys (and everything
//! without a prefix) walks the database, on a thread that may block and in slices that hold nothing for long: like
//! every walk it then misses no key that stays, and may or may not show one that comes or goes meanwhile.

use crate::command::call::{Call, CommandError, Later};
use crate::command::keys::filter::{Found, Pattern};
use crate::engine::DbIndex;

/// Keys that are visited where commands run, at well under a microsecond each.
const VISITS_MAX: usize = 10_000;

/// `KEYS pattern`
///
/// # Errors
/// None.
pub fn keys(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let pattern = Pattern::new(&args[1]);
    let mut found = Found::default();
    let complete = if let Some(key) = pattern.only_match() {
        if call.txn.peek(db, key).is_some() {
            found.add(key);
        }
        true
    } else if call.session.in_exec() {
        // Why: a transaction answers with one state, so there is no leaving it for another thread.
        collect(call, pattern, usize::MAX, &mut found)
    } else {
        !pattern.prefix().is_empty() && collect(call, pattern, VISITS_MAX, &mut found)
    };
    if complete {
        found.answer(call.reply);
    } else {
        call.later = Some(walk(db, args[1].to_vec()));
    }
    Ok(())
}

/// Adds the matches in key order; tells whether it came to the end within `visits_max` keys.
fn collect(call: &mut Call<'_, '_>, pattern: Pattern<'_>, visits_max: usize, found: &mut Found) -> bool {
    let db = call.db();
    call.txn.keys(db, &pattern.prefix(), visits_max, &mut |key, _| {
        if pattern.matches(key) {
            found.add(key);
        }
        true
    })
}

/// The walk through the whole database, or all that begins with the pattern's prefix.
fn walk(db: DbIndex, pattern: Vec<u8>) -> Later {
    Later::Blocking(Box::new(move |context, reply| {
        let pattern = Pattern::new(&pattern);
        let mut found = Found::default();
        context.engine().walk_keys(db, &pattern.prefix(), &mut |key| {
            if pattern.matches(key) {
                found.add(key);
            }
            true
        });
        found.answer(reply);
    }))
}
