//! Whom a thread follows, how the link stands, and what was told of it.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::clock::Millis;
use crate::command::upstream::{Link, SyncProgress, Target, UpstreamStatus};
use crate::lsn::Lsn;

/// How long a link must have lasted for its end to be told though that of the one before was for the same reason.
const NEWS_AFTER: Duration = Duration::from_secs(10);

/// Whom a thread follows, and what is told of it.
pub(crate) struct Following {
    pub(crate) target: Target,
    stopped: AtomicBool,
    pub(super) stop: watch::Sender<bool>,
    socket: Mutex<Option<TcpStream>>,
    status: Mutex<UpstreamStatus>,
    told: Mutex<Told>,
}

/// What was last told, for not to tell it twice a second.
#[derive(Debug, Default)]
struct Told {
    /// Why a link ended.
    reason: String,
    /// How far the log was then.
    at: Lsn,
    /// Since when the log comes.
    since: Option<Instant>,
}

impl Following {
    pub(super) fn new(target: Target) -> Self {
        let status = UpstreamStatus {
            host: target.host.clone(),
            port: target.port,
            link: Link::Connect,
            heard_at: None,
            down_since: Some(Millis::now()),
            sync: None,
            refusal: None,
        };
        Self {
            target,
            stopped: AtomicBool::new(false),
            stop: watch::Sender::new(false),
            socket: Mutex::default(),
            status: Mutex::new(status),
            told: Mutex::default(),
        }
    }

    pub(super) fn status(&self) -> MutexGuard<'_, UpstreamStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_link(&self, link: Link) {
        let mut status = self.status();
        status.link = link;
        if link == Link::Log {
            (status.down_since, status.refusal) = (None, None);
            self.told().since = Some(Instant::now());
        } else {
            status.down_since.get_or_insert(Millis::now());
        }
        if link != Link::Snapshot {
            status.sync = None;
        }
        status.heard_at = Some(Millis::now()).filter(|_| link != Link::Connect).or(status.heard_at);
    }

    pub(crate) fn set_sync(&self, progress: SyncProgress) {
        self.status().sync = Some(progress);
    }

    pub(crate) fn heard(&self) {
        self.status().heard_at = Some(Millis::now());
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes why a link ended and how far the log is; whether that is worth telling.
    pub(super) fn is_news(&self, reason: &str, at: Lsn) -> bool {
        let mut told = self.told();
        let has_lasted = told.since.take().is_some_and(|since| since.elapsed() >= NEWS_AFTER);
        let is_news = has_lasted || told.at != at || told.reason != reason;
        (told.reason, told.at) = (reason.to_owned(), at);
        is_news
    }

    /// Whether it is worth telling that the log goes on at `at`: not when a link has just ended there, and nothing came.
    pub(crate) fn is_news_to_go_on(&self, at: Lsn) -> bool {
        let told = self.told();
        told.at != at || told.reason.is_empty()
    }

    /// Tells of a primary that is not followed; whether that is news.
    pub(super) fn refuse(&self, reason: &str) -> bool {
        let mut status = self.status();
        status.link = Link::Refused;
        status.down_since.get_or_insert(Millis::now());
        status.refusal.replace(reason.to_owned()).as_deref() != Some(reason)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        // Acquire: pairs with the Release in `stop`.
        self.stopped.load(Ordering::Acquire)
    }

    /// Keeps the connection, for whoever ends this to cut it.
    pub(crate) fn hold(&self, socket: TcpStream) {
        let mut held = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_stopped() {
            // Why the result is not looked at: a socket that is not connected any more is cut already.
            let _ = socket.shutdown(Shutdown::Both);
        }
        *held = Some(socket);
    }

    pub(super) fn stop(&self) {
        // Release: pairs with the Acquire in `is_stopped`.
        self.stopped.store(true, Ordering::Release);
        self.stop.send_replace(true);
        if let Some(socket) = self.socket.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Why the result is not looked at: as in `hold`.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}
