//! Another state in the place of the database: received from the primary, or rewound to where it goes on.
//!
//! The new state is recovered beside the one that is served, from its own files, and put in its place in one store; who
//! reads meets the old one or the new. With files the old database's log is closed first, as the files are replaced;
//! reads need none. If that fails in between, for want of room perhaps, what is served stays, and what the files hold is
//! opened at the next attempt ([`reopen`]), before anything else is done.

use crate::command::context::Context;
use crate::engine::{EngineError, OpenError};
use crate::log::{self, LockFile, OsStorage, Storage};
use crate::lsn::Lsn;
use crate::replication::incoming::{Incoming, IncomingError, Received};
use crate::replication::{OpenWish, Opener};

/// Why a state could not be put in place.
#[derive(Debug, thiserror::Error)]
pub(super) enum InstallError {
    /// It is not all there.
    #[error(transparent)]
    Incoming(#[from] IncomingError),
    /// There are no files to be cut.
    #[error("a database in memory cannot be rewound")]
    NoFiles,
    /// The database could not be closed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The files could not be exchanged.
    #[error(transparent)]
    Files(#[from] log::OpenError),
    /// The new state could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// How the files are to be opened whose database is closed already.
pub(super) type Unopened = Option<OpenWish>;

/// Puts what was received in the place of the database.
pub(super) fn install(
    (context, opener): (&Context, &Opener),
    incoming: Incoming,
    hash_seed: u64,
    unopened: &mut Unopened,
) -> Result<(), InstallError> {
    let Received { dbfile, folder, stage } = incoming.finish()?;
    let mut wish = OpenWish { hash_seed: Some(hash_seed), ..OpenWish::default() };
    if folder.is_some() {
        wish.origin = Some(dbfile.clone());
    } else {
        *unopened = Some(wish.clone());
        context.database().stop()?;
    }
    stage.install(&LockFile::take(&dbfile)?)?;
    exchange(context, opener, wish)?;
    *unopened = None;
    Ok(())
}

/// Takes the database back to `to`, a place between two records of its log. What lies behind stays beside it.
pub(super) fn rewind(
    (context, opener): (&Context, &Opener),
    to: Lsn,
    unopened: &mut Unopened,
) -> Result<(), InstallError> {
    let old = context.database();
    let dbfile = old.log().dbfile().ok_or(InstallError::NoFiles)?;
    *unopened = Some(OpenWish::default());
    old.stop()?;
    let storage: &dyn Storage = &OsStorage;
    let kept = log::rewind(&LockFile::take(dbfile)?, to, storage)?;
    for path in kept {
        tracing::warn!(path = %path.display(), "writes that were never replicated are kept here");
    }
    reopen(context, opener, unopened)
}

/// Opens what the files hold now, if their database is closed.
pub(super) fn reopen(
    context: &Context,
    opener: &Opener,
    unopened: &mut Unopened,
) -> Result<(), InstallError> {
    if let Some(wish) = unopened {
        exchange(context, opener, wish.clone())?;
        *unopened = None;
    }
    Ok(())
}

/// Opens the database that the files hold now, and puts it in the place of the old one.
fn exchange(context: &Context, opener: &Opener, wish: OpenWish) -> Result<(), InstallError> {
    let engine = opener(OpenWish { follows: true, ..wish })?;
    let old = context.replace_database(engine);
    // Why: of a database in memory the threads still run, and who waits for its log to go on waits for nothing.
    old.tell_progress();
    Ok(old.stop()?)
}
