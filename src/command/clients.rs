//! Who is connected: one handle per connection, and the registry of all of them.
//!
//! The registry is how one connection sees and ends others (CLIENT LIST, CLIENT KILL) and how the server counts
//! them. It is sharded, and locked only to connect, to disconnect and to list; running a command touches nothing
//! but the connection's own handle.
//!
//! | operation | progress |
//! |---|---|
//! | [`ClientHandle::publish_session`], [`ClientHandle::publish_buffers`] | wait-free |
//! | [`ClientHandle::kill`], [`ClientHandle::kill_state`] | wait-free |
//! | [`ClientRegistry::register`], [`ClientRegistry::list`], [`ClientRegistry::find`] | blocking, one shard at a time |

mod activity;
mod handle;
mod labels;

pub use activity::{Buffers, ClientFlags, SessionFigures};
pub use handle::{ClientHandle, ClientType, Endpoint, KillState};
pub use labels::{LabelError, Labels};

use crate::clock::Millis;
use crate::sync::{AtomicU64, AtomicUsize, Ordering};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Number of shards; a power of two. Connections come and go on a handful of threads.
const SHARDS: usize = 16;

/// With more connections than this, only the timer makes surveys.
const INLINE_SURVEY_MAX: usize = 1_024;

/// The connection would be one more than `maxclients` allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ERR max number of clients reached")]
pub struct ClientLimit;

type Shard = HashMap<u64, Arc<ClientHandle>>;

/// All connections. Cloning gives another view of the same registry.
#[derive(Clone, Debug)]
pub struct ClientRegistry {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    shards: [Mutex<Shard>; SHARDS],
    next_id: AtomicU64,
    /// Connections that hold a place. Invariant: one per live [`Registration`].
    connected: AtomicUsize,
    /// Connections that wait inside a command or for a pause to end.
    blocked: AtomicUsize,
    /// What the last survey found.
    survey: Mutex<Usage>,
}

/// What all connections use together, as INFO shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of their buffers and queues.
    pub memory_bytes: u64,
    /// The largest query buffer.
    pub input_bytes_max: u64,
    /// The largest output buffer.
    pub output_bytes_max: u64,
    /// Connections that watch keys.
    pub watching: u64,
    /// Keys that they watch.
    pub watched: u64,
}

impl Default for ClientRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl ClientRegistry {
    /// An empty registry; ids start at 1.
    pub fn new() -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        let (connected, blocked) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (next_id, survey) = (AtomicU64::new(1), Mutex::default());
        Self { shared: Arc::new(Shared { shards, next_id, connected, blocked, survey }) }
    }

    /// Takes in a connection, which stays registered until the registration is dropped.
    ///
    /// # Errors
    /// [`ClientLimit`] when there are `clients_max` already.
    pub fn register(
        &self,
        endpoint: Endpoint,
        now: Millis,
        clients_max: usize,
    ) -> Result<Registration, ClientLimit> {
        // Relaxed: the count limits, it orders nothing. Adding first keeps two racing connections from both
        // taking the last place.
        if self.shared.connected.fetch_add(1, Ordering::Relaxed) >= clients_max {
            self.shared.connected.fetch_sub(1, Ordering::Relaxed);
            return Err(ClientLimit);
        }
        // Relaxed: ids need to be different, nothing else.
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let handle = Arc::new(ClientHandle::new(id, endpoint, now));
        self.shared.shard(id).insert(id, Arc::clone(&handle));
        Ok(Registration { handle, shared: Arc::clone(&self.shared) })
    }

    /// How many connections there are.
    pub fn count(&self) -> usize {
        // Relaxed: a figure to show.
        self.shared.connected.load(Ordering::Relaxed)
    }

    /// How many connections wait inside a command or for a pause to end.
    pub fn blocked(&self) -> usize {
        // Relaxed: a figure to show.
        self.shared.blocked.load(Ordering::Relaxed)
    }

    /// Counts one connection as blocked until the returned value is dropped.
    pub fn block(&self) -> Blocked {
        // Relaxed: a figure to show.
        self.shared.blocked.fetch_add(1, Ordering::Relaxed);
        Blocked { shared: Arc::clone(&self.shared) }
    }

    /// The connection with this id, if it is still there.
    pub fn find(&self, id: u64) -> Option<Arc<ClientHandle>> {
        self.shared.shard(id).get(&id).cloned()
    }

    /// What all connections use: now, or, with more than `INLINE_SURVEY_MAX`, when last surveyed.
    pub fn usage(&self) -> Usage {
        if self.count() > INLINE_SURVEY_MAX { *lock(&self.shared.survey) } else { self.survey() }
    }

    /// Looks at all connections; a timer calls this about once a second.
    pub fn survey(&self) -> Usage {
        let mut usage = Usage::default();
        for shard in &self.shared.shards {
            for handle in lock(shard).values() {
                usage.add(handle);
            }
        }
        *lock(&self.shared.survey) = usage;
        usage
    }

    /// All connections, oldest first. Costs time and memory in proportion to their number.
    pub fn list(&self) -> Vec<Arc<ClientHandle>> {
        let mut all: Vec<_> = Vec::with_capacity(self.count());
        for shard in &self.shared.shards {
            all.extend(lock(shard).values().cloned());
        }
        all.sort_unstable_by_key(|handle| handle.id());
        all
    }
}

impl Usage {
    fn add(&mut self, handle: &ClientHandle) {
        let (session, buffers) = (handle.session(), handle.buffers());
        self.memory_bytes += handle.memory_bytes();
        self.input_bytes_max = self.input_bytes_max.max(buffers.query_bytes);
        self.output_bytes_max = self.output_bytes_max.max(handle.unread_bytes());
        self.watching += u64::from(session.watched > 0);
        self.watched += u64::from(session.watched);
    }
}

impl Shared {
    fn shard(&self, id: u64) -> MutexGuard<'_, Shard> {
        lock(&self.shards[id as usize % SHARDS])
    }
}

/// A lock stays usable when a thread panicked while it held it: no operation leaves what it guards half done.
fn lock<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection's place in the registry; dropping it gives the place back.
#[derive(Debug)]
pub struct Registration {
    handle: Arc<ClientHandle>,
    shared: Arc<Shared>,
}

impl Registration {
    /// The handle, to share with the session.
    pub fn handle(&self) -> Arc<ClientHandle> {
        Arc::clone(&self.handle)
    }
}

impl Deref for Registration {
    type Target = ClientHandle;

    fn deref(&self) -> &ClientHandle {
        &self.handle
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let id = self.handle.id();
        self.shared.shard(id).remove(&id);
        // Relaxed: see `register`.
        self.shared.connected.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts one blocked connection while it lives.
#[derive(Debug)]
pub struct Blocked {
    shared: Arc<Shared>,
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // Relaxed: a figure to show.
        self.shared.blocked.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry_with(clients: usize) -> (ClientRegistry, Vec<Registration>) {
        let registry = ClientRegistry::new();
        let register =
            |_| registry.register(Endpoint::default(), Millis(5), 10_000).expect("below the limit");
        let registrations = (0..clients).map(register).collect();
        (registry, registrations)
    }

    #[test]
    fn ids_grow_and_the_list_is_in_their_order() {
        let (registry, _registrations) = registry_with(40);
        let ids: Vec<u64> = registry.list().iter().map(|handle| handle.id()).collect();
        assert_eq!(ids, (1..=40).collect::<Vec<_>>());
    }

    #[test]
    fn a_dropped_registration_gives_its_place_back() {
        let (registry, mut registrations) = registry_with(3);
        registrations.remove(1);
        assert_eq!(registry.count(), 2);
        assert!(registry.find(2).is_none());
        assert_eq!(registry.find(3).map(|handle| handle.id()), Some(3));
    }

    #[test]
    fn the_limit_is_exact_and_a_refusal_takes_no_place() {
        let registry = ClientRegistry::new();
        let register = || registry.register(Endpoint::default(), Millis(0), 2);
        let (first, second) = (register(), register());
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(register().err(), Some(ClientLimit));
        assert_eq!(registry.count(), 2);
        drop(first);
        assert!(register().is_ok());
    }

    #[test]
    fn a_survey_adds_up_what_all_do_now() {
        let (registry, registrations) = registry_with(2);
        let watch = |client: usize, watched| {
            let figures = SessionFigures { watched, ..SessionFigures::default() };
            registrations[client].publish_session(&figures);
        };
        registrations[0].publish_buffers(&Buffers { query_bytes: 30, ..Buffers::default() });
        registrations[1].publish_buffers(&Buffers { query_bytes: 20, output_bytes: 5, ..Buffers::default() });
        watch(1, 3);
        let usage = registry.usage();
        assert_eq!((usage.input_bytes_max, usage.output_bytes_max), (30, 5));
        assert_eq!((usage.watching, usage.watched), (1, 3));
        assert!(usage.memory_bytes > 50);
        watch(0, 4);
        assert_eq!(registry.usage().watched, 7);
    }

    #[test]
    fn with_many_connections_usage_is_what_the_timer_found() {
        let (registry, registrations) = registry_with(INLINE_SURVEY_MAX + 1);
        let figures = SessionFigures { watched: 2, ..SessionFigures::default() };
        registrations[0].publish_session(&figures);
        assert_eq!(registry.usage().watched, 0);
        registry.survey();
        assert_eq!(registry.usage().watched, 2);
    }

    #[test]
    fn blocked_connections_count_while_they_are() {
        let registry = ClientRegistry::new();
        let blocked = (registry.block(), registry.block());
        assert_eq!(registry.blocked(), 2);
        drop(blocked);
        assert_eq!(registry.blocked(), 0);
    }
}
