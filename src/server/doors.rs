//! The listeners that are open: accepting on each, and changing them while the server runs.
//!
//! Each listener is accepted on by a task of its own. CONFIG SET of `port` and `bind` closes those that are not
//! wanted any more, and opens what is missing; a client that is connected stays so. What cannot be opened leaves
//! everything as it was.

use super::accept;
use super::listen::{self, ListenError, Listeners};
use super::open_files;
use crate::command::context::{Context, Reconfigure};
use crate::settings::{Setting, Settings};
use socket2::SockRef;
use std::fmt;
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// See the [module](self). Cloning gives another view of the same listeners.
#[derive(Clone)]
pub(super) struct Doors {
    shared: Arc<Shared>,
}

struct Shared {
    /// Weak: the context owns a view of this, to hand changed settings to.
    context: Weak<Context>,
    runtime: Handle,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    tcp: Vec<Door>,
    unix: Option<JoinHandle<()>>,
    /// The server is stopping: nothing may be opened any more.
    stopped: bool,
}

/// A TCP listener, and the task that accepts on it.
struct Door {
    address: SocketAddr,
    listener: Arc<TcpListener>,
    accepting: JoinHandle<()>,
}

impl Door {
    /// Stops listening, so that the address is free when this returns.
    fn close(self) -> SocketAddr {
        self.accepting.abort();
        // Why: the task lets go of the socket only when it runs next; until then it must not hold the address. A
        // socket that cannot be shut down does not listen.
        let _ = SockRef::from(&*self.listener).shutdown(Shutdown::Both);
        self.address
    }
}

impl Doors {
    /// Accepts clients on `listeners`. Called inside the runtime that is to serve them.
    pub(super) fn open(listeners: Listeners, context: &Arc<Context>) -> Self {
        let open = Mutex::new(Open::default());
        let shared = Shared { context: Arc::downgrade(context), runtime: Handle::current(), open };
        let doors = Self { shared: Arc::new(shared) };
        let mut open = doors.lock();
        open.tcp = listeners.tcp.into_iter().map(|listener| doors.accept_on(listener, context)).collect();
        open.unix = listeners.unix.map(|(file, listener)| {
            let context = Arc::clone(context);
            let accepting = async move { accept::accept_unix(listener, file.path(), context).await };
            doors.shared.runtime.spawn(accepting)
        });
        drop(open);
        doors
    }

    /// Closes all; when this returns, no more clients come.
    pub(super) async fn close(&self) {
        let open = {
            let mut open = self.lock();
            std::mem::replace(&mut *open, Open { stopped: true, ..Open::default() })
        };
        for accepting in open.tcp.into_iter().map(|door| door.accepting).chain(open.unix) {
            accepting.abort();
            // Why: it ends because it was aborted, and that is all there is to know.
            let _ = accepting.await;
        }
    }

    fn accept_on(&self, (address, listener): (SocketAddr, TcpListener), context: &Arc<Context>) -> Door {
        let (listener, context) = (Arc::new(listener), Arc::clone(context));
        let accepting = self.shared.runtime.spawn(accept::accept_tcp(Arc::clone(&listener), context));
        Door { address, listener, accepting }
    }

    /// Listens where the settings say now.
    fn reopen(&self, settings: &Settings) -> Result<(), ListenError> {
        let Some(context) = self.shared.context.upgrade() else { return Ok(()) };
        let wanted = listen::wanted(settings)?;
        let mut open = self.lock();
        if open.stopped {
            return Ok(());
        }
        let is_wanted = |door: &Door| wanted.iter().any(|wanted| wanted.address == door.address);
        let (kept, unwanted): (Vec<Door>, Vec<Door>) =
            std::mem::take(&mut open.tcp).into_iter().partition(is_wanted);
        open.tcp = kept;
        // Order: 1 close, 2 open; or else an address could not take the place of one that includes it.
        let closed: Vec<SocketAddr> = unwanted.into_iter().map(Door::close).collect();
        let is_missing =
            |wanted: &&listen::Wanted| open.tcp.iter().all(|door| door.address != wanted.address);
        let missing: Vec<listen::Wanted> = wanted.iter().filter(is_missing).copied().collect();
        let opened = self.listen(&missing, settings);
        let (listeners, result) = match opened {
            Ok(listeners) => (listeners, Ok(())),
            Err(error) => {
                let before: Vec<_> = closed.into_iter().map(listen::Wanted::required).collect();
                // Why: they were open a moment ago; if they cannot be had again, the error at hand says more.
                (self.listen(&before, settings).unwrap_or_default(), Err(error))
            }
        };
        open.tcp.extend(listeners.tcp.into_iter().map(|listener| self.accept_on(listener, &context)));
        result
    }

    fn listen(&self, wanted: &[listen::Wanted], settings: &Settings) -> Result<Listeners, ListenError> {
        let _inside = self.shared.runtime.enter();
        listen::claim_all(wanted)?.listen(settings.tcp_backlog())
    }

    /// What is open stays usable when a thread panicked while it held the lock: no operation leaves it half done.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.shared.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<SocketAddr> = self.lock().tcp.iter().map(|door| door.address).collect();
        f.debug_struct("Doors").field("tcp", &addresses).finish_non_exhaustive()
    }
}

impl Reconfigure for Doors {
    fn apply(&self, settings: &Settings, setting: &'static Setting) -> Result<(), String> {
        match setting.name {
            "port" => self.reopen(settings).map_err(|why| format!("Unable to listen on this port: {why}")),
            "bind" => {
                self.reopen(settings).map_err(|why| format!("Failed to bind to specified addresses: {why}"))
            }
            "maxclients" => open_files::raise(settings.maxclients()).map_err(|why| why.to_string()),
            _ => Ok(()),
        }
    }
}
