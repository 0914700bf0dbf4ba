//! Reading fields and changing them on the way: HGETDEL, HGETEX.

use crate::clock::Millis;
use crate::command::args::{TimeForm, is};
use crate::command::call::{Call, CommandError};
use crate::command::hashes::fields::{NO_NUMBER, end, named};
use crate::command::hashes::read::answer;
use crate::command::hashes::write::tell_deleted;
use crate::resp::Args;
use crate::settings::EventClass;
use crate::store::value::draft::HashDraft;

/// `HGETDEL key FIELDS numfields field [field ...]`
///
/// # Errors
/// A number that is not that of the fields.
pub fn hgetdel(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    call.txn.get_hash(db, &args[1])?;
    let fields = named(args, 2, NO_NUMBER)?;
    let Call { txn, reply, .. } = call;
    reply.array(fields.len());
    let (deleted, left) = txn.edit_hash(db, &args[1], |hash| {
        let mut deleted = false;
        for field in fields.iter() {
            answer(reply, hash.get(field));
            deleted |= hash.delete(field);
        }
        Ok::<_, CommandError>((deleted, !hash.is_empty()))
    })?;
    if deleted {
        tell_deleted(call, left);
    }
    Ok(())
}

/// What HGETEX makes of the ends of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    None,
    Persist,
    To(Millis),
}

impl Change {
    /// Reads what may stand before the word FIELDS; tells where that is to be.
    fn parse(args: Args<'_>, now: Millis) -> Result<(Self, usize), CommandError> {
        let word = &args[2];
        if let Some(form) = TimeForm::of_option(word) {
            return Ok((Self::To(end(&args[3], form, now, "hgetex")?), 4));
        }
        Ok(if is(word, "PERSIST") { (Self::Persist, 3) } else { (Self::None, 2) })
    }
}

/// What was done to the fields.
#[derive(Clone, Copy, Debug, Default)]
struct Done {
    changed: bool,
    deleted: bool,
}

/// `HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS numfields field [field ...]`; without an option it
/// writes nothing.
///
/// # Errors
/// An invalid time, a number that is not that of the fields.
pub fn hgetex(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    call.txn.get_hash(db, &args[1])?;
    let (change, at) = Change::parse(args, now)?;
    let fields = named(args, at, NO_NUMBER)?;
    let Call { txn, reply, .. } = call;
    reply.array(fields.len());
    let (done, left) = txn.edit_hash(db, &args[1], |hash| {
        let mut done = Done::default();
        for field in fields.iter() {
            answer(reply, hash.get(field));
            change_one(hash, field, (change, now), &mut done);
        }
        Ok::<_, CommandError>((done, !hash.is_empty()))
    })?;
    if done.deleted {
        tell_deleted(call, left);
    } else if done.changed {
        let event = if change == Change::Persist { "hpersist" } else { "hexpire" };
        call.notify(EventClass::HASH, event, &args[1]);
    }
    Ok(())
}

fn change_one(hash: &mut HashDraft<'_>, field: &[u8], (change, now): (Change, Millis), done: &mut Done) {
    match change {
        Change::None => {}
        Change::Persist => {
            let ends = hash.get(field).is_some_and(|found| found.expiry.is_some());
            done.changed |= ends && hash.set_expiry(field, None);
        }
        Change::To(at) if at <= now => done.deleted |= hash.delete(field),
        Change::To(at) => done.changed |= hash.set_expiry(field, Some(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    #[test]
    fn an_option_moves_the_word_fields() {
        let parsed = |words: &str| {
            let request: OwnedRequest = words.split_whitespace().collect();
            Change::parse(request.as_args(), Millis(1000)).map_err(|error| error.to_string())
        };
        assert_eq!(parsed("HGETEX h FIELDS 1 a"), Ok((Change::None, 2)));
        assert_eq!(parsed("HGETEX h persist FIELDS 1 a"), Ok((Change::Persist, 3)));
        assert_eq!(parsed("HGETEX h px 5 FIELDS 1 a"), Ok((Change::To(Millis(1005)), 4)));
        assert_eq!(parsed("HGETEX h EX x FIELDS 1 a"), Err(CommandError::NotInteger.to_string()));
        assert_eq!(parsed("HGETEX h KEEPTTL 1 a"), Ok((Change::None, 2)), "refused for want of FIELDS");
    }
}
