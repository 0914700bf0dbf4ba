//! One connection as the rest of the server sees it.

use super::activity::{Activity, Buffers, SessionFigures};
use super::labels::Labels;
use crate::clock::Millis;
use crate::command::blocking::Unblock;
use crate::command::pubsub::Subscriber;
use crate::sync::{AtomicU8, Ordering};
use atomic_waker::AtomicWaker;
use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::Waker;

/// Where a connection comes from and where it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Address of the client, `ip:port`, `[ip]:port`, or the socket's path followed by `:0`.
    pub peer: String,
    /// Address of the server that the client connected to.
    pub local: String,
    /// File descriptor of the connection; -1 where there is none.
    pub fd: i32,
    /// A Unix socket.
    pub unix: bool,
}

impl Endpoint {
    /// Whether the client is on this machine: a loopback address or a Unix socket.
    pub fn is_local(&self) -> bool {
        self.unix || self.peer.parse::<SocketAddr>().is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
    }
}

/// Whether somebody wants the connection to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum KillState {
    /// Nobody does.
    Alive = 0,
    /// When the reply to the command at hand is written.
    AfterReply = 1,
    /// At once.
    Now = 2,
}

/// One connection as the rest of the server sees it.
///
/// Its own task publishes into it; CLIENT LIST reads it; CLIENT KILL sets its switch.
#[derive(Debug)]
pub struct ClientHandle {
    id: u64,
    endpoint: Endpoint,
    connected_at: Millis,
    /// Locked to be set and to be listed, both rare.
    labels: Mutex<Labels>,
    activity: Activity,
    /// A [`KillState`], which only grows.
    kill: AtomicU8,
    /// Whom to tell of it.
    killed: AtomicWaker,
    /// Its end of publish/subscribe, from its first subscription on.
    subscriber: OnceLock<Box<Subscriber>>,
    /// A [`ClientType`] that replication has given it, else 0.
    peer: AtomicU8,
    /// Its end of CLIENT UNBLOCK.
    pub unblock: Unblock,
}

/// What CLIENT KILL and CLIENT LIST call the type of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ClientType {
    /// Subscribed to nothing.
    Normal = 0,
    /// Subscribed to something.
    Pubsub = 1,
    /// A replica that this server feeds.
    Replica = 2,
    /// The primary that this server follows.
    Primary = 3,
}

impl ClientHandle {
    /// A connection made at `now`. Outside tests, made by [`super::ClientRegistry::register`] alone.
    pub fn new(id: u64, endpoint: Endpoint, now: Millis) -> Self {
        Self {
            id,
            endpoint,
            connected_at: now,
            labels: Mutex::default(),
            activity: Activity::new(now),
            kill: AtomicU8::new(KillState::Alive as u8),
            killed: AtomicWaker::new(),
            subscriber: OnceLock::new(),
            peer: AtomicU8::new(0),
            unblock: Unblock::default(),
        }
    }

    /// CLIENT ID; no other connection of this process has or had it.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The two ends of the connection.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// When the connection was made.
    pub fn connected_at(&self) -> Millis {
        self.connected_at
    }

    /// A copy of the names.
    pub fn labels(&self) -> Labels {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the names.
    pub fn relabel(&self, change: impl FnOnce(&mut Labels)) {
        change(&mut self.labels.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Makes the session's figures visible. Called by the connection's task only.
    pub fn publish_session(&self, figures: &SessionFigures) {
        self.activity.publish_session(figures);
    }

    /// The session's figures as last published.
    pub fn session(&self) -> SessionFigures {
        self.activity.session()
    }

    /// Makes the buffers' figures visible. Called by the connection's task only.
    pub fn publish_buffers(&self, buffers: &Buffers) {
        self.activity.publish_buffers(buffers);
    }

    /// Adds to the bytes that have gone over the connection. Called by the connection's task only, when it feeds a
    /// replica and publishes no buffers any more.
    pub fn count_traffic(&self, read: u64, written: u64) {
        self.activity.count_traffic(read, written);
    }

    /// The buffers' figures as last published.
    pub fn buffers(&self) -> Buffers {
        self.activity.buffers()
    }

    /// Its end of publish/subscribe, if it ever subscribed to anything.
    #[inline]
    pub fn subscriber(&self) -> Option<&Subscriber> {
        self.subscriber.get().map(Box::as_ref)
    }

    /// Its end of publish/subscribe, which is made where there is none.
    pub fn subscribe(&self) -> &Subscriber {
        self.subscriber.get_or_init(Box::default)
    }

    /// Says that the connection is a replica's or the primary's: for who feeds or follows over it.
    pub fn set_peer(&self, peer: ClientType) {
        // Relaxed: a figure to show.
        self.peer.store(peer as u8, Ordering::Relaxed);
    }

    /// Its type.
    pub fn client_type(&self) -> ClientType {
        // Relaxed: a figure to show.
        let peer = self.peer.load(Ordering::Relaxed);
        if peer == ClientType::Replica as u8 {
            return ClientType::Replica;
        }
        if peer == ClientType::Primary as u8 {
            return ClientType::Primary;
        }
        match self.subscriber() {
            Some(subscriber) if subscriber.is_subscribed() => ClientType::Pubsub,
            _ => ClientType::Normal,
        }
    }

    /// Bytes that the client has not read: replies, and pushes that wait.
    pub fn unread_bytes(&self) -> u64 {
        self.buffers().output_bytes + self.subscriber().map_or(0, Subscriber::queued_bytes)
    }

    /// Bytes that the connection occupies as far as it tells: its buffers, its queue, its subscriptions, this handle.
    pub fn memory_bytes(&self) -> u64 {
        let subscriber = self.subscriber().map_or(0, Subscriber::memory_bytes);
        self.buffers().memory_bytes() + self.session().queued_bytes + subscriber + size_of::<Self>() as u64
    }

    /// Asks the connection to end; a stronger wish that was made before stays.
    pub fn kill(&self, how: KillState) {
        // Release: pairs with the Acquire in `kill_state`, so that whoever sees the switch sees what led to it.
        self.kill.fetch_max(how as u8, Ordering::Release);
        // Order: told after the switch is set, so that a connection that listens too late sees the switch.
        self.killed.wake();
    }

    /// Whether the connection is to end. Looked at once per batch.
    #[inline]
    pub fn kill_state(&self) -> KillState {
        // Acquire: pairs with the Release in `kill`.
        match self.kill.load(Ordering::Acquire) {
            0 => KillState::Alive,
            1 => KillState::AfterReply,
            _ => KillState::Now,
        }
    }

    /// Has the connection's task told, once, when the connection is to end. For that task only. It looks at
    /// [`ClientHandle::kill_state`] afterwards: what was asked before this call is not told.
    pub fn listen(&self, task: &Waker) {
        self.killed.register(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle() -> ClientHandle {
        ClientHandle::new(1, Endpoint::default(), Millis(0))
    }

    #[test]
    fn loopback_and_unix_sockets_are_local() {
        let endpoint = |peer: &str, unix| Endpoint { peer: peer.to_owned(), unix, ..Endpoint::default() };
        for local in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(endpoint(local, false).is_local(), "{local}");
        }
        assert!(endpoint("/run/goredis.sock:0", true).is_local());
        for remote in ["10.0.0.1:1", "[2001:db8::1]:1", "", "nonsense"] {
            assert!(!endpoint(remote, false).is_local(), "{remote}");
        }
    }

    #[test]
    fn a_weaker_kill_does_not_undo_a_stronger_one() {
        let handle = handle();
        assert_eq!(handle.kill_state(), KillState::Alive);
        handle.kill(KillState::Now);
        handle.kill(KillState::AfterReply);
        assert_eq!(handle.kill_state(), KillState::Now);
    }

    #[tokio::test]
    async fn a_kill_wakes_the_connection() {
        let handle = std::sync::Arc::new(handle());
        let waiting = tokio::spawn({
            let handle = std::sync::Arc::clone(&handle);
            async move {
                let killed = std::future::poll_fn(|cx| {
                    handle.listen(cx.waker());
                    match handle.kill_state() {
                        KillState::Alive => std::task::Poll::Pending,
                        state => std::task::Poll::Ready(state),
                    }
                });
                killed.await
            }
        });
        tokio::task::yield_now().await;
        handle.kill(KillState::Now);
        assert_eq!(waiting.await.expect("the task ends"), KillState::Now);
    }
}
