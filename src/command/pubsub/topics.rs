//! Names and who is subscribed to them.

use crate::command::clients::ClientHandle;
use crate::sync::{AtomicUsize, Ordering};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use xxhash_rust::xxh3::xxh3_64;

/// The subscribers of one name, by the ids of their connections.
pub(super) type Receivers = HashMap<u64, Arc<ClientHandle>>;

type Shard = HashMap<Bytes, Receivers>;

/// Names and who is subscribed to them, in shards, each behind a lock: publishers share it for as long as it takes to
/// fill outboxes, subscribers hold it for one change.
#[derive(Debug)]
pub(super) struct Topics {
    shards: Box<[RwLock<Shard>]>,
    /// Names with subscribers, all shards together.
    names: AtomicUsize,
}

impl Topics {
    pub(super) fn new(shards: usize) -> Self {
        Self { shards: (0..shards).map(|_| RwLock::default()).collect(), names: AtomicUsize::new(0) }
    }

    fn shard(&self, name: &[u8]) -> &RwLock<Shard> {
        &self.shards[xxh3_64(name) as usize % self.shards.len()]
    }

    /// Adds a subscriber, who is not subscribed to the name.
    pub(super) fn join(&self, name: &Bytes, client: &Arc<ClientHandle>) {
        let mut shard = write(self.shard(name));
        let receivers = shard.entry(name.clone()).or_default();
        if receivers.is_empty() {
            // Relaxed: a figure; what it counts is read under the lock.
            self.names.fetch_add(1, Ordering::Relaxed);
        }
        receivers.insert(client.id(), Arc::clone(client));
    }

    /// Removes a subscriber. Afterwards no publisher is at its outbox because of this name.
    pub(super) fn leave(&self, name: &Bytes, client: &ClientHandle) {
        let mut shard = write(self.shard(name));
        let Some(receivers) = shard.get_mut(name) else { return };
        receivers.remove(&client.id());
        if receivers.is_empty() {
            shard.remove(name);
            self.names.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How many names have subscribers.
    pub(super) fn names(&self) -> usize {
        self.names.load(Ordering::Relaxed)
    }

    /// How many subscribers a name has.
    pub(super) fn subscribers(&self, name: &[u8]) -> usize {
        if self.names() == 0 {
            return 0;
        }
        read(self.shard(name)).get(name).map_or(0, HashMap::len)
    }

    /// Visits the subscribers of a name; tells how many.
    pub(super) fn each_of(&self, name: &[u8], visit: impl FnMut(&Arc<ClientHandle>)) -> usize {
        if self.names() == 0 {
            return 0;
        }
        let shard = read(self.shard(name));
        let Some(receivers) = shard.get(name) else { return 0 };
        receivers.values().for_each(visit);
        receivers.len()
    }

    /// Visits all names with their subscribers.
    pub(super) fn each(&self, mut visit: impl FnMut(&Bytes, &Receivers)) {
        if self.names() == 0 {
            return;
        }
        for shard in &self.shards {
            for (name, receivers) in read(shard).iter() {
                visit(name, receivers);
            }
        }
    }
}

/// A lock stays usable when a thread panicked while it held it: no operation leaves what it guards half done.
fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::command::clients::Endpoint;

    #[test]
    fn a_name_lives_as_long_as_it_has_subscribers() {
        let topics = Topics::new(4);
        let client = |id| Arc::new(ClientHandle::new(id, Endpoint::default(), Millis(0)));
        let (a, b, name) = (client(1), client(2), Bytes::from_static(b"name"));
        topics.join(&name, &a);
        topics.join(&name, &b);
        topics.join(&Bytes::from_static(b"other"), &b);
        assert_eq!((topics.names(), topics.subscribers(b"name"), topics.subscribers(b"none")), (2, 2, 0));
        topics.leave(&name, &a);
        topics.leave(&name, &a);
        let mut found = Vec::new();
        assert_eq!(topics.each_of(b"name", |client| found.push(client.id())), 1);
        assert_eq!(found, [2]);
        topics.leave(&name, &b);
        let mut names = Vec::new();
        topics.each(|name, receivers| names.push((name.clone(), receivers.len())));
        assert_eq!(names, [(Bytes::from_static(b"other"), 1)]);
    }
}
