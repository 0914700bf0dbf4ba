//! Which keys a try may take from: nobody is overtaken who has waited for longer.

use crate::command::call::{Call, CommandError};
use crate::engine::WrongType;
use crate::store::value::collection::{ListRef, SortedRef, Type};

/// What kind of try it is.
#[derive(Clone, Copy, Debug)]
pub enum Turn<'t> {
    /// Of a command that does not wait: it takes what there is.
    Now,
    /// The first of a command that waits if need be: it leaves to others what they have waited for. A key of another
    /// type is an error.
    First,
    /// Of a command that waits: whether it is the oldest at each of its keys. A key of another type has nothing.
    Called(&'t [bool]),
}

impl Turn<'_> {
    /// The list under a key, which is at this position among those that are waited for, if there is one to take from.
    pub(in crate::command) fn list<'g>(
        self,
        call: &mut Call<'_, 'g>,
        at: usize,
        key: &[u8],
    ) -> Result<Option<ListRef<'g>>, CommandError> {
        if self.is_none_at(at) {
            return Ok(None);
        }
        let db = call.db();
        let found = call.txn.peek_list(db, key);
        self.allow(call, found, key, Type::List)
    }

    /// As [`Turn::list`], for a sorted set.
    pub(in crate::command) fn sorted_set<'g>(
        self,
        call: &mut Call<'_, 'g>,
        at: usize,
        key: &[u8],
    ) -> Result<Option<SortedRef<'g>>, CommandError> {
        if self.is_none_at(at) {
            return Ok(None);
        }
        let db = call.db();
        let found = call.txn.peek_sorted_set(db, key);
        self.allow(call, found, key, Type::SortedSet)
    }

    fn is_none_at(self, at: usize) -> bool {
        matches!(self, Self::Called(turns) if !turns.get(at).copied().unwrap_or_default())
    }

    fn allow<T>(
        self,
        call: &Call<'_, '_>,
        found: Result<Option<T>, WrongType>,
        key: &[u8],
        of: Type,
    ) -> Result<Option<T>, CommandError> {
        match (self, found) {
            (Self::Called(_), Err(WrongType)) => Ok(None),
            (Self::First, Ok(Some(_))) if call.context.engine().is_waited_for(call.db(), of, key) => Ok(None),
            (_, found) => Ok(found?),
        }
    }
}
