//! A data set into the staged databases, and these into force: for a link, and for a program that has a file.
//!
//! Each key is one ordinary transaction: one record, and nothing that others could come in the way of. Until
//! [`Loader::install`] nobody sees anything of it; a loader that is dropped before takes everything back.

use std::convert::Infallible;
use std::sync::Arc;

use crate::clock::Millis;
use crate::command::transfer::portable::import;
use crate::engine::{Batch, DbIndex, Engine, EngineError, Use};
use crate::rdb::file::{FileError, FileReader, Found, Ignored, Item, Key, Used};
use crate::rdb::{HashEntry, Limits, Value};

/// Longest string: the most that Redis lets a client send by default.
const STRING_BYTES_MAX: usize = 512 << 20;
/// Longest key with its value.
const ITEM_BYTES_MAX: usize = 3 << 30;
/// Bytes after which the loader comes back to its caller, and lets others free memory.
const TURN_BYTES: usize = 1 << 20;

/// Why a data set was not loaded. The databases are as before.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A key of a database that there is not.
    #[error("there are keys in database {found}, but `databases` is {databases}: raise it to at least {}", found + 1)]
    Databases {
        /// The database.
        found: u64,
        /// The setting.
        databases: DbIndex,
    },
    /// It is longer or shorter than its sender said.
    #[error("the data set ends at byte {found}, though it was said to have {said}")]
    Length {
        /// Where its end is.
        found: u64,
        /// Where it should be.
        said: u64,
    },
    /// The database takes no writes.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What became of the bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// So many were taken; the caller passes over them.
    pub bytes: usize,
    /// What to do then.
    pub then: Then,
}

/// What a loader wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// At least so many bytes more than are left.
    More(usize),
    /// To be called again with what is left: it has done enough for once.
    Again,
    /// Nothing: the data set is over.
    Nothing,
}

/// What was loaded, and what was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Keys.
    pub keys: u64,
    /// Keys that were left out because their time had passed.
    pub expired: u64,
    /// Keys with an empty collection, which are none.
    pub empty: u64,
    /// Libraries of functions that were left out.
    pub functions: u64,
    /// Notes of modules that were left out.
    pub module_notes: u64,
}

/// Loads one data set.
#[derive(Debug)]
pub struct Loader {
    engine: Arc<Engine>,
    reader: FileReader,
    loaded: Loaded,
    keeps_expired: bool,
    installed: bool,
}

impl Loader {
    /// Begins with nothing staged. A replica keeps what has expired: its primary removes it; who has only a file leaves
    /// it out.
    ///
    /// # Errors
    /// The database takes no writes.
    pub fn begin(engine: Arc<Engine>, keeps_expired: bool) -> Result<Self, LoadError> {
        let limits = Limits { string_bytes_max: STRING_BYTES_MAX, unpacked_bytes_max: 2 * STRING_BYTES_MAX };
        let reader = FileReader::new(limits, ITEM_BYTES_MAX);
        alone(&engine, Staged::Discard)?;
        Ok(Self { engine, reader, loaded: Loaded::default(), keeps_expired, installed: false })
    }

    /// How many bytes of the data set are taken.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// What is loaded so far.
    pub fn loaded(&self) -> Loaded {
        self.loaded
    }

    /// Stages the keys that are whole in `bytes`, which begin where those taken before ended.
    ///
    /// # Errors
    /// What came is not understood, or the database takes no writes. The loader is of no use after it.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Taken, LoadError> {
        let engine = Arc::clone(&self.engine);
        let mut batch = engine.batch_as_follower(Millis::now());
        let mut at = 0;
        let then = loop {
            match self.reader.next(&bytes[at..])? {
                Found::Incomplete(wants) => break Then::More(wants),
                Found::Item(item, len) => {
                    at += len;
                    match item {
                        Item::End => break Then::Nothing,
                        Item::Key(key) => self.stage(&mut batch, &key)?,
                        Item::Empty(_) => self.loaded.empty += 1,
                        Item::Ignored(Ignored::Functions) => self.loaded.functions += 1,
                        Item::Ignored(Ignored::Module) => self.loaded.module_notes += 1,
                        Item::Head(_) | Item::Aux(..) | Item::Sizes(_) | Item::Noted => {}
                    }
                    if at >= TURN_BYTES {
                        break Then::Again;
                    }
                }
            }
        };
        Ok(Taken { bytes: at, then })
    }

    /// The bytes ended: the error that this is before the data set's end.
    pub fn cut(&self) -> LoadError {
        FileError::Truncated(self.offset()).into()
    }

    fn stage(&mut self, batch: &mut Batch<'_>, key: &Key<'_>) -> Result<(), LoadError> {
        let databases = self.engine.databases();
        let none = LoadError::Databases { found: key.db, databases };
        let db = DbIndex::try_from(key.db).ok().and_then(|db| self.engine.staged(db)).ok_or(none)?;
        if !self.keeps_expired && is_over(key, batch.now()) {
            self.loaded.expired += 1;
            return Ok(());
        }
        let used = key.used.map(|used| match used {
            Used::IdleSeconds(seconds) => Use::IdleSeconds(seconds),
            Used::Frequency(frequency) => Use::Frequency(frequency),
        });
        let put = batch.run(|txn| {
            import(txn, (db, &key.key), &key.value, key.expiry);
            if let Some(used) = used {
                txn.set_use(db, &key.key, used);
            }
            Ok::<_, Infallible>(())
        });
        let Ok(()) = put?;
        self.loaded.keys += 1;
        Ok(())
    }

    /// Puts the data set in the place of all databases, at once.
    ///
    /// # Errors
    /// The database takes no writes.
    pub fn install(mut self) -> Result<Loaded, LoadError> {
        alone(&self.engine, Staged::Install)?;
        self.installed = true;
        Ok(self.loaded)
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        if !self.installed
            && let Err(error) = alone(&self.engine, Staged::Discard)
        {
            tracing::warn!(%error, "what was loaded in vain stays in memory until the next attempt");
        }
    }
}

/// Whether a key, or each field of its hash, is over at `now`.
fn is_over(key: &Key<'_>, now: Millis) -> bool {
    let field_is_over = |field: &HashEntry<'_>| field.expiry.is_some_and(|end| end <= now);
    key.expiry.is_some_and(|end| end <= now)
        || matches!(&key.value, Value::Hash(fields) if fields.iter().all(field_is_over))
}

/// Drops what has been staged of a data set, by whomever; tells whether there was anything.
///
/// # Errors
/// The database takes no writes.
pub fn discard(engine: &Engine) -> Result<bool, EngineError> {
    let mut batch = engine.batch_as_follower(Millis::now());
    let Ok(is_staged) = batch.run(|txn| {
        let staged = (0..engine.databases()).filter_map(|db| engine.staged(db));
        Ok::<_, Infallible>(staged.map(|db| txn.len(db)).sum::<u64>() > 0)
    })?;
    drop(batch);
    if is_staged {
        alone(engine, Staged::Discard)?;
    }
    Ok(is_staged)
}

/// What becomes of what is staged.
#[derive(Clone, Copy, Debug)]
enum Staged {
    Discard,
    Install,
}

fn alone(engine: &Engine, staged: Staged) -> Result<(), EngineError> {
    let mut batch = engine.batch_as_follower(Millis::now());
    let Ok(()) = batch.run_alone(|txn| {
        match staged {
            Staged::Discard => txn.discard_staged(),
            Staged::Install => txn.install_staged(),
        }
        Ok::<_, Infallible>(())
    })?;
    Ok(())
}
