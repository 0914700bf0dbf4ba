//! RESTORE: a key from the bytes that DUMP wrote, here or in Redis or Valkey.

use crate::clock::Millis;
use crate::command::args::{Options, integer, is};
use crate::command::call::{Call, CommandError};
use crate::command::context::Context;
use crate::command::transfer::portable::import;
use crate::engine::Use;
use crate::rdb;
use crate::resp::Args;
use crate::settings::EventClass;

/// What may follow the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Query {
    /// Whether the key may be there.
    replace: bool,
    /// Whether the time is one since the Unix epoch.
    absolute: bool,
    /// How the key was used before.
    used: Option<Use>,
}

fn text(message: &'static str) -> CommandError {
    CommandError::Text(message.into())
}

impl Query {
    fn parse(args: Args<'_>) -> Result<Self, CommandError> {
        let mut query = Self::default();
        let mut options = Options::new(args, 4);
        while let Some(word) = options.next() {
            if is(word, "REPLACE") {
                query.replace = true;
            } else if is(word, "ABSTTL") {
                query.absolute = true;
            } else if is(word, "IDLETIME") && !matches!(query.used, Some(Use::Frequency(_))) {
                let seconds = u64::try_from(integer(options.value()?)?);
                let seconds = seconds.map_err(|_| text("ERR Invalid IDLETIME value, must be >= 0"))?;
                query.used = Some(Use::IdleSeconds(seconds));
            } else if is(word, "FREQ") && !matches!(query.used, Some(Use::IdleSeconds(_))) {
                let frequency = u8::try_from(integer(options.value()?)?);
                let frequency =
                    frequency.map_err(|_| text("ERR Invalid FREQ value, must be >= 0 and <= 255"))?;
                query.used = Some(Use::Frequency(frequency));
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(query)
    }

    /// When the key ends, of a time as it was sent, of which 0 means never.
    fn end(self, ttl: i64, now: Millis) -> Option<Millis> {
        let base = if self.absolute { 0 } else { now.0 };
        (ttl > 0).then(|| Millis(base.saturating_add(ttl.unsigned_abs())))
    }
}

/// `RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`
///
/// # Errors
/// Unknown options, a key that is there, a time that is none, a payload that was damaged or means nothing here.
pub fn restore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    let (key, query) = (&args[1], Query::parse(args)?);
    if !query.replace && call.txn.peek(db, key).is_some() {
        return Err(text("BUSYKEY Target key name already exists."));
    }
    let ttl = integer(&args[2])?;
    if ttl < 0 {
        return Err(text("ERR Invalid TTL value, must be >= 0"));
    }
    let value = rdb::restore(&args[3], &limits(call.context)).map_err(|error| match error {
        rdb::Error::Trailer(_) => text("ERR DUMP payload version or checksum are wrong"),
        rdb::Error::Unsupported { .. } | rdb::Error::Malformed { .. } => text("ERR Bad data format"),
    })?;
    let end = query.end(ttl, now);
    let was_there = call.txn.peek(db, key).is_some();
    if end.is_some_and(|end| end <= now) {
        call.txn.delete(db, key);
    } else {
        import(call.txn, (db, key), &value, end);
    }
    if call.txn.peek(db, key).is_some() {
        if let Some(used) = query.used {
            call.txn.set_use(db, key, used);
        }
        call.notify(EventClass::GENERIC, "restore", key);
    } else if was_there {
        call.notify(EventClass::GENERIC, "del", key);
    }
    call.reply.ok();
    Ok(())
}

/// How much a payload may become: a string as long as any, and all that is compressed in it twice that.
fn limits(context: &Context) -> rdb::Limits {
    let longest = usize::try_from(context.settings.proto_max_bulk_len()).unwrap_or(usize::MAX);
    rdb::Limits { string_bytes_max: longest, unpacked_bytes_max: longest.saturating_mul(2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    fn parsed(options: &str) -> Result<Query, String> {
        let request: OwnedRequest = format!("RESTORE key 0 payload {options}").split_whitespace().collect();
        Query::parse(request.as_args()).map_err(|error| error.to_string())
    }

    #[test]
    fn options_come_in_any_order() {
        let query = parsed("freq 255 ABSTTL replace FREQ 7").expect("valid");
        assert_eq!(query, Query { replace: true, absolute: true, used: Some(Use::Frequency(7)) });
        assert_eq!(parsed("IDLETIME 9").expect("valid").used, Some(Use::IdleSeconds(9)));
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        for (options, error) in [
            ("IDLETIME -1", "ERR Invalid IDLETIME value, must be >= 0"),
            ("FREQ -1", "ERR Invalid FREQ value, must be >= 0 and <= 255"),
            ("FREQ 256", "ERR Invalid FREQ value, must be >= 0 and <= 255"),
            ("FREQ x", "ERR value is not an integer or out of range"),
            ("FREQ 1 IDLETIME 1", "ERR syntax error"),
            ("IDLETIME 1 FREQ 1", "ERR syntax error"),
            ("IDLETIME", "ERR syntax error"),
            ("KEEPTTL", "ERR syntax error"),
        ] {
            assert_eq!(parsed(options), Err(error.to_owned()), "{options}");
        }
    }

    #[test]
    fn times_are_from_now_unless_they_are_absolute() {
        let now = Millis(1000);
        let (from_now, absolute) = (Query::default(), Query { absolute: true, ..Query::default() });
        assert_eq!(from_now.end(0, now), None);
        assert_eq!(from_now.end(5, now), Some(Millis(1005)));
        assert_eq!(absolute.end(5, now), Some(Millis(5)));
        assert_eq!(absolute.end(0, now), None);
    }
}
