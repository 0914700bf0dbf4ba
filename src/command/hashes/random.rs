//! HRANDFIELD: fields drawn at random.

use std::collections::HashSet;

use crate::clock::Millis;
use crate::command::args::{integer, is};
use crate::command::call::{Call, CommandError};
use crate::resp::{Args, Protocol, ReplyBuf};
use crate::store::value::collection::HashRef;
use crate::store::value::form::FieldRef;

/// How long one reply may become: a negative count asks for as many fields as it says, however few there are.
const REPLY_BYTES_MAX: usize = 512 << 20;

/// How many fields are to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Draw {
    /// So many, each at most once.
    Distinct(u64),
    /// So many, each from all of them.
    Repeated(u64),
}

/// Reads what follows the key: how many to draw, and whether with their values.
fn parse(args: Args<'_>) -> Result<(Draw, bool), CommandError> {
    let out_of_range = |max: i64| {
        CommandError::Text(format!("ERR value is out of range, value must between {} and {max}", -max).into())
    };
    let count = integer(&args[2])?;
    if count == i64::MIN {
        return Err(out_of_range(i64::MAX));
    }
    let values = match args.get(3) {
        None => false,
        Some(word) if args.len() == 4 && is(word, "WITHVALUES") => true,
        Some(_) => return Err(CommandError::Syntax),
    };
    if values && count.unsigned_abs() > i64::MAX.unsigned_abs() / 2 {
        return Err(CommandError::Text("ERR value is out of range".into()));
    }
    let number = count.unsigned_abs();
    Ok((if count < 0 { Draw::Repeated(number) } else { Draw::Distinct(number) }, values))
}

/// `HRANDFIELD key [count [WITHVALUES]]`
///
/// # Errors
/// A count that is no integer or out of range; a reply that would be too long.
pub fn hrandfield(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db, now) = (call.args, call.db(), call.txn.now());
    let asked = if args.len() > 2 { Some(parse(args)?) } else { None };
    let fields = call.txn.get_hash(db, &args[1])?.map(|hash| Fields::of(hash, now));
    let fields = fields.filter(|fields| fields.len() > 0);
    let Some((draw, values)) = asked else {
        match fields {
            Some(fields) => call.reply.bulk(fields.at(call.txn.random() % fields.len()).field),
            None => call.reply.null(),
        }
        return Ok(());
    };
    let Some(fields) = fields else {
        call.reply.array(0);
        return Ok(());
    };
    let Call { txn, reply, .. } = call;
    let mut random = |bound| txn.random() % bound;
    match draw {
        Draw::Distinct(count) if count >= fields.len() => {
            head(reply, fields.len(), values);
            (0..fields.len()).for_each(|at| answer(reply, fields.at(at), values));
        }
        Draw::Distinct(count) => {
            head(reply, count, values);
            for at in distinct(count, fields.len(), random) {
                answer(reply, fields.at(at), values);
            }
        }
        Draw::Repeated(count) => {
            head(reply, count, values);
            let end = reply.len() + REPLY_BYTES_MAX;
            for _ in 0..count {
                answer(reply, fields.at(random(fields.len())), values);
                if reply.len() > end {
                    return Err(CommandError::Text("ERR the reply would be longer than 512 MB".into()));
                }
            }
        }
    }
    Ok(())
}

/// The fields that there are at a time, by position.
enum Fields<'g> {
    /// All of the hash.
    All(HashRef<'g>),
    /// Some; those whose time has come are still among the others.
    Live(Vec<FieldRef<'g>>),
}

impl<'g> Fields<'g> {
    fn of(hash: HashRef<'g>, now: Millis) -> Self {
        if hash.live_len(now) == hash.len() { Self::All(hash) } else { Self::Live(hash.iter(now).collect()) }
    }

    fn len(&self) -> u64 {
        match self {
            Self::All(hash) => hash.len(),
            Self::Live(fields) => fields.len() as u64,
        }
    }

    /// # Panics
    /// Beyond the end.
    fn at(&self, index: u64) -> FieldRef<'g> {
        match self {
            Self::All(hash) => hash.at(index).expect("a position below the length"),
            Self::Live(fields) => fields[index as usize],
        }
    }
}

/// Draws `count` of the numbers below `len`, each set of so many with the same probability (Floyd's algorithm, Comm.
/// ACM 30(9), 1987). In time and space of `count`.
fn distinct(count: u64, len: u64, mut random: impl FnMut(u64) -> u64) -> HashSet<u64> {
    let mut drawn = HashSet::with_capacity(count as usize);
    for last in len - count..len {
        if !drawn.insert(random(last + 1)) {
            drawn.insert(last);
        }
    }
    drawn
}

/// The head of `count` fields.
fn head(reply: &mut ReplyBuf, count: u64, values: bool) {
    let flat = values && reply.protocol() == Protocol::Resp2;
    reply.array(if flat { 2 * count as usize } else { count as usize });
}

fn answer(reply: &mut ReplyBuf, field: FieldRef<'_>, values: bool) {
    if values && reply.protocol() == Protocol::Resp3 {
        reply.array(2);
    }
    reply.bulk(field.field);
    if values {
        reply.bulk(field.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    fn parsed(words: &str) -> Result<(Draw, bool), String> {
        let request: OwnedRequest = words.split_whitespace().collect();
        parse(request.as_args()).map_err(|error| error.to_string())
    }

    #[test]
    fn counts_are_checked() {
        assert_eq!(parsed("HRANDFIELD h 3"), Ok((Draw::Distinct(3), false)));
        assert_eq!(parsed("HRANDFIELD h -3 withvalues"), Ok((Draw::Repeated(3), true)));
        assert_eq!(
            parsed("HRANDFIELD h -9223372036854775807"),
            Ok((Draw::Repeated(9_223_372_036_854_775_807), false))
        );
        let range =
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
        assert_eq!(parsed("HRANDFIELD h -9223372036854775808"), Err(range.to_owned()));
        for words in
            ["HRANDFIELD h 4611686018427387904 WITHVALUES", "HRANDFIELD h -4611686018427387904 WITHVALUES"]
        {
            assert_eq!(parsed(words), Err("ERR value is out of range".to_owned()), "{words}");
        }
        for words in ["HRANDFIELD h 1 VALUES", "HRANDFIELD h 1 WITHVALUES x"] {
            assert_eq!(parsed(words), Err("ERR syntax error".to_owned()), "{words}");
        }
    }

    #[test]
    fn every_number_is_drawn_as_often_as_any_other() {
        const ROUNDS: u64 = 6000;
        let mut seed = 1_u64;
        let mut random = |bound: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % bound
        };
        let mut often = [0_u64; 10];
        for _ in 0..ROUNDS {
            let drawn = distinct(3, 10, &mut random);
            assert_eq!(drawn.len(), 3);
            for at in drawn {
                often[at as usize] += 1;
            }
        }
        let expected = ROUNDS * 3 / 10;
        assert!(often.iter().all(|&count| count.abs_diff(expected) < expected / 8), "{often:?}");
    }
}
