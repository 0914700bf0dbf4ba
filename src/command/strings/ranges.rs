//! Parts of strings: APPEND, SETRANGE, GETRANGE and its old name SUBSTR.

use std::ops::Range;

use crate::command::args::integer;
use crate::command::call::{Call, CommandError};
use crate::command::context::Context;
use crate::resp::ReplyBuf;
use crate::settings::EventClass;
use crate::store::version::{StringRef, Value};

/// `APPEND key value`
///
/// # Errors
/// A result beyond `proto-max-bulk-len`.
pub fn append(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (key, suffix) = (&args[1], &args[2]);
    let len = if let Some(live) = call.txn.peek_string(db, key)? {
        check_len(call.context, live.value.len(), suffix.len())?;
        call.txn.append(db, key, suffix)?
    } else {
        call.txn.put(db, key, Value::Str(suffix), None);
        suffix.len()
    };
    call.notify(EventClass::STRING, "append", key);
    call.reply.int(len as i64);
    Ok(())
}

/// `SETRANGE key offset value`; an empty value changes nothing and makes no key.
///
/// # Errors
/// An offset that is none; a result beyond `proto-max-bulk-len`.
pub fn setrange(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (key, patch) = (&args[1], &args[3]);
    let offset = usize::try_from(integer(&args[2])?)
        .map_err(|_| CommandError::Text("ERR offset is out of range".into()))?;
    let len = if patch.is_empty() {
        call.txn.peek_string(db, key)?.map_or(0, |live| live.value.len())
    } else {
        if let Err(error) = check_len(call.context, offset, patch.len()) {
            // Why: Redis tells first that the key holds no string.
            call.txn.peek_string(db, key)?;
            return Err(error);
        }
        let len = call.txn.set_range(db, key, offset, patch)?;
        call.notify(EventClass::STRING, "setrange", key);
        len
    };
    call.reply.int(len as i64);
    Ok(())
}

/// Refuses a string of two parts that together are longer than strings may be.
fn check_len(context: &Context, first: usize, second: usize) -> Result<(), CommandError> {
    match first.checked_add(second) {
        Some(len) if len as u64 <= context.settings.proto_max_bulk_len() => Ok(()),
        _ => Err(CommandError::StringTooLong),
    }
}

/// `GETRANGE key start end`, and `SUBSTR`
///
/// # Errors
/// A place that is no integer.
pub fn getrange(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (start, end) = (integer(&args[2])?, integer(&args[3])?);
    match call.txn.get_string(db, &args[1])? {
        Some(live) => answer_part(call.reply, live.value, start, end),
        None => call.reply.bulk(b""),
    }
    Ok(())
}

/// Answers part of a string; a long part of a long string is not copied.
fn answer_part(reply: &mut ReplyBuf, value: StringRef<'_>, start: i64, end: i64) {
    if let StringRef::Shared(bytes) = value {
        return reply.bulk_shared(bytes.slice(part(bytes.len(), start, end)));
    }
    let mut digits = itoa::Buffer::new();
    let bytes = value.bytes(&mut digits);
    reply.bulk(&bytes[part(bytes.len(), start, end)]);
}

/// The bytes from `start` to `end`, both included and both counted from the end where negative, as far as a string
/// of `len` bytes has them.
fn part(len: usize, start: i64, end: i64) -> Range<usize> {
    // Why: before both are moved into the string, or the first byte would be between two places in front of it.
    if start < 0 && end < 0 && start > end {
        return 0..0;
    }
    let from_front = |place: i64| match usize::try_from(place) {
        Ok(place) => place,
        Err(_) => len.saturating_sub(place.unsigned_abs() as usize),
    };
    let (start, end) = (from_front(start), from_front(end).saturating_add(1).min(len));
    if start < end { start..end } else { 0..0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn places_are_counted_from_either_end() {
        let text = b"Hello World";
        for (start, end, expected) in [
            (0, 3, "Hell"),
            (0, -1, "Hello World"),
            (-4, -1, "orld"),
            (5, 3, ""),
            (5, 5000, " World"),
            (-5000, 10000, "Hello World"),
            (-1, -3, ""),
            (-100, -50, "H"),
            (-50, -100, ""),
            (11, 20, ""),
            (0, i64::MAX, "Hello World"),
            (i64::MIN, i64::MAX, "Hello World"),
            (i64::MAX, i64::MIN, ""),
        ] {
            assert_eq!(&text[part(text.len(), start, end)], expected.as_bytes(), "{start} {end}");
        }
        assert_eq!(part(0, 0, -1), 0..0);
    }

    quickcheck! {
        fn a_part_holds_exactly_the_bytes_between_its_ends(len: u8, start: i16, end: i16) -> bool {
            let (len, start, end) = (i64::from(len), i64::from(start), i64::from(end));
            if start < 0 && end < 0 && start > end {
                return part(len as usize, start, end).is_empty();
            }
            let place = |at: i64| if at < 0 { (len + at).max(0) } else { at };
            let expected: Vec<usize> =
                (0..len).filter(|at| (place(start)..=place(end)).contains(at)).map(|at| at as usize).collect();
            part(len as usize, start, end).collect::<Vec<_>>() == expected
        }
    }
}
