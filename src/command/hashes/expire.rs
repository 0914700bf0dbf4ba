//! Changing when fields end: HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT, HPERSIST.

use crate::clock::Millis;
use crate::command::args::{TimeForm, is};
use crate::command::call::{Call, CommandError};
use crate::command::hashes::fields::{NO_NUMBER, end, named};
use crate::command::hashes::write::tell_deleted;
use crate::settings::EventClass;
use crate::store::value::draft::HashDraft;

/// When the end of a field is changed. Unlike EXPIRE's there is but one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Always,
    /// `NX`: only where there is none.
    Absent,
    /// `XX`: only where there is one.
    Present,
    /// `GT`: only to a later time.
    Greater,
    /// `LT`: only to an earlier time.
    Less,
}

impl Condition {
    /// What the word stands for; [`Condition::Always`] for any other.
    fn of(word: &[u8]) -> Self {
        let words = [("NX", Self::Absent), ("XX", Self::Present), ("GT", Self::Greater), ("LT", Self::Less)];
        let found = words.into_iter().find(|(name, _)| is(word, name));
        found.map_or(Self::Always, |(_, condition)| condition)
    }

    /// Whether an end may become `new`. A field without one ends later than any other.
    fn allows(self, current: Option<Millis>, new: Millis) -> bool {
        match self {
            Self::Always => true,
            Self::Absent => current.is_none(),
            Self::Present => current.is_some(),
            Self::Greater => current.is_some_and(|at| new > at),
            Self::Less => current.is_none_or(|at| new < at),
        }
    }
}

/// What became of one field; the number is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    NoField = -2,
    Refused = 0,
    Changed = 1,
    /// The time is past.
    Deleted = 2,
}

/// `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
///
/// # Errors
/// A time that is negative or too late, a number that is not that of the fields.
pub fn hexpire(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    change(call, TimeForm::Seconds, "hexpire")
}

/// `HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
///
/// # Errors
/// As [`hexpire`].
pub fn hpexpire(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    change(call, TimeForm::Millis, "hpexpire")
}

/// `HEXPIREAT key unix-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
///
/// # Errors
/// As [`hexpire`].
pub fn hexpireat(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    change(call, TimeForm::UnixSeconds, "hexpireat")
}

/// `HPEXPIREAT key unix-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
///
/// # Errors
/// As [`hexpire`].
pub fn hpexpireat(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    change(call, TimeForm::UnixMillis, "hpexpireat")
}

fn change(call: &mut Call<'_, '_>, form: TimeForm, command: &str) -> Result<(), CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    // Why first: Redis tells of another type before it looks at the arguments.
    call.txn.peek_hash(db, &args[1])?;
    let new = end(&args[2], form, now, command)?;
    let condition = Condition::of(&args[3]);
    let at = if condition == Condition::Always { 3 } else { 4 };
    let fields = named(args, at, "ERR Parameter `numFields` should be greater than 0")?;
    let Call { txn, reply, .. } = call;
    reply.array(fields.len());
    let (mut changed, mut deleted) = (false, false);
    let left = txn.edit_hash(db, &args[1], |hash| {
        for field in fields.iter() {
            let became = change_one(hash, field, condition, (new, now));
            changed |= became == Became::Changed;
            deleted |= became == Became::Deleted;
            reply.int(became as i64);
        }
        Ok::<_, CommandError>(!hash.is_empty())
    })?;
    if deleted {
        tell_deleted(call, left);
    } else if changed {
        call.notify(EventClass::HASH, "hexpire", &args[1]);
    }
    Ok(())
}

fn change_one(
    hash: &mut HashDraft<'_>,
    field: &[u8],
    condition: Condition,
    (new, now): (Millis, Millis),
) -> Became {
    let Some(found) = hash.get(field) else { return Became::NoField };
    if !condition.allows(found.expiry, new) {
        return Became::Refused;
    }
    if new <= now {
        hash.delete(field);
        return Became::Deleted;
    }
    hash.set_expiry(field, Some(new));
    Became::Changed
}

/// `HPERSIST key FIELDS numfields field [field ...]`
///
/// # Errors
/// A number that is not that of the fields.
pub fn hpersist(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    const NO_FIELD: i64 = -2;
    const NO_END: i64 = -1;
    const PERSISTED: i64 = 1;
    let (args, db) = (call.args, call.db());
    call.txn.peek_hash(db, &args[1])?;
    let fields = named(args, 2, NO_NUMBER)?;
    let Call { txn, reply, .. } = call;
    reply.array(fields.len());
    let changed = txn.edit_hash(db, &args[1], |hash| {
        let mut changed = false;
        for field in fields.iter() {
            let answer = match hash.get(field).map(|found| found.expiry) {
                None => NO_FIELD,
                Some(None) => NO_END,
                Some(Some(_)) => {
                    hash.set_expiry(field, None);
                    changed = true;
                    PERSISTED
                }
            };
            reply.int(answer);
        }
        Ok::<_, CommandError>(changed)
    })?;
    if changed {
        call.notify(EventClass::HASH, "hpersist", &args[1]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_without_expiry_ends_later_than_any_other() {
        for (word, current, new, expected) in [
            ("FIELDS", None, 5, true),
            ("nx", Some(100), 200, false),
            ("NX", None, 200, true),
            ("XX", Some(100), 50, true),
            ("XX", None, 200, false),
            ("GT", Some(100), 101, true),
            ("GT", Some(100), 100, false),
            ("GT", None, 200, false),
            ("lt", Some(100), 99, true),
            ("LT", Some(100), 100, false),
            ("LT", None, 10, true),
        ] {
            let allowed = Condition::of(word.as_bytes()).allows(current.map(Millis), Millis(new));
            assert_eq!(allowed, expected, "{word} {current:?} {new}");
        }
    }
}
