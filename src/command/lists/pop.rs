//! Taking elements: LPOP, RPOP, LMPOP.

use super::{End, at_least};
use crate::command::args::{Options, is};
use crate::command::blocking::Turn;
use crate::command::call::{Call, CommandError};
use crate::resp::Args;
use crate::settings::EventClass;
use crate::store::value::collection::ListRef;

/// `LPOP key [count]`
///
/// # Errors
/// A key of another type, a count that is none.
#[inline]
pub fn lpop(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    pop(call, End::Left, "lpop")
}

/// `RPOP key [count]`
///
/// # Errors
/// A key of another type, a count that is none.
#[inline]
pub fn rpop(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    pop(call, End::Right, "rpop")
}

fn pop(call: &mut Call<'_, '_>, end: End, name: &str) -> Result<(), CommandError> {
    const NO_COUNT: &str = "ERR value is out of range, must be positive";
    let (args, db) = (call.args, call.db());
    if args.len() > 3 {
        return Err(CommandError::Arity(name.to_owned()));
    }
    let count = args.get(2).map(|count| at_least(count, 0, NO_COUNT)).transpose()?;
    match (call.txn.peek_list(db, &args[1])?, count) {
        (None, None) => call.reply.null(),
        (None, Some(_)) => call.reply.null_array(),
        (Some(_), Some(0)) => call.reply.array(0),
        (Some(list), Some(count)) => take(call, &args[1], list, end, count)?,
        (Some(list), None) => take_one(call, &args[1], list, end)?,
    }
    Ok(())
}

/// Answers with the element at an end and removes it.
pub(super) fn take_one(
    call: &mut Call<'_, '_>,
    key: &[u8],
    list: ListRef<'_>,
    end: End,
) -> Result<(), CommandError> {
    let at = if end == End::Left { 0 } else { list.len() - 1 };
    call.reply.bulk(list.get(at).unwrap_or_default());
    remove(call, key, list, end, 1)
}

/// Answers with an array of up to `count` elements from an end, that at the end first, and removes them.
fn take(
    call: &mut Call<'_, '_>,
    key: &[u8],
    list: ListRef<'_>,
    end: End,
    count: u64,
) -> Result<(), CommandError> {
    let count = count.min(list.len());
    call.reply.array(count as usize);
    match end {
        End::Left => list.forward(0).take(count as usize).for_each(|element| call.reply.bulk(element)),
        End::Right => {
            list.backward(list.len()).take(count as usize).for_each(|element| call.reply.bulk(element));
        }
    }
    remove(call, key, list, end, count)
}

/// Removes `count` elements from an end of a list that has so many.
fn remove(
    call: &mut Call<'_, '_>,
    key: &[u8],
    list: ListRef<'_>,
    end: End,
    count: u64,
) -> Result<(), CommandError> {
    let db = call.db();
    let at = if end == End::Left { 0 } else { list.len() - count };
    call.txn.edit_list(db, key, |draft| {
        draft.splice(at, count, &[]);
        Ok::<_, CommandError>(())
    })?;
    call.notify(EventClass::LIST, end.pop_event(), key);
    if count == list.len() {
        call.notify(EventClass::GENERIC, "del", key);
    }
    Ok(())
}

/// What LMPOP and BLMPOP are to do.
pub(super) struct Choice<'a> {
    /// The number of keys, the keys, and what follows them.
    args: Args<'a>,
    /// How many keys there are.
    keys: usize,
    /// From which end is taken.
    end: End,
    /// How many elements are taken at most.
    count: u64,
}

impl<'a> Choice<'a> {
    /// Reads `numkeys key [key ...] LEFT|RIGHT [COUNT count]`.
    pub(super) fn parse(args: Args<'a>) -> Result<Self, CommandError> {
        let keys = at_least(&args[0], 1, "ERR numkeys should be greater than 0")?;
        let keys = usize::try_from(keys).ok().filter(|keys| *keys < args.len() - 1);
        let keys = keys.ok_or(CommandError::Syntax)?;
        let end = End::parse(&args[keys + 1])?;
        let mut count = None;
        let mut options = Options::new(args, keys + 2);
        while let Some(word) = options.next() {
            if !is(word, "COUNT") || count.is_some() {
                return Err(CommandError::Syntax);
            }
            count = Some(at_least(options.value()?, 1, "ERR count should be greater than 0")?);
        }
        Ok(Self { args, keys, end, count: count.unwrap_or(1) })
    }

    /// The keys: the first that has a list is taken from.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.args.from(1).iter().take(self.keys)
    }
}

/// `LMPOP numkeys key [key ...] LEFT|RIGHT [COUNT count]`
///
/// # Errors
/// Unknown options, keys of another type before the first list.
pub fn lmpop(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let choice = Choice::parse(call.args.from(1))?;
    if take_from_first(call, &choice, Turn::Now)?.is_none() {
        call.reply.null_array();
    }
    Ok(())
}

/// Answers with the key and elements of the first list among several, and removes these; gives the key's position.
pub(super) fn take_from_first(
    call: &mut Call<'_, '_>,
    choice: &Choice<'_>,
    turn: Turn<'_>,
) -> Result<Option<usize>, CommandError> {
    for (at, key) in choice.keys().enumerate() {
        if let Some(list) = turn.list(call, at, key)? {
            call.reply.array(2);
            call.reply.bulk(key);
            take(call, key, list, choice.end, choice.count)?;
            return Ok(Some(at));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    #[test]
    fn keys_are_counted_and_what_follows_them_is_checked() {
        let parsed = |words: &str| {
            let request: OwnedRequest = words.split(' ').collect();
            let choice = Choice::parse(request.as_args())?;
            let keys: Vec<_> = choice.keys().map(|key| String::from_utf8_lossy(key).into_owned()).collect();
            Ok((keys.join(" "), choice.end, choice.count))
        };
        assert_eq!(parsed("1 a LEFT"), Ok(("a".to_owned(), End::Left, 1)));
        assert_eq!(parsed("2 left right right count 7"), Ok(("left right".to_owned(), End::Right, 7)));
        for words in ["2 a LEFT", "1 a", "1 LEFT", "1 a b LEFT", "1 a LEFT 3", "1 a LEFT COUNT"] {
            assert_eq!(parsed(words), Err(CommandError::Syntax), "{words}");
        }
        assert_eq!(parsed("1 a LEFT COUNT 1 COUNT 1"), Err(CommandError::Syntax));
        assert_eq!(parsed("9223372036854775807 a LEFT"), Err(CommandError::Syntax));
        let text = |text: &'static str| Err(CommandError::Text(text.into()));
        assert_eq!(parsed("0 a LEFT"), text("ERR numkeys should be greater than 0"));
        assert_eq!(parsed("x a LEFT"), text("ERR numkeys should be greater than 0"));
        assert_eq!(parsed("1 a LEFT COUNT 0"), text("ERR count should be greater than 0"));
    }
}
