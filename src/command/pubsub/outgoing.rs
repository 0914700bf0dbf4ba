//! What an attempt publishes when it takes effect, and what it takes back when it does not.

use super::Kind;
use super::hub::{Hub, Letter, Postage, send};
use super::monitor::Monitors;
use super::subscriber::Push;
use super::subscriptions::Subscriptions;
use crate::clock::Millis;
use crate::command::context::Context;
use crate::command::session::Session;
use crate::engine::DbIndex;
use crate::lsn::Lsn;
use crate::resp::{PushFrame, ReplyBuf};
use crate::settings::{ClientClass, EventClass};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;

/// One thing that is delivered when the attempt has taken effect.
#[derive(Debug)]
enum Message {
    /// PUBLISH or SPUBLISH.
    Published { sharded: bool, channel: Bytes, payload: Bytes },
    /// An event of a key.
    Event { db: DbIndex, event: &'static str, key: Bytes },
    /// A confirmation for the connection itself, where its replies are not sent.
    Own(PushFrame),
}

/// A subscription that the attempt changed.
#[derive(Debug)]
enum Changed {
    Added(Kind, Bytes),
    Removed(Kind, Bytes),
}

/// What an attempt publishes when it takes effect, and what it takes back when it does not.
#[derive(Debug, Default)]
pub struct Outgoing {
    messages: Vec<Message>,
    changed: Vec<Changed>,
    /// Pushes that it put among its replies, oldest first.
    taken: Vec<Push>,
    /// Whether keys are there after the last event of each, where that is asked for.
    pub(super) alive: HashMap<(DbIndex, Bytes), bool>,
}

impl Outgoing {
    pub(super) fn publish(&mut self, letter: Letter<'_>) {
        self.messages.push(Message::Published {
            sharded: letter.sharded,
            channel: Bytes::copy_from_slice(letter.channel),
            payload: Bytes::copy_from_slice(letter.payload),
        });
    }

    pub(super) fn event(&mut self, db: DbIndex, event: &'static str, key: &Bytes) {
        self.messages.push(Message::Event { db, event, key: key.clone() });
    }
}

/// Publishes an event of a key as `wanted` has it: on the key's channel, on the event's, or on both.
pub(super) fn publish_event(
    hub: &Hub,
    wanted: EventClass,
    (db, event, key): (DbIndex, &str, &[u8]),
    postage: Postage,
) {
    let publish = |prefix: &str, rest: &[u8], payload: &[u8]| {
        let channel = [format!("__{prefix}@{db}__:").as_bytes(), rest].concat();
        hub.publish(Letter { sharded: false, channel: &channel, payload }, postage);
    };
    if wanted.intersects(EventClass::KEYSPACE) {
        publish("keyspace", key, event.as_bytes());
    }
    if wanted.intersects(EventClass::KEYEVENT) {
        publish("keyevent", event.as_bytes(), key);
    }
}

impl Session {
    /// What the attempt at hand publishes.
    pub(super) fn outgoing(&mut self) -> &mut Outgoing {
        self.outgoing.get_or_insert_default()
    }

    /// How much the attempt at hand publishes so far, to come back to with [`Session::recall`].
    pub fn outgoing_len(&self) -> usize {
        self.outgoing.as_ref().map_or(0, |outgoing| outgoing.messages.len())
    }

    /// Publishes nothing of what came after `len`: the command failed.
    pub fn recall(&mut self, len: usize) {
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.messages.truncate(len);
        }
    }

    /// Puts everything back as it was before the attempt, which has not taken effect.
    #[cold]
    pub fn abandon_outgoing(&mut self) {
        let Some(outgoing) = self.outgoing.take() else { return };
        let Some(subscriptions) = &mut self.subscriptions else { return };
        for changed in outgoing.changed.into_iter().rev() {
            match changed {
                Changed::Added(kind, name) => subscriptions.remove(kind, &name),
                Changed::Removed(kind, name) => subscriptions.add(kind, &name),
            };
        }
        subscriptions.give_back(outgoing.taken);
    }

    /// Delivers what the attempt published, which has taken effect; what came of it for the connection itself goes to
    /// `reply`.
    #[cold]
    pub fn deliver_outgoing(&mut self, context: &Context, lsn: Lsn, now: Millis, reply: &mut ReplyBuf) {
        let Some(outgoing) = self.outgoing.take() else { return };
        let limit = context.settings.output_limit(ClientClass::Pubsub);
        let postage = Postage { limit, lsn, now };
        let wanted = context.settings.notify_keyspace_events();
        for message in outgoing.messages {
            match message {
                Message::Published { sharded, channel, payload } => {
                    context.hub.publish(Letter { sharded, channel: &channel, payload: &payload }, postage);
                }
                Message::Event { db, event, key } => {
                    publish_event(&context.hub, wanted, (db, event, &key), postage);
                }
                Message::Own(frame) => send(&self.client, &frame, postage),
            }
        }
        self.take_pushes(reply);
    }

    /// Subscribes; tells whether that is new.
    pub(super) fn subscribe(&mut self, hub: &Arc<Hub>, kind: Kind, name: &[u8]) -> bool {
        let name = Bytes::copy_from_slice(name);
        let added = self.subscriptions(hub).add(kind, &name);
        if added {
            self.outgoing().changed.push(Changed::Added(kind, name));
        }
        added
    }

    /// How many names the confirmation of a change of this kind tells: those of shard channels, or all others.
    pub(super) fn subscription_count(&self, kind: Kind) -> i64 {
        let Some(names) = &self.subscriptions else { return 0 };
        let count = match kind {
            Kind::Shard => names.count(Kind::Shard),
            Kind::Channel | Kind::Pattern => names.count(Kind::Channel) + names.count(Kind::Pattern),
        };
        count as i64
    }

    /// Sends a push to the connection itself when the attempt has taken effect.
    pub(super) fn push_to_self(&mut self, hub: &Arc<Hub>, frame: PushFrame) {
        self.subscriptions(hub);
        self.outgoing().messages.push(Message::Own(frame));
    }

    fn subscriptions(&mut self, hub: &Arc<Hub>) -> &mut Subscriptions {
        let client = &self.client;
        self.subscriptions
            .get_or_insert_with(|| Box::new(Subscriptions::new(Arc::clone(hub), Arc::clone(client))))
    }

    /// Begins to monitor, if it does not yet. No attempt takes it back: MONITOR touches no key, so none of its is lost.
    pub(super) fn monitor(&mut self, hub: &Arc<Hub>, monitors: &Arc<Monitors>) {
        let client = Arc::clone(&self.client);
        self.subscriptions(hub).monitoring.get_or_insert_with(|| monitors.join(&client));
    }

    /// Whether the connection is shown what all clients ask for.
    pub fn monitors(&self) -> bool {
        self.subscriptions.as_ref().is_some_and(|subscriptions| subscriptions.monitors())
    }

    /// Ends that.
    pub fn monitor_no_more(&mut self) {
        if let Some(subscriptions) = &mut self.subscriptions {
            subscriptions.monitoring = None;
        }
    }

    /// Unsubscribes; tells whether it was subscribed.
    pub(super) fn unsubscribe(&mut self, kind: Kind, name: &Bytes) -> bool {
        let removed = self.subscriptions.as_mut().is_some_and(|names| names.remove(kind, name));
        if removed {
            self.outgoing().changed.push(Changed::Removed(kind, name.clone()));
        }
        removed
    }

    /// Ends all subscriptions.
    pub(in crate::command) fn unsubscribe_from_all(&mut self) {
        for kind in Kind::ALL {
            for name in self.subscribed(kind) {
                self.unsubscribe(kind, &name);
            }
        }
    }

    /// The names of a kind that the connection is subscribed to.
    pub(super) fn subscribed(&self, kind: Kind) -> Vec<Bytes> {
        self.subscriptions.as_ref().map_or(Vec::new(), |names| names.names(kind))
    }

    /// Puts all pushes that wait among the replies of the attempt at hand.
    pub(in crate::command) fn take_pushes_early(&mut self, reply: &mut ReplyBuf) {
        while let Some(push) = self.subscriptions.as_mut().and_then(|names| names.take()) {
            reply.push_frame(&push.frame);
            self.seen = self.seen.max(push.lsn);
            self.outgoing().taken.push(push);
        }
    }
}
