//! SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites.
//!
//! Each name is confirmed by a push of its own, which also goes to a client that wants no replies.

use super::Kind;
use crate::command::call::{Call, CommandError};
use crate::resp::{PushFrame, ReplyBuf};

/// Names that one connection may be subscribed to.
const SUBSCRIPTIONS_MAX: usize = 1 << 20;

/// `SUBSCRIBE channel [channel ...]`
///
/// # Errors
/// More names than a connection may have.
pub fn subscribe(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    add(call, Kind::Channel, "subscribe")
}

/// `PSUBSCRIBE pattern [pattern ...]`
///
/// # Errors
/// As [`subscribe`].
pub fn psubscribe(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    add(call, Kind::Pattern, "psubscribe")
}

/// `SSUBSCRIBE shardchannel [shardchannel ...]`
///
/// # Errors
/// As [`subscribe`]; inside a transaction, as in Redis 7.2.
pub fn ssubscribe(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    if call.session.in_exec() {
        let text = "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client";
        return Err(CommandError::Text(text.into()));
    }
    add(call, Kind::Shard, "ssubscribe")
}

/// `UNSUBSCRIBE [channel ...]`
///
/// # Errors
/// None.
pub fn unsubscribe(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    remove(call, Kind::Channel, "unsubscribe");
    Ok(())
}

/// `PUNSUBSCRIBE [pattern ...]`
///
/// # Errors
/// None.
pub fn punsubscribe(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    remove(call, Kind::Pattern, "punsubscribe");
    Ok(())
}

/// `SUNSUBSCRIBE [shardchannel ...]`
///
/// # Errors
/// None.
pub fn sunsubscribe(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    remove(call, Kind::Shard, "sunsubscribe");
    Ok(())
}

fn add(call: &mut Call<'_, '_>, kind: Kind, verb: &str) -> Result<(), CommandError> {
    let names = call.args.from(1);
    let total = call.session.subscriptions.as_ref().map_or(0, |subscriptions| subscriptions.total());
    if total + names.len() > SUBSCRIPTIONS_MAX {
        return Err(CommandError::Text(format!("ERR more than {SUBSCRIPTIONS_MAX} subscriptions").into()));
    }
    for name in names.iter() {
        call.session.subscribe(&call.context.hub, kind, name);
        confirm(call, kind, verb, Some(name));
    }
    Ok(())
}

fn remove(call: &mut Call<'_, '_>, kind: Kind, verb: &str) {
    let names = match call.args.from(1) {
        all if all.is_empty() => call.session.subscribed(kind),
        some => some.iter().map(bytes::Bytes::copy_from_slice).collect(),
    };
    for name in &names {
        // Order: what came for the name is put before the confirmation after no more can come, or else a message
        // follows it.
        if call.session.unsubscribe(kind, name) && !call.session.mutes_reply() {
            call.session.take_pushes_early(call.reply);
        }
        confirm(call, kind, verb, Some(name));
    }
    if names.is_empty() {
        confirm(call, kind, verb, None);
    }
}

/// Confirms one change, or that there was none to make.
fn confirm(call: &mut Call<'_, '_>, kind: Kind, verb: &str, name: Option<&[u8]>) {
    let count = call.session.subscription_count(kind);
    let write = |reply: &mut ReplyBuf| {
        reply.push(3);
        reply.bulk(verb.as_bytes());
        match name {
            Some(name) => reply.bulk(name),
            None => reply.null(),
        }
        reply.int(count);
    };
    if call.session.mutes_reply() {
        // Why: the reply will be thrown away, and the outbox, which is sent all the same, keeps the order.
        call.session.push_to_self(&call.context.hub, PushFrame::new(call.reply.protocol(), write));
    } else {
        write(call.reply);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::command::context::fixture::Fixture;
    use crate::command::pubsub::{Letter, Postage};
    use crate::command::session::ReplyMode;
    use crate::lsn::Lsn;
    use crate::resp::Protocol;
    use crate::settings::ClientClass;

    #[test]
    fn each_name_is_confirmed_with_the_count_so_far() {
        let mut fixture = Fixture::new();
        assert_eq!(
            fixture.run(subscribe, "SUBSCRIBE a b a"),
            "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n\
             *3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:2\r\n"
        );
        assert_eq!(fixture.run(psubscribe, "PSUBSCRIBE *"), "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:3\r\n");
        assert_eq!(fixture.run(ssubscribe, "SSUBSCRIBE s"), "*3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n");
        assert_eq!(
            fixture.run(unsubscribe, "UNSUBSCRIBE a x"),
            "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:2\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nx\r\n:2\r\n"
        );
        assert_eq!(fixture.run(unsubscribe, "UNSUBSCRIBE"), "*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n");
        assert_eq!(
            fixture.run(sunsubscribe, "SUNSUBSCRIBE"),
            "*3\r\n$12\r\nsunsubscribe\r\n$1\r\ns\r\n:0\r\n"
        );
        assert_eq!(
            fixture.run(punsubscribe, "PUNSUBSCRIBE"),
            "*3\r\n$12\r\npunsubscribe\r\n$1\r\n*\r\n:0\r\n"
        );
        assert!(fixture.context.hub.is_silent());
    }

    #[test]
    fn leaving_nothing_is_confirmed_with_a_null() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(unsubscribe, "UNSUBSCRIBE"), "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
        fixture.reply.set_protocol(Protocol::Resp3);
        assert_eq!(fixture.run(punsubscribe, "PUNSUBSCRIBE"), ">3\r\n$12\r\npunsubscribe\r\n_\r\n:0\r\n");
    }

    #[test]
    fn an_attempt_that_is_lost_leaves_subscriptions_and_messages_as_they_were() {
        let mut fixture = Fixture::new();
        fixture.run(subscribe, "SUBSCRIBE a b");
        fixture.session.outgoing = None;
        let limit = fixture.context.settings.output_limit(ClientClass::Pubsub);
        let postage = Postage { limit, lsn: Lsn::ZERO, now: Millis(1) };
        fixture.context.hub.publish(Letter { sharded: false, channel: b"a", payload: b"first" }, postage);
        fixture.run(unsubscribe, "UNSUBSCRIBE a");
        fixture.run(subscribe, "SUBSCRIBE c");
        fixture.session.abandon_outgoing();
        let hub = &fixture.context.hub;
        let counts = [&b"a"[..], b"b", b"c"].map(|name| hub.subscribers(Kind::Channel, name));
        assert_eq!(counts, [1, 1, 0]);
        let mut reply = ReplyBuf::new();
        fixture.session.take_pushes(&mut reply);
        assert_eq!(reply.to_vec(), b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nfirst\r\n");
    }

    #[test]
    fn confirmations_come_to_who_wants_no_replies() {
        let mut fixture = Fixture::new();
        fixture.session.reply_mode = ReplyMode::Off;
        assert_eq!(fixture.run(unsubscribe, "UNSUBSCRIBE"), "");
        assert_eq!(fixture.run(subscribe, "SUBSCRIBE a"), "");
        assert_eq!(
            fixture.deliver(),
            "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
        );
    }

    #[test]
    fn a_connection_that_ends_leaves_everything() {
        let mut fixture = Fixture::new();
        fixture.run(subscribe, "SUBSCRIBE a b");
        fixture.run(psubscribe, "PSUBSCRIBE *");
        assert_eq!(fixture.context.hub.clients(), 1);
        fixture.session.subscriptions = None;
        assert!(fixture.context.hub.is_silent());
        assert_eq!(fixture.context.hub.clients(), 0);
    }
}
