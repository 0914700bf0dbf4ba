//! Embedded use: a database in this process, without a server.
//!
//! ```
//! use goredis::Db;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("data.db");
//! let db = Db::open(&path)?;
//! db.set(b"name", b"John Doe")?;
//! assert_eq!(db.get(b"name")?.as_deref(), Some(&b"John Doe"[..]));
//! let visits = db.transaction(|txn| {
//!     let visits = txn.append(0, b"visits", b"|")?;
//!     Ok::<_, goredis::engine::WrongType>(visits)
//! })??;
//! assert_eq!(visits, 1);
//! # Ok(())
//! # }
//! ```

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use crate::clock::Millis;
use crate::engine::{Engine, EngineError, EngineOptions, OpenError, Txn};
use crate::log::{FsyncPolicy, Location, LogOptions};
use crate::lsn::Lsn;
use crate::store::version::Value;

/// An open database; the same engine that the server runs. Cheap to clone; closed when the last clone is dropped.
///
/// # Consistency
/// Each call is linearizable, [`Db::transaction`] serializable. What has been returned survives the death of the
/// process; with [`FsyncPolicy::Always`] it survives power loss.
#[derive(Clone, Debug)]
pub struct Db {
    open: Arc<Open>,
}

/// The engine, for as long as it is open.
#[derive(Debug)]
struct Open(Arc<Engine>);

impl Drop for Open {
    fn drop(&mut self) {
        // Why not left to the engine's own drop: a background thread may hold the engine for the length of a nap, and
        // with it the files' lock.
        if let Err(error) = self.0.stop() {
            tracing::error!(%error, "the database was not closed cleanly");
        }
    }
}

impl Db {
    /// Opens the database at `path`, making it if there is none. Its files are locked against other processes.
    ///
    /// # Errors
    /// [`OpenError`], in one sentence that names the file and what to do.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let location = Location::Files { dbfile: path.as_ref().to_owned() };
        Self::open_with(EngineOptions::new(LogOptions::new(location)))
    }

    /// Opens a database that is kept in memory only.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn in_memory() -> Result<Self, OpenError> {
        Self::open_with(EngineOptions::new(LogOptions::new(Location::Memory)))
    }

    /// Opens a database as `options` say.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn open_with(options: EngineOptions) -> Result<Self, OpenError> {
        Ok(Self { open: Arc::new(Open(Engine::open(options, &|_| {})?.0)) })
    }

    /// The engine beneath.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.open.0
    }

    /// Runs a transaction until it takes effect; `f` may run several times. Blocks for durability where the policy
    /// wants it.
    ///
    /// # Errors
    /// [`EngineError`] when nothing was written.
    pub fn transaction<R>(&self, mut f: impl FnMut(&mut Txn<'_>) -> R) -> Result<R, EngineError> {
        let mut batch = self.engine().batch(Millis::now(), true);
        let result = batch.run(|txn| Ok::<_, Infallible>(f(txn)));
        let seen = batch.seen();
        drop(batch);
        let Ok(result) = result?;
        self.wait_durable(seen)?;
        Ok(result)
    }

    fn wait_durable(&self, lsn: Lsn) -> Result<(), EngineError> {
        if self.engine().fsync() == FsyncPolicy::Always {
            self.engine().log.wait_durable_blocking(lsn)?;
        }
        Ok(())
    }

    /// The value of a string key of database 0.
    ///
    /// # Errors
    /// As [`Db::transaction`]; [`EngineError::WrongType`].
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.transaction(|txn| {
            let found = txn.get_string(0, key)?;
            Ok(found.map(|live| live.value.bytes(&mut itoa::Buffer::new()).to_vec()))
        })?
    }

    /// Sets a string key of database 0.
    ///
    /// # Errors
    /// As [`Db::transaction`].
    pub fn set(&self, key: &[u8], value: &[u8]) -> Result<(), EngineError> {
        self.transaction(|txn| txn.put(0, key, Value::Str(value), None))
    }

    /// Removes a key of database 0; tells whether it was there.
    ///
    /// # Errors
    /// As [`Db::transaction`].
    pub fn delete(&self, key: &[u8]) -> Result<bool, EngineError> {
        self.transaction(|txn| txn.delete(0, key))
    }

    /// Closes the database: everything is on stable storage when this returns. Other clones get errors from then on.
    ///
    /// # Errors
    /// When the last sync fails.
    pub fn close(self) -> Result<(), EngineError> {
        self.engine().stop()
    }
}
