//! PUBSUB: who is subscribed to what.

use super::Kind;
use super::hub::Hub;
use crate::command::call::{Call, CommandError, Later};
use crate::command::{introspect, table};
use crate::glob::{self, Case};
use crate::resp::ReplyBuf;

/// With more names than this, they are gone through on a thread that may take its time.
const INLINE_NAMES_MAX: usize = 10_000;

/// `PUBSUB CHANNELS [pattern]`
///
/// # Errors
/// More than one pattern.
pub fn channels(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    list(call, Kind::Channel)
}

/// `PUBSUB SHARDCHANNELS [pattern]`
///
/// # Errors
/// As [`channels`].
pub fn shardchannels(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    list(call, Kind::Shard)
}

fn list(call: &mut Call<'_, '_>, kind: Kind) -> Result<(), CommandError> {
    if call.args.len() > 3 {
        return Err(CommandError::misused("PUBSUB", &call.args[1]));
    }
    let pattern = call.args.get(2).map(<[u8]>::to_vec);
    if call.session.in_exec() || call.context.hub.names(kind) <= INLINE_NAMES_MAX {
        answer_names(&call.context.hub, kind, pattern.as_deref(), call.reply);
    } else {
        call.later = Some(Later::Blocking(Box::new(move |context, reply| {
            answer_names(&context.hub, kind, pattern.as_deref(), reply);
        })));
    }
    Ok(())
}

fn answer_names(hub: &Hub, kind: Kind, pattern: Option<&[u8]>, reply: &mut ReplyBuf) {
    let mut names = Vec::new();
    hub.each_name(kind, |name| {
        if pattern.is_none_or(|pattern| glob::matches(pattern, name, Case::Sensitive)) {
            names.push(name.clone());
        }
    });
    reply.array(names.len());
    for name in &names {
        reply.bulk(name);
    }
}

/// `PUBSUB NUMSUB [channel ...]`
///
/// # Errors
/// None.
pub fn numsub(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer_counts(call, Kind::Channel);
    Ok(())
}

/// `PUBSUB SHARDNUMSUB [shardchannel ...]`
///
/// # Errors
/// None.
pub fn shardnumsub(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer_counts(call, Kind::Shard);
    Ok(())
}

fn answer_counts(call: &mut Call<'_, '_>, kind: Kind) {
    let names = call.args.from(2);
    call.reply.array(2 * names.len());
    for name in names.iter() {
        call.reply.bulk(name);
        call.reply.int(call.context.hub.subscribers(kind, name) as i64);
    }
}

/// `PUBSUB NUMPAT`: how many patterns there are, each once.
///
/// # Errors
/// None.
pub fn numpat(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.reply.int(call.context.hub.names(Kind::Pattern) as i64);
    Ok(())
}

/// `PUBSUB HELP`
///
/// # Errors
/// None.
pub fn help(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let container = table::lookup(b"pubsub").ok_or(CommandError::Syntax)?;
    introspect::help(container, call.reply);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;
    use crate::command::pubsub::{psubscribe, ssubscribe, subscribe};

    #[test]
    fn names_and_counts_are_told_by_kind() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(channels, "PUBSUB CHANNELS"), "*0\r\n");
        fixture.run(subscribe, "SUBSCRIBE news other");
        fixture.run(psubscribe, "PSUBSCRIBE n* x*");
        fixture.run(ssubscribe, "SSUBSCRIBE shard");
        assert_eq!(fixture.run(channels, "PUBSUB CHANNELS n*"), "*1\r\n$4\r\nnews\r\n");
        assert_eq!(fixture.run(shardchannels, "PUBSUB SHARDCHANNELS"), "*1\r\n$5\r\nshard\r\n");
        assert_eq!(
            fixture.run(numsub, "PUBSUB NUMSUB news shard"),
            "*4\r\n$4\r\nnews\r\n:1\r\n$5\r\nshard\r\n:0\r\n"
        );
        assert_eq!(fixture.run(numsub, "PUBSUB NUMSUB"), "*0\r\n");
        assert_eq!(fixture.run(shardnumsub, "PUBSUB SHARDNUMSUB shard"), "*2\r\n$5\r\nshard\r\n:1\r\n");
        assert_eq!(fixture.run(numpat, "PUBSUB NUMPAT"), ":2\r\n");
        assert_eq!(
            fixture.error(channels, "PUBSUB CHANNELS a b"),
            "ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP."
        );
    }
}
