//! What one connection is subscribed to, as its session has it.

use super::Kind;
use super::hub::Hub;
use super::monitor::Monitoring;
use super::subscriber::{Push, Subscriber};
use crate::command::clients::ClientHandle;
use bytes::Bytes;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::task::Waker;

/// What one connection is or was subscribed to; dropping it ends its subscriptions.
///
/// Owned by the session. The hub has the same names, for publishers.
#[derive(Debug)]
pub struct Subscriptions {
    hub: Arc<Hub>,
    client: Arc<ClientHandle>,
    names: [HashSet<Bytes>; 3],
    names_bytes: u64,
    /// The connection is shown what all clients ask for. Here, since it uses the outbox, and most connections have neither.
    pub(super) monitoring: Option<Monitoring>,
    /// Pushes that an attempt took and gave back; they are older than those in the outbox.
    returned: VecDeque<Push>,
}

impl Subscriptions {
    /// No subscriptions yet, but an outbox for them.
    pub(super) fn new(hub: Arc<Hub>, client: Arc<ClientHandle>) -> Self {
        client.subscribe();
        let (names, returned) = (Default::default(), VecDeque::new());
        Self { hub, client, names, names_bytes: 0, monitoring: None, returned }
    }

    fn subscriber(&self) -> &Subscriber {
        self.client.subscribe()
    }

    /// How many names of a kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        self.names[kind as usize].len()
    }

    /// How many names there are, of all kinds.
    pub fn total(&self) -> usize {
        self.names.iter().map(HashSet::len).sum()
    }

    /// Whether the connection monitors.
    pub fn monitors(&self) -> bool {
        self.monitoring.is_some()
    }

    /// The names of a kind.
    pub(super) fn names(&self, kind: Kind) -> Vec<Bytes> {
        self.names[kind as usize].iter().cloned().collect()
    }

    /// Subscribes; tells whether that is new.
    pub(super) fn add(&mut self, kind: Kind, name: &Bytes) -> bool {
        if !self.names[kind as usize].insert(name.clone()) {
            return false;
        }
        self.names_bytes += name.len() as u64;
        self.hub.join(kind, name, &self.client);
        if self.total() == 1 {
            self.hub.count_client(true);
        }
        self.publish();
        true
    }

    /// Unsubscribes; tells whether it was subscribed.
    pub(super) fn remove(&mut self, kind: Kind, name: &Bytes) -> bool {
        if !self.names[kind as usize].remove(name) {
            return false;
        }
        self.names_bytes -= name.len() as u64;
        self.hub.leave(kind, name, &self.client);
        if self.total() == 0 {
            self.hub.count_client(false);
        }
        self.publish();
        true
    }

    fn publish(&self) {
        let counts = Kind::ALL.map(|kind| self.count(kind) as u32);
        self.subscriber().publish_names(counts, self.names_bytes);
    }

    /// Takes the oldest push.
    pub(super) fn take(&mut self) -> Option<Push> {
        self.returned.pop_front().or_else(|| self.subscriber().take())
    }

    /// Gives back pushes that were taken last, oldest first.
    pub(super) fn give_back(&mut self, pushes: Vec<Push>) {
        for push in pushes.into_iter().rev() {
            self.returned.push_front(push);
        }
    }

    /// Says that everything that was taken has been sent.
    pub(super) fn sent(&self) {
        self.subscriber().sent();
    }

    /// Whether there are pushes; if not, `task` is told of the next.
    pub(super) fn listen(&self, task: &Waker) -> bool {
        let subscriber = self.subscriber();
        // Order: listens, then looks, or else what comes in between is not told.
        subscriber.listen(task);
        !self.returned.is_empty() || !subscriber.is_empty()
    }
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        for kind in Kind::ALL {
            for name in self.names(kind) {
                self.remove(kind, &name);
            }
        }
    }
}
