//! What an effect makes of a key: shared by recovery, which has the databases for itself, and by a database that follows
//! another's log under the eyes of its readers.

use crate::clock::Millis;
use crate::engine::effect::{Effect, Stored, decode_edits, overwritten};
use crate::engine::usage::Usage;
use crate::store::value::block::Block;
use crate::store::value::collection::{Collection, Type};
use crate::store::value::draft::{Desk, apply, load};
use crate::store::value::ledger::Ledger;
use crate::store::value::limits::Limits;
use crate::store::version::{OwnedVersion, Value, ValueRef, VersionPtr};

/// What new versions depend on beside the effect.
#[derive(Debug)]
pub(super) struct Maker<'m> {
    pub limits: &'m Limits,
    pub usage: &'m Usage,
    /// Whether a collection that is absent is edited as one without entries: see [`crate::engine::parts`].
    pub mends: bool,
}

/// The version that an effect changes.
#[derive(Clone, Copy)]
pub(super) struct Old<'g>(VersionPtr, std::marker::PhantomData<&'g ()>);

impl<'g> Old<'g> {
    /// # Safety
    /// The version is kept, by a guard or by its owner, for as long as `'g`.
    pub unsafe fn new(version: VersionPtr) -> Self {
        Self(version, std::marker::PhantomData)
    }

    fn value(self) -> Option<ValueRef<'g>> {
        // SAFETY: kept for `'g`, says who made this.
        unsafe { self.0.value() }
    }

    /// Notes that its trees end with it.
    fn drop_trees(self, ledger: &mut Ledger) {
        if let Some(trees) = self.0.trees() {
            ledger.drop_trees(trees);
        }
    }
}

impl Maker<'_> {
    /// The version that the effect of a record of `time` makes of `old`; none where it is a delta, and `old` is not what it
    /// was made on. Not for effects on whole databases.
    pub fn remake(
        &self,
        effect: &Effect<'_>,
        old: Old<'_>,
        time: Millis,
        ledger: &mut Ledger,
    ) -> Option<OwnedVersion> {
        let fresh = || self.usage.fresh(None, time);
        match *effect {
            Effect::Put { key, ref value, expiry, .. } => {
                old.drop_trees(ledger);
                self.stored(key, value, expiry, fresh(), ledger)
            }
            Effect::Delete { key, .. } => {
                old.drop_trees(ledger);
                Some(OwnedVersion::new(key, None, None, 0))
            }
            // Why kept without a value: what follows may be an edit that begins anew, and leaves the expiry as it is.
            Effect::Expire { key, expiry, .. } if self.mends && old.value().is_none() => {
                Some(OwnedVersion::new(key, None, expiry, 0))
            }
            Effect::Expire { key, expiry, .. } => Some(match old.value()? {
                ValueRef::String(string) => OwnedVersion::new(key, Some(string.to_value()), expiry, fresh()),
                ValueRef::Collection(collection) => {
                    let built = collection.to_built();
                    OwnedVersion::new(key, Some(Value::Collection(&built)), expiry, fresh())
                }
            }),
            Effect::Append { key, suffix, .. } => {
                let mut digits = itoa::Buffer::new();
                let bytes = [old.value()?.string()?.bytes(&mut digits), suffix].concat();
                Some(self.edited(key, &bytes, old, time))
            }
            Effect::Overwrite { key, offset, bytes, .. } => {
                let mut digits = itoa::Buffer::new();
                let bytes = overwritten(old.value()?.string()?.bytes(&mut digits), offset as usize, bytes);
                Some(self.edited(key, &bytes, old, time))
            }
            Effect::Edit { key, of, ref edits, expiry, .. } => {
                let desk = Desk::new(time, *self.limits, ledger);
                let collection = match old.value() {
                    Some(value) => value.collection()?,
                    None if self.mends => Collection::empty(of?)?,
                    None => return None,
                };
                let built = apply(collection, decode_edits(edits).flatten(), desk).ok()?;
                let expiry = expiry.unwrap_or_else(|| old.0.expiry());
                let value = built.as_ref().map(Value::Collection);
                Some(OwnedVersion::new(key, value, expiry, fresh()))
            }
            Effect::Part { .. } | Effect::Flush { .. } | Effect::FlushAll | Effect::Swap { .. } => None,
        }
    }

    /// A version of a value that was logged; none where it is none of its type.
    pub fn stored(
        &self,
        key: &[u8],
        value: &Stored<'_>,
        expiry: Option<Millis>,
        access: u32,
        ledger: &mut Ledger,
    ) -> Option<OwnedVersion> {
        match value {
            Stored::String(string) => Some(OwnedVersion::new(key, Some(string.to_value()), expiry, access)),
            Stored::Collection(of, block) => {
                self.collected(key, *of, Block::of(block).iter().collect(), expiry, access, ledger)
            }
        }
    }

    /// A version of a collection with these entries; none where they are none of its type, or there are none.
    pub fn collected(
        &self,
        key: &[u8],
        of: Type,
        entries: Vec<&[u8]>,
        expiry: Option<Millis>,
        access: u32,
        ledger: &mut Ledger,
    ) -> Option<OwnedVersion> {
        let built = load(of, entries, self.limits, ledger).ok()??;
        Some(OwnedVersion::new(key, Some(Value::Collection(&built)), expiry, access))
    }

    fn edited(&self, key: &[u8], bytes: &[u8], old: Old<'_>, time: Millis) -> OwnedVersion {
        OwnedVersion::new(key, Some(Value::Raw(bytes)), old.0.expiry(), self.usage.fresh(None, time))
    }
}
