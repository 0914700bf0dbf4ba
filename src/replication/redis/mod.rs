//! Following a real Redis or Valkey (versions 6 to 8): its data set, then every write in order, until it is told to stop.
//! Migration without downtime: follow, let the clients change over, follow no more.
//!
//! This server then is to its primary what any replica is, and the writer of a history of its own: what comes is
//! written by ordinary transactions, so who follows this server gets it as well. Clients' writes are refused meanwhile.
//!
//! | file | owns |
//! |---|---|
//! | this one | the one entry, [`follow`]; what it may end with |
//! | [`load`] | a data set into the staged databases, and these into force; also for programs |
//! | `link` | the connection: bytes that have come, waiting for more, the end |
//! | `handshake` | who we are, and where to go on |
//! | `sync` | a data set off the connection |
//! | `stream` | the writes, and how far we are |
//! | `absolute` | times from now on, as old primaries send them, as times |
//!
//! # Consistency
//!
//! * A data set is put together beside what there is (`engine::staging`): until it is there as a whole, readers see what
//!   was there before; then, in one instant, all of the new. Memory holds both for as long as that takes. A data set that
//!   does not arrive whole, or has a key of a type that is not known here, changes nothing.
//! * The primary's commands take effect in its order, a transaction as one. One that is not known here, or fails here,
//!   is not passed over: it ends the link, which says which it was.
//! * A key whose time has come is hidden from readers at once and removed when the primary says so. To the primary's
//!   commands it is there until then, as it was when they ran.
//! * After a cut the link goes on where it was, if the primary still can ([`Place`]); the place is not in the files, so
//!   after a restart of this server the data set comes again.
//! * Scripts and functions are not taken over; of what scripts do, the effects come. What modules keep is refused with
//!   their values' keys.

mod absolute;
mod handshake;
mod link;
pub mod load;
mod stream;
mod sync;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::command::apply::ApplyError;
use crate::command::context::Context;
use crate::engine::{DbIndex, EngineError};
use crate::rdb::file::FileError;
use crate::replication::broken::LinkError;
use crate::resp::ProtocolError;
use handshake::Answer;
use link::Link;
pub use load::LoadError;

/// What the primary is told, and what is expected of it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The user to authenticate as; empty: the default one.
    pub user: Vec<u8>,
    /// Its password; empty: none is told.
    pub password: Vec<u8>,
    /// The port at which this server is to be found.
    pub listening_port: u16,
    /// The address at which this server is to be found, if it is not that of the connection.
    pub announced_address: Option<String>,
    /// Without a sign of the primary for so long, it is taken for gone.
    pub timeout: Duration,
}

/// How far a primary's writes are here: where the next link goes on.
///
/// Invariant: the databases are as the primary's were when it had sent so much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the primary's history.
    pub history: Box<str>,
    /// Bytes of it that have taken effect.
    pub offset: u64,
    /// The database in which the next command runs.
    pub db: DbIndex,
}

/// How a link comes along; each time that it is told, something has come from the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The two are finding out where to go on.
    Handshake,
    /// The data set is coming.
    DataSet {
        /// Bytes that have come.
        done: u64,
        /// All, if the primary knows it.
        total: Option<u64>,
    },
    /// The link goes on where it was.
    Continued,
    /// The data set is in force.
    Installed {
        /// Its keys.
        keys: u64,
    },
    /// Writes come; so many bytes of the primary's history have taken effect.
    Live {
        /// Bytes.
        offset: u64,
    },
}

/// Why a link ended without being told to.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The link broke.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The primary cannot be followed at the moment.
    #[error("the primary is not ready: {0}")]
    NotReady(String),
    /// What came is none of the protocol.
    #[error("the primary sent what is not expected {place}: \"{bytes}\"")]
    Unexpected {
        /// Where in the conversation.
        place: &'static str,
        /// What came.
        bytes: String,
    },
    /// What came is no command.
    #[error("the primary sent what is no command: {0}")]
    Protocol(#[from] ProtocolError),
    /// The data set.
    #[error("the primary's data set cannot be taken over: {0}")]
    DataSet(#[from] LoadError),
    /// A write.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The database takes no writes.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<io::Error> for FollowError {
    fn from(error: io::Error) -> Self {
        LinkError::from(error).into()
    }
}

impl FollowError {
    /// Whether trying again comes to the same until somebody changes something.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Link(_)
            | Self::NotReady(_)
            | Self::Engine(_)
            | Self::Unexpected { .. }
            | Self::Protocol(_) => false,
            Self::DataSet(error) => !matches!(
                error,
                LoadError::Engine(_) | LoadError::File(FileError::Checksum { .. } | FileError::Truncated(_))
            ),
            Self::Apply(error) => !matches!(error, ApplyError::Engine(_)),
        }
    }
}

/// Follows the primary at the other end of `stream` until `stop` is true. `place` is where to go on, if the databases
/// are as some link has left them; when this returns it is where the next may.
///
/// # Errors
/// Why the link ended. The databases are as before, or as they were at some moment in the primary.
pub async fn follow(
    context: &Arc<Context>,
    stream: TcpStream,
    settings: &Settings,
    place: &mut Option<Place>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    stop: watch::Receiver<bool>,
) -> Result<(), FollowError> {
    let engine = context.database();
    if !engine.follows() {
        engine.set_follows(true)?;
    }
    let mut link = Link::new(Arc::clone(context), stream, settings.timeout, stop);
    let ended = run(context, &mut link, settings, place, progress).await;
    if let Err(FollowError::Apply(ApplyError::Failed { .. } | ApplyError::Order(_))) = ended {
        // Why: here and there are not the same any more.
        *place = None;
    }
    match ended {
        Err(_) if link.is_stopped() => Ok(()),
        ended => ended,
    }
}

async fn run(
    context: &Arc<Context>,
    link: &mut Link,
    settings: &Settings,
    place: &mut Option<Place>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), FollowError> {
    progress(Progress::Handshake);
    handshake::introduce(link, settings).await?;
    match handshake::ask(link, place.as_ref()).await? {
        Answer::Continue(history) => {
            if let (Some(place), Some(history)) = (place.as_mut(), history) {
                place.history = history;
            }
            progress(Progress::Continued);
        }
        Answer::Full { history, offset } => {
            let keys = sync::receive(context, link, progress).await?;
            *place = Some(Place { history, offset, db: 0 });
            progress(Progress::Installed { keys });
        }
    }
    let Some(place) = place else {
        return Err(FollowError::Unexpected { place: "in answer to PSYNC ? -1", bytes: "+CONTINUE".into() });
    };
    stream::apply(context, link, place, progress).await
}
