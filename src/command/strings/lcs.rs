//! LCS: the longest common subsequence of two values.

use std::collections::TryReserveError;

use crate::command::args::{Options, integer, is};
use crate::command::call::{Call, CommandError, Later};
use crate::command::context::Context;
use crate::command::strings::subsequence::{Match, Table, length, table_bytes};
use crate::engine::Live;
use crate::resp::{Args, ReplyBuf};

/// A larger table is filled on a thread that may block: a few milliseconds of work.
const DIRECT_TABLE_BYTES_MAX: u64 = 4 << 20;

/// Longer strings could not be indexed by the table's cells.
const STRING_BYTES_MAX: usize = u32::MAX as usize - 2;

/// What LCS is to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Text,
    Length,
    Matches { min_len: usize, with_len: bool },
}

/// `LCS key1 key2 [LEN | IDX [MINMATCHLEN len] [WITHMATCHLEN]]`
///
/// # Errors
/// Options that do not go together; strings for which the table would exceed `proto-max-bulk-len`.
pub fn lcs(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (args, db) = (call.args, call.db());
    let (a_live, b_live) = (call.txn.get(db, &args[1]), call.txn.get(db, &args[2]));
    let strings = (a_live.map(Live::string).transpose(), b_live.map(Live::string).transpose());
    let (Ok(a_live), Ok(b_live)) = strings else {
        return Err(CommandError::Text("ERR The specified keys must contain string values".into()));
    };
    // Why only now: Redis looks at the keys before the options.
    let wanted = parse(args, 3)?;
    let (mut a_digits, mut b_digits) = (itoa::Buffer::new(), itoa::Buffer::new());
    let a = a_live.as_ref().map_or(&b""[..], |live| live.value.bytes(&mut a_digits));
    let b = b_live.as_ref().map_or(&b""[..], |live| live.value.bytes(&mut b_digits));
    let bytes = check_size(call.context, a.len(), b.len())?;
    if bytes <= DIRECT_TABLE_BYTES_MAX || call.session.in_exec() {
        return answer(call.reply, a, b, wanted).map_err(|_| no_memory());
    }
    let (a, b) = (a.to_vec(), b.to_vec());
    call.later = Some(Later::Blocking(Box::new(move |_, reply| {
        if answer(reply, &a, &b, wanted).is_err() {
            reply.error(&no_memory().to_string());
        }
    })));
    Ok(())
}

fn parse(args: Args<'_>, first: usize) -> Result<Wanted, CommandError> {
    let (mut only_len, mut index, mut with_len, mut min_len) = (false, false, false, 0);
    let mut options = Options::new(args, first);
    while let Some(word) = options.next() {
        if is(word, "IDX") {
            index = true;
        } else if is(word, "LEN") {
            only_len = true;
        } else if is(word, "WITHMATCHLEN") {
            with_len = true;
        } else if is(word, "MINMATCHLEN") {
            min_len = usize::try_from(integer(options.value()?)?).unwrap_or(0);
        } else {
            return Err(CommandError::Syntax);
        }
    }
    match (only_len, index) {
        (true, true) => Err(CommandError::Text(
            "ERR If you want both the length and indexes, please just use IDX.".into(),
        )),
        (true, false) => Ok(Wanted::Length),
        (false, true) => Ok(Wanted::Matches { min_len, with_len }),
        (false, false) => Ok(Wanted::Text),
    }
}

/// What the table takes, if that is allowed. It bounds the time as well, so it holds where two rows would do.
fn check_size(context: &Context, a_len: usize, b_len: usize) -> Result<u64, CommandError> {
    if a_len.max(b_len) > STRING_BYTES_MAX {
        return Err(CommandError::Text("ERR String too long for LCS".into()));
    }
    let bytes = table_bytes(a_len, b_len);
    if bytes > context.settings.proto_max_bulk_len() {
        let text = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
        return Err(CommandError::Text(text.into()));
    }
    Ok(bytes)
}

fn no_memory() -> CommandError {
    CommandError::Text("ERR Insufficient memory, failed allocating transient memory for LCS".into())
}

/// Writes the reply. It writes nothing where memory is short.
fn answer(reply: &mut ReplyBuf, a: &[u8], b: &[u8], wanted: Wanted) -> Result<(), TryReserveError> {
    match wanted {
        Wanted::Text => reply.bulk(&Table::new(a, b)?.text()),
        Wanted::Length => reply.int(i64::from(length(a, b)?)),
        Wanted::Matches { min_len, with_len } => {
            let table = Table::new(a, b)?;
            let found: Vec<Match> = table.matches().filter(|found| found.len >= min_len).collect();
            reply.map(2);
            reply.bulk(b"matches");
            reply.array(found.len());
            for found in &found {
                answer_match(reply, found, with_len);
            }
            reply.bulk(b"len");
            reply.int(i64::from(table.length()));
        }
    }
    Ok(())
}

fn answer_match(reply: &mut ReplyBuf, found: &Match, with_len: bool) {
    reply.array(if with_len { 3 } else { 2 });
    for start in [found.a_start, found.b_start] {
        reply.array(2);
        reply.int(start as i64);
        reply.int((start + found.len - 1) as i64);
    }
    if with_len {
        reply.int(found.len as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::{OwnedRequest, Protocol};

    fn parsed(words: &str) -> Result<Wanted, CommandError> {
        let request: OwnedRequest = words.split_whitespace().collect();
        parse(request.as_args(), 0)
    }

    fn answered(protocol: Protocol, wanted: Wanted) -> String {
        let mut reply = ReplyBuf::with_protocol(protocol);
        answer(&mut reply, b"ohmytext", b"mynewtext", wanted).expect("memory");
        String::from_utf8(reply.to_vec()).expect("ASCII").replace("\r\n", " ")
    }

    #[test]
    fn options_are_read_in_any_order() {
        assert_eq!(parsed(""), Ok(Wanted::Text));
        assert_eq!(parsed("len"), Ok(Wanted::Length));
        assert_eq!(
            parsed("withmatchlen MINMATCHLEN 4 IDX"),
            Ok(Wanted::Matches { min_len: 4, with_len: true })
        );
        assert_eq!(parsed("IDX MINMATCHLEN -4"), Ok(Wanted::Matches { min_len: 0, with_len: false }));
        assert_eq!(parsed("MINMATCHLEN"), Err(CommandError::Syntax));
        assert_eq!(parsed("MINMATCHLEN x"), Err(CommandError::NotInteger));
        assert_eq!(parsed("nonsense"), Err(CommandError::Syntax));
        assert!(matches!(parsed("IDX LEN"), Err(CommandError::Text(_))));
    }

    #[test]
    fn replies_are_text_length_or_a_map_of_matches() {
        assert_eq!(answered(Protocol::Resp2, Wanted::Text), "$6 mytext ");
        assert_eq!(answered(Protocol::Resp2, Wanted::Length), ":6 ");
        let matches = Wanted::Matches { min_len: 0, with_len: false };
        assert_eq!(
            answered(Protocol::Resp2, matches),
            "*4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6 "
        );
        let long_matches = Wanted::Matches { min_len: 4, with_len: true };
        assert_eq!(
            answered(Protocol::Resp3, long_matches),
            "%2 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6 "
        );
    }
}
