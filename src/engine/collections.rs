//! An attempt's reads and writes of lists, sets, hashes and sorted sets.
//!
//! A write is a *draft*: a command's closure changes it, and what comes of it becomes the attempt's version of the key.
//! Nothing left means that the key is deleted. What is logged is what was changed, unless the key was absent before.
//!
//! Trees have one owner ([`crate::store::value::ledger`]). In an attempt that is whatever version it has of a key: its
//! own write or what it found. A draft hands the tree on to the version that it becomes, a rename to that of the other
//! key; whatever else replaces a version drops its trees.

use crate::clock::Millis;
use crate::engine::txn::{Change, Edits, Txn, WrongType};
use crate::engine::{DbIndex, Engine};
use crate::store::value::collection::{Collection, HashRef, ListRef, SetRef, SortedRef, Trees, Type};
use crate::store::value::draft::{
    Built, Damaged, Delta, Desk, HashDraft, ListDraft, Outcome, SetDraft, SortedDraft, load,
};
use crate::store::value::ledger::Ledger;
use crate::store::version::{CollectionRef, OwnedVersion, Value, ValueRef, VersionPtr};

/// What became of the fields of a hash whose time had come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ExpiredFields {
    /// How many there were.
    pub removed: usize,
    /// Whether the hash went with the last of them.
    pub is_gone: bool,
    /// When the next one's time comes.
    pub next: Option<Millis>,
}

macro_rules! reads_and_edits {
    ($variant:ident, $reference:ident, $draft:ident, $read:ident, $peek:ident, $edit:ident, $what:literal) => {
        #[doc = concat!("Reads a ", $what, " and counts the use.")]
        ///
        /// # Errors
        /// [`WrongType`].
        pub fn $read(&mut self, db: DbIndex, key: &[u8]) -> Result<Option<$reference<'g>>, WrongType> {
            match self.get(db, key).map(|live| live.value.collection()) {
                None => Ok(None),
                Some(Some(Collection::$variant(found))) => Ok(Some(found)),
                Some(_) => Err(WrongType),
            }
        }

        #[doc = concat!("Reads a ", $what, " without counting the use.")]
        ///
        /// # Errors
        /// [`WrongType`].
        pub fn $peek(&mut self, db: DbIndex, key: &[u8]) -> Result<Option<$reference<'g>>, WrongType> {
            match self.peek(db, key).map(|live| live.value.collection()) {
                None => Ok(None),
                Some(Some(Collection::$variant(found))) => Ok(Some(found)),
                Some(_) => Err(WrongType),
            }
        }

        #[doc = concat!("Changes a ", $what, ", which is empty where the key is absent; left empty, the key goes. The")]
        /// expiry stays. A failure of `f` leaves everything as it was.
        ///
        /// # Errors
        /// [`WrongType`], and those of `f`.
        pub fn $edit<R, E: From<WrongType>>(
            &mut self,
            db: DbIndex,
            key: &[u8],
            f: impl FnOnce(&mut $draft<'_>) -> Result<R, E>,
        ) -> Result<R, E> {
            self.edit_collection(db, key, Type::$variant, |old, desk| {
                let old = old.and_then(|old| match old {
                    Collection::$variant(old) => Some(old),
                    _ => None,
                });
                let mut draft = $draft::new(old, desk);
                let result = f(&mut draft);
                (result, draft.finish())
            })
        }
    };
}

impl<'g> Txn<'g> {
    reads_and_edits!(List, ListRef, ListDraft, get_list, peek_list, edit_list, "list");
    reads_and_edits!(Set, SetRef, SetDraft, get_set, peek_set, edit_set, "set");
    reads_and_edits!(Hash, HashRef, HashDraft, get_hash, peek_hash, edit_hash, "hash");
    reads_and_edits!(
        SortedSet,
        SortedRef,
        SortedDraft,
        get_sorted_set,
        peek_sorted_set,
        edit_sorted_set,
        "sorted set"
    );

    fn edit_collection<R, E: From<WrongType>>(
        &mut self,
        db: DbIndex,
        key: &[u8],
        of: Type,
        run: impl FnOnce(Option<Collection<'g>>, Desk<'_>) -> (Result<R, E>, Outcome),
    ) -> Result<R, E> {
        let at = self.access(db, key);
        let live = self.edited_live(at);
        let old = live.map(|live| live.value.collection().filter(|old| old.type_of() == of));
        let old = old.map(|old| old.ok_or(WrongType)).transpose()?;
        let is_there = live.is_some();
        let mut ledger = self.ledger.take().unwrap_or_default();
        let before = self.begin_edit(at, is_there, &mut ledger);
        let mark = ledger.savepoint();
        let desk = Desk { now: self.now(), limits: self.engine.limits.load(), ledger: &mut ledger, before };
        let (result, outcome) = run(old, desk);
        if result.is_err() || !outcome.is_changed || !is_there && outcome.built.is_none() {
            self.leave_edit(at, outcome, &mut ledger, mark);
            self.ledger = Some(ledger);
            return result;
        }
        self.ledger = Some(ledger);
        let expiry = live.and_then(|live| live.expiry);
        if let Some(trees) = self.accesses[at].current().and_then(VersionPtr::trees)
            && !is_there
        {
            // What it holds is over: nobody hands it on.
            self.drop_trees(trees);
        }
        let change = self.edited(at, is_there, outcome.deltas, false);
        match &outcome.built {
            None => self.hand_on(at, OwnedVersion::new(key, None, None, 0), Change::Delete),
            Some(built) => {
                let value = Some(Value::Collection(built));
                let version = OwnedVersion::new(key, value, expiry, self.fresh_use(at));
                self.hand_on(at, version, change);
            }
        }
        result
    }

    /// How a changed collection is logged: by its changes, where the state that they refer to is in the log.
    fn edited(&mut self, at: usize, is_there: bool, deltas: Vec<Delta>, expires: bool) -> Change {
        let Some(write) = &mut *self.accesses[at].write else {
            return if is_there { Change::Edit(Box::new(Edits { deltas, expires })) } else { Change::Put };
        };
        // Why it may be taken: another write is about to take the place of this one.
        match std::mem::replace(&mut write.change, Change::Put) {
            Change::Edit(mut edits) if is_there => {
                // Why: those of a group have been added to what was before already.
                if edits.deltas.is_empty() {
                    edits.deltas = deltas;
                } else {
                    edits.deltas.extend(deltas);
                }
                edits.expires |= expires;
                Change::Edit(edits)
            }
            _ => Change::Put,
        }
    }

    /// Changes only the expiry of a collection that is there.
    pub(super) fn set_collection_expiry(
        &mut self,
        at: usize,
        key: &[u8],
        collection: CollectionRef<'g>,
        expiry: Option<Millis>,
    ) {
        let built = collection.to_built();
        let version = OwnedVersion::new(key, Some(Value::Collection(&built)), expiry, self.fresh_use(at));
        let change = self.edited(at, true, Vec::new(), true);
        self.hand_on(at, version, change);
    }

    /// Puts a collection of these entries ([`crate::store::value::form`]) in a key's place, no two of them with the same
    /// key; without any the key goes.
    ///
    /// # Errors
    /// [`Damaged`] when an entry is none of that type.
    pub fn put_collection(
        &mut self,
        db: DbIndex,
        key: &[u8],
        of: Type,
        entries: Vec<&[u8]>,
        expiry: Option<Millis>,
    ) -> Result<(), Damaged> {
        let mut ledger = self.ledger.take().unwrap_or_default();
        let loaded = load(of, entries, &self.engine.limits.load(), &mut ledger);
        self.ledger = Some(ledger);
        let Some(built) = loaded? else {
            self.delete(db, key);
            return Ok(());
        };
        self.put_built(db, key, &built, expiry);
        Ok(())
    }

    fn put_built(&mut self, db: DbIndex, key: &[u8], built: &Built, expiry: Option<Millis>) {
        let at = self.access(db, key);
        let version = OwnedVersion::new(key, Some(Value::Collection(built)), expiry, self.fresh_use(at));
        self.write(at, version, Change::Put);
    }

    /// Copies value and expiry of a key that is there to another; tells whether it was there.
    pub fn copy(&mut self, db: DbIndex, key: &[u8], to: (DbIndex, &[u8])) -> bool {
        let at = self.access(db, key);
        let Some(live) = self.live(at) else { return false };
        match live.value {
            ValueRef::String(string) => self.put(to.0, to.1, string.to_value(), live.expiry),
            ValueRef::Collection(collection) => {
                let read = collection.read();
                let copied = self.put_collection(
                    to.0,
                    to.1,
                    read.type_of(),
                    read.entries().forward(0).collect(),
                    live.expiry,
                );
                debug_assert!(copied.is_ok(), "what a collection holds are its entries");
            }
        }
        true
    }

    /// Brings value and expiry of a key that is there to another key, and deletes it; tells whether it was there.
    pub fn rename(&mut self, db: DbIndex, key: &[u8], to: (DbIndex, &[u8])) -> bool {
        let at = self.access(db, key);
        let Some(live) = self.live(at) else { return false };
        match live.value {
            ValueRef::String(string) => {
                self.put(to.0, to.1, string.to_value(), live.expiry);
                self.delete(db, key);
            }
            ValueRef::Collection(collection) => {
                self.put_built(to.0, to.1, &collection.to_built(), live.expiry);
                self.hand_on(at, OwnedVersion::new(key, None, None, 0), Change::Delete);
            }
        }
        true
    }

    /// Removes fields of a hash whose time has come, some at a time.
    pub(super) fn expire_fields(&mut self, db: DbIndex, key: &[u8]) -> ExpiredFields {
        /// Fields that one write removes.
        const FIELDS_MAX: usize = 256;
        let Ok(Some(hash)) = self.peek_hash(db, key) else { return ExpiredFields::default() };
        let over = hash.over(self.now(), FIELDS_MAX);
        if over.is_empty() {
            return ExpiredFields { next: hash.next_expiry(), ..ExpiredFields::default() };
        }
        let removed = self.edit_hash(db, key, |draft| {
            for field in &over {
                draft.remove(field);
            }
            Ok::<_, WrongType>(())
        });
        let left = self.peek_hash(db, key).ok().flatten();
        let next = left.and_then(|hash| hash.next_expiry());
        ExpiredFields { removed: if removed.is_ok() { over.len() } else { 0 }, is_gone: left.is_none(), next }
    }

    /// Notes that no version of the attempt has these trees any more.
    #[cold]
    pub(super) fn drop_trees(&mut self, trees: Trees) {
        self.ledger.get_or_insert_default().drop_trees(trees);
    }

    /// Makes what the attempt has written independent of the trees that a flushed database keeps until it is freed
    /// whole: trees of versions that stay are copied, and the versions that they replace drop theirs.
    pub(super) fn part_from_flushed(&mut self, db: Option<DbIndex>) {
        let mut ledger = self.ledger.take().unwrap_or_default();
        ledger.restart();
        for access in &mut self.accesses {
            if db.is_none_or(|db| access.db == db) {
                continue;
            }
            let Some(write) = &mut *access.write else { continue };
            if let Some(trees) = access.found.and_then(|found| found.version.trees()) {
                ledger.drop_trees(trees);
            }
            if write.version.as_ptr().trees().is_none() {
                continue;
            }
            if let Some(ValueRef::Collection(collection)) = write.version.value() {
                let read = collection.read();
                let entries = read.entries().forward(0).collect();
                let built = load(read.type_of(), entries, &self.engine.limits.load(), &mut ledger);
                let built = built.expect("what a collection holds are its entries");
                let version = write.version.as_ptr();
                let access_word = version.access().load(crate::sync::Ordering::Relaxed);
                let copy = OwnedVersion::new(
                    write.version.key(),
                    built.as_ref().map(Value::Collection),
                    version.expiry(),
                    access_word,
                );
                write.replace_version(copy);
            }
        }
        self.ledger = Some(ledger);
    }

    /// The attempt has taken effect: frees what it took out of the published trees.
    #[inline]
    pub(super) fn settle_trees(&mut self) {
        if let Some(ledger) = self.ledger.take() {
            self.engine.free_trees(*ledger);
        }
    }
}

impl Engine {
    #[cold]
    fn free_trees(&self, mut ledger: Ledger) {
        // SAFETY: called when the attempt's versions have taken the place of those that it found.
        let dropped = unsafe { ledger.settle_won() };
        for tree in dropped {
            self.dropped.push(tree);
        }
    }
}
