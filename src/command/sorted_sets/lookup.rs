//! Scores, ranks and counts: ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZCOUNT, ZLEXCOUNT.

use crate::command::args::is;
use crate::command::call::{Call, CommandError};
use crate::command::sorted_sets::range::{By, Range};
use crate::resp::ReplyBuf;

/// `ZCARD key`
///
/// # Errors
/// The wrong type.
pub fn zcard(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let set = call.txn.get_sorted_set(call.session.db, &call.args[1])?;
    call.reply.int(set.map_or(0, |set| set.len()) as i64);
    Ok(())
}

/// `ZSCORE key member`
///
/// # Errors
/// The wrong type.
pub fn zscore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let set = call.txn.get_sorted_set(call.session.db, &call.args[1])?;
    answer_score(call.reply, set.and_then(|set| set.score(&call.args[2])));
    Ok(())
}

/// `ZMSCORE key member [member ...]`
///
/// # Errors
/// The wrong type.
pub fn zmscore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let set = call.txn.get_sorted_set(call.session.db, &call.args[1])?;
    let members = call.args.from(2);
    call.reply.array(members.len());
    for member in members.iter() {
        answer_score(call.reply, set.and_then(|set| set.score(member)));
    }
    Ok(())
}

fn answer_score(reply: &mut ReplyBuf, score: Option<f64>) {
    match score {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}

/// `ZRANK key member [WITHSCORE]`
///
/// # Errors
/// Unknown options.
pub fn zrank(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    rank(call, "zrank", false)
}

/// `ZREVRANK key member [WITHSCORE]`: counted from the highest score.
///
/// # Errors
/// Unknown options.
pub fn zrevrank(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    rank(call, "zrevrank", true)
}

fn rank(call: &mut Call<'_, '_>, command: &str, reverse: bool) -> Result<(), CommandError> {
    if call.args.len() > 4 {
        return Err(CommandError::Arity(command.to_owned()));
    }
    let with_score = call.args.get(3);
    if with_score.is_some_and(|word| !is(word, "WITHSCORE")) {
        return Err(CommandError::Syntax);
    }
    let set = call.txn.get_sorted_set(call.session.db, &call.args[1])?;
    let found = set.and_then(|set| set.rank(&call.args[2]).map(|found| (set.len(), found)));
    match found {
        Some((len, (rank, score))) => {
            let rank = if reverse { len - 1 - rank } else { rank };
            if with_score.is_some() {
                call.reply.array(2);
            }
            call.reply.int(rank as i64);
            if with_score.is_some() {
                call.reply.double(score);
            }
        }
        None if with_score.is_some() => call.reply.null_array(),
        None => call.reply.null(),
    }
    Ok(())
}

/// `ZCOUNT key min max`
///
/// # Errors
/// Ends that are none.
pub fn zcount(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    count(call, By::Score)
}

/// `ZLEXCOUNT key min max`
///
/// # Errors
/// Ends that are none.
pub fn zlexcount(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    count(call, By::Member)
}

fn count(call: &mut Call<'_, '_>, by: By) -> Result<(), CommandError> {
    let range = Range::parse(by, &call.args[2], &call.args[3])?;
    let set = call.txn.get_sorted_set(call.session.db, &call.args[1])?;
    let span = set.map_or(0..0, |set| range.span(&set, false));
    call.reply.int((span.end - span.start) as i64);
    Ok(())
}
