//! Who is subscribed to what, and the way of a message to them.

use super::Kind;
use super::subscriber::Push;
use super::topics::Topics;
use crate::clock::Millis;
use crate::command::clients::{ClientHandle, KillState};
use crate::glob::{self, Case};
use crate::lsn::Lsn;
use crate::resp::{Protocol, PushFrame};
use crate::settings::OutputLimit;
use crate::sync::{AtomicUsize, Ordering};
use bytes::Bytes;
use std::sync::Arc;

/// Shards of the channels; patterns have one, because every message is compared with all of them.
const SHARDS: usize = 16;

/// A message and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter<'a> {
    /// Whether the channel is a shard channel.
    pub sharded: bool,
    /// The channel.
    pub channel: &'a [u8],
    /// The message.
    pub payload: &'a [u8],
}

/// What holds for all letters that are delivered together.
#[derive(Clone, Copy, Debug)]
pub struct Postage {
    /// How much a subscriber may leave unread.
    pub limit: OutputLimit,
    /// The latest record that the publisher has seen or made.
    pub lsn: Lsn,
    /// The publisher's time.
    pub now: Millis,
}

/// Who is subscribed to what.
///
/// | operation | progress |
/// |---|---|
/// | [`Hub::is_silent`] and the figures | wait-free |
/// | [`Hub::publish`], [`Hub::receivers`] | lock-free while the server has no subscriber; else shares locks |
/// | `Hub::join`, `Hub::leave` | blocking, one shard at a time |
#[derive(Debug)]
pub struct Hub {
    /// Pairs of a connection and a name that it is subscribed to.
    subscriptions: AtomicUsize,
    /// Connections with subscriptions.
    clients: AtomicUsize,
    channels: Topics,
    patterns: Topics,
    shard_channels: Topics,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Hub {
    /// A hub without subscribers.
    pub fn new() -> Self {
        Self {
            subscriptions: AtomicUsize::new(0),
            clients: AtomicUsize::new(0),
            channels: Topics::new(SHARDS),
            patterns: Topics::new(1),
            shard_channels: Topics::new(SHARDS),
        }
    }

    fn topics(&self, kind: Kind) -> &Topics {
        match kind {
            Kind::Channel => &self.channels,
            Kind::Pattern => &self.patterns,
            Kind::Shard => &self.shard_channels,
        }
    }

    /// Whether nobody is subscribed to anything, so that there is nothing to publish.
    #[inline]
    pub fn is_silent(&self) -> bool {
        // Acquire: pairs with the Release in `join`, so that who finds a subscriber counted finds it in its table.
        self.subscriptions.load(Ordering::Acquire) == 0
    }

    /// Subscribes a connection that has a [`super::Subscriber`] to a name that it is not subscribed to.
    pub(super) fn join(&self, kind: Kind, name: &Bytes, client: &Arc<ClientHandle>) {
        self.topics(kind).join(name, client);
        // Release: pairs with the Acquire in `is_silent`.
        self.subscriptions.fetch_add(1, Ordering::Release);
    }

    /// Ends a subscription. Afterwards no message comes because of it.
    pub(super) fn leave(&self, kind: Kind, name: &Bytes, client: &ClientHandle) {
        self.topics(kind).leave(name, client);
        // Relaxed: who finds it counted still finds nothing in the table.
        self.subscriptions.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts a connection that subscribed to its first name, or unsubscribed from its last.
    pub(super) fn count_client(&self, subscribed: bool) {
        // Relaxed: a figure to show.
        if subscribed {
            self.clients.fetch_add(1, Ordering::Relaxed);
        } else {
            self.clients.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How many connections are subscribed to anything.
    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// How many names of a kind have subscribers.
    pub fn names(&self, kind: Kind) -> usize {
        self.topics(kind).names()
    }

    /// How many connections are subscribed to a name.
    pub fn subscribers(&self, kind: Kind, name: &[u8]) -> usize {
        self.topics(kind).subscribers(name)
    }

    /// Visits all names of a kind.
    pub(super) fn each_name(&self, kind: Kind, mut visit: impl FnMut(&Bytes)) {
        self.topics(kind).each(|name, _| visit(name));
    }

    /// How many pushes a message to this channel makes now.
    pub fn receivers(&self, sharded: bool, channel: &[u8]) -> usize {
        if self.is_silent() {
            return 0;
        }
        if sharded {
            return self.shard_channels.subscribers(channel);
        }
        let mut count = self.channels.subscribers(channel);
        self.patterns.each(|pattern, receivers| {
            if glob::matches(pattern, channel, Case::Sensitive) {
                count += receivers.len();
            }
        });
        count
    }

    /// Puts a message into the outboxes of all who are subscribed to its channel, or to a pattern that it matches.
    pub fn publish(&self, letter: Letter<'_>, postage: Postage) {
        if self.is_silent() {
            return;
        }
        let Letter { sharded, channel, payload } = letter;
        let (topics, verb) =
            if sharded { (&self.shard_channels, "smessage") } else { (&self.channels, "message") };
        let mut frame = None;
        topics.each_of(channel, |client| {
            send(client, frame.get_or_insert_with(|| encode(verb, &[channel, payload])), postage);
        });
        if sharded {
            return;
        }
        self.patterns.each(|pattern, receivers| {
            if glob::matches(pattern, channel, Case::Sensitive) {
                let frame = encode("pmessage", &[pattern, channel, payload]);
                for client in receivers.values() {
                    send(client, &frame, postage);
                }
            }
        });
    }
}

fn encode(verb: &str, rest: &[&[u8]]) -> PushFrame {
    PushFrame::new(Protocol::Resp2, |reply| {
        reply.push(1 + rest.len());
        reply.bulk(verb.as_bytes());
        for part in rest {
            reply.bulk(part);
        }
    })
}

/// Puts a push into the outbox of one connection, and has it closed if that is more than it may leave unread.
pub(super) fn send(client: &ClientHandle, frame: &PushFrame, postage: Postage) {
    let Some(subscriber) = client.subscriber() else { return };
    let push = Push { frame: frame.clone(), lsn: postage.lsn };
    if subscriber.send(push, postage.limit, postage.now).is_err() {
        client.kill(KillState::Now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::clients::Endpoint;

    fn subscriber(id: u64) -> Arc<ClientHandle> {
        let client = Arc::new(ClientHandle::new(id, Endpoint::default(), Millis(0)));
        client.subscribe();
        client
    }

    fn publish(hub: &Hub, sharded: bool, channel: &str, payload: &str) {
        let limit = OutputLimit { hard_bytes: 300, soft_bytes: 0, soft_seconds: 0 };
        let letter = Letter { sharded, channel: channel.as_bytes(), payload: payload.as_bytes() };
        hub.publish(letter, Postage { limit, lsn: Lsn::ZERO, now: Millis(1) });
    }

    fn received(client: &ClientHandle) -> Vec<PushFrame> {
        let subscriber = client.subscriber().expect("it subscribed");
        std::iter::from_fn(|| subscriber.take()).map(|push| push.frame).collect()
    }

    #[test]
    fn a_message_goes_to_its_channel_and_to_every_pattern_that_matches() {
        let hub = Hub::new();
        let (a, b) = (subscriber(1), subscriber(2));
        assert!(hub.is_silent());
        hub.join(Kind::Channel, &Bytes::from_static(b"news"), &a);
        hub.join(Kind::Pattern, &Bytes::from_static(b"n*"), &a);
        hub.join(Kind::Pattern, &Bytes::from_static(b"n*"), &b);
        hub.join(Kind::Pattern, &Bytes::from_static(b"x*"), &b);
        hub.join(Kind::Shard, &Bytes::from_static(b"news"), &b);
        assert_eq!((hub.receivers(false, b"news"), hub.receivers(true, b"news")), (3, 1));
        assert_eq!((hub.names(Kind::Pattern), hub.subscribers(Kind::Pattern, b"n*")), (2, 2));
        publish(&hub, false, "news", "hi");
        let by_pattern = encode("pmessage", &[b"n*", b"news", b"hi"]);
        assert_eq!(received(&a), [encode("message", &[b"news", b"hi"]), by_pattern.clone()]);
        assert_eq!(received(&b), [by_pattern]);
        publish(&hub, true, "news", "hi");
        assert_eq!(received(&a), []);
        assert_eq!(received(&b), [encode("smessage", &[b"news", b"hi"])]);
    }

    #[test]
    fn who_leaves_gets_nothing_more_and_the_last_one_leaves_silence() {
        let hub = Hub::new();
        let (a, name) = (subscriber(1), Bytes::from_static(b"news"));
        hub.join(Kind::Channel, &name, &a);
        assert!(!hub.is_silent());
        hub.leave(Kind::Channel, &name, &a);
        assert!(hub.is_silent());
        publish(&hub, false, "news", "hi");
        assert_eq!(received(&a), []);
    }

    #[test]
    fn who_does_not_read_is_killed_and_others_go_on() {
        let hub = Hub::new();
        let (slow, quick, name) = (subscriber(1), subscriber(2), Bytes::from_static(b"news"));
        hub.join(Kind::Channel, &name, &slow);
        hub.join(Kind::Channel, &name, &quick);
        for _ in 0..10 {
            publish(&hub, false, "news", "a message that is not read");
            assert_eq!(received(&quick).len(), 1);
            quick.subscriber().expect("it subscribed").sent();
        }
        assert_eq!((slow.kill_state(), quick.kill_state()), (KillState::Now, KillState::Alive));
    }
}
