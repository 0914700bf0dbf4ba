//! HSETEX: setting fields on conditions, and with an end.

use crate::clock::Millis;
use crate::command::args::{TimeForm, is};
use crate::command::call::{Call, CommandError};
use crate::command::hashes::fields::end;
use crate::command::hashes::write::pairs;
use crate::resp::Args;
use crate::resp::number::parse_i64;
use crate::settings::EventClass;
use crate::store::value::draft::HashDraft;

/// When the fields are set: all of them, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Always,
    /// `FNX`: only if none is there.
    Absent,
    /// `FXX`: only if all are there.
    Present,
}

/// What becomes of the ends of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expiry {
    Clear,
    /// `KEEPTTL`.
    Keep,
    To(Millis),
}

#[derive(Clone, Copy, Debug)]
struct Query<'a> {
    condition: Condition,
    expiry: Expiry,
    /// Fields and values in turn.
    data: Args<'a>,
}

fn text(message: &'static str) -> CommandError {
    CommandError::Text(message.into())
}

impl<'a> Query<'a> {
    fn parse(args: Args<'a>, now: Millis) -> Result<Self, CommandError> {
        let mut condition = Condition::Always;
        let mut expiry = Expiry::Clear;
        let mut at = 2;
        while let Some(word) = args.get(at) {
            at += 1;
            if is(word, "FIELDS") {
                return Ok(Self { condition, expiry, data: data(args, at)? });
            }
            let form = TimeForm::of_option(word);
            if form.is_some() || is(word, "KEEPTTL") {
                if expiry != Expiry::Clear {
                    return Err(text(
                        "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
                    ));
                }
                expiry = Expiry::Keep;
                if let Some(form) = form {
                    let time = args.get(at).ok_or(text("ERR missing expire time"))?;
                    expiry = Expiry::To(end(time, form, now, "hsetex")?);
                    at += 1;
                }
            } else if is(word, "FNX") || is(word, "FXX") {
                if condition != Condition::Always {
                    return Err(text("ERR Only one of FXX or FNX arguments can be specified"));
                }
                condition = if is(word, "FNX") { Condition::Absent } else { Condition::Present };
            } else {
                let word = String::from_utf8_lossy(word);
                return Err(CommandError::Text(format!("ERR unknown argument: {word}").into()));
            }
        }
        Err(arity())
    }

    /// Whether the condition holds.
    fn holds(&self, hash: &HashDraft<'_>) -> bool {
        let mut fields = pairs(self.data).map(|(field, _)| hash.get(field).is_some());
        match self.condition {
            Condition::Always => true,
            Condition::Absent => !fields.any(|is_there| is_there),
            Condition::Present => fields.all(|is_there| is_there),
        }
    }
}

fn arity() -> CommandError {
    CommandError::Arity("hsetex".to_owned())
}

/// The fields and values behind their number, which is at `at`.
fn data(args: Args<'_>, at: usize) -> Result<Args<'_>, CommandError> {
    if args.len() < at + 3 {
        return Err(arity());
    }
    let number = parse_i64(&args[at]).and_then(|number| u32::try_from(number).ok());
    let number = number.filter(|number| (1..=i32::MAX.unsigned_abs()).contains(number));
    let number = number.ok_or(text("ERR invalid number of fields"))?;
    let data = args.from(at + 1);
    if data.len() as u64 != 2 * u64::from(number) {
        return Err(arity());
    }
    Ok(data)
}

/// `HSETEX key [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] FIELDS numfields field value [field value ...]`
///
/// # Errors
/// Options that are unknown or do not go together, an invalid time, a number that is not that of the fields.
pub fn hsetex(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    let query = Query::parse(args, now)?;
    let (set, left) = call.txn.edit_hash(db, &args[1], |hash| {
        let holds = query.holds(hash);
        if holds {
            set_all(hash, query, now);
        }
        Ok::<_, CommandError>((holds, !hash.is_empty()))
    })?;
    if set {
        call.notify(EventClass::HASH, "hset", &args[1]);
        match query.expiry {
            Expiry::To(at) if at <= now => call.notify(EventClass::HASH, "hdel", &args[1]),
            Expiry::To(_) => call.notify(EventClass::HASH, "hexpire", &args[1]),
            Expiry::Clear | Expiry::Keep => {}
        }
        if !left {
            call.notify(EventClass::GENERIC, "del", &args[1]);
        }
    }
    call.reply.int(i64::from(set));
    Ok(())
}

fn set_all(hash: &mut HashDraft<'_>, query: Query<'_>, now: Millis) {
    for (field, value) in pairs(query.data) {
        let expiry = match query.expiry {
            Expiry::Clear => None,
            Expiry::Keep => hash.get(field).and_then(|found| found.expiry),
            Expiry::To(at) => Some(at),
        };
        if expiry.is_some_and(|at| at <= now) {
            hash.delete(field);
        } else {
            hash.set(field, value, expiry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    fn parsed(words: &str) -> Result<(Condition, Expiry, usize), String> {
        let request: OwnedRequest = words.split_whitespace().collect();
        let query = Query::parse(request.as_args(), Millis(1000));
        query
            .map(|query| (query.condition, query.expiry, query.data.len()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn options_come_in_any_order() {
        assert_eq!(parsed("HSETEX h FIELDS 1 a b"), Ok((Condition::Always, Expiry::Clear, 2)));
        let both = Ok((Condition::Absent, Expiry::To(Millis(3000)), 4));
        assert_eq!(parsed("HSETEX h fnx EX 2 fields 2 a b c d"), both);
        assert_eq!(parsed("HSETEX h EX 2 FNX FIELDS 2 a b c d"), both);
        assert_eq!(parsed("HSETEX h FXX KEEPTTL FIELDS 1 a b"), Ok((Condition::Present, Expiry::Keep, 2)));
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let one_end = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
        let one_condition = "ERR Only one of FXX or FNX arguments can be specified";
        let arity = "ERR wrong number of arguments for 'hsetex' command";
        for (words, error) in [
            ("EX 1 PX 1 FIELDS 1 a b", one_end),
            ("KEEPTTL KEEPTTL FIELDS 1 a b", one_end),
            ("FNX FXX FIELDS 1 a b", one_condition),
            ("FXX FXX FIELDS 1 a b", one_condition),
            ("NX FIELDS 1 a b", "ERR unknown argument: NX"),
            ("EX -1 FIELDS 1 a b", "ERR invalid expire time, must be >= 0"),
            ("FNX FXX", one_condition),
            ("FNX KEEPTTL EX", one_end),
            ("FNX EXAT", "ERR missing expire time"),
            ("FNX KEEPTTL", arity),
            ("FIELDS 0 a b", "ERR invalid number of fields"),
            ("FIELDS 2147483648 a b", "ERR invalid number of fields"),
            ("FIELDS 1 a", arity),
            ("FIELDS 1 a b c", arity),
            ("FIELDS 1 a b c d", arity),
            ("FIELDS 2 a b", arity),
        ] {
            assert_eq!(parsed(&format!("HSETEX h {words}")), Err(error.to_owned()), "{words}");
        }
    }
}
