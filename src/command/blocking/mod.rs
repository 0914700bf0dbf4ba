//! Commands that wait: what they have in common, and those on sorted sets.
//!
//! A blocking command first tries what its sister that does not block does. If there is nothing it leaves a [`Wait`] to
//! its connection, which takes a [`crate::engine::Seat`] for it and tries again whenever it is called, until it is
//! served, its time is up, CLIENT UNBLOCK lets it go, or its client is gone. Inside a transaction nothing waits: then the
//! answer is that of the sister.
//!
//! | file | owns |
//! |---|---|
//! | this one | the first try |
//! | `timeout` | how long to wait |
//! | `turn` | which keys a try may take from |
//! | `wait` | the tries after the first, and the answers of a wait that ends without |
//! | `unblock` | CLIENT UNBLOCK |
//! | `sorted` | BZPOPMIN, BZPOPMAX, BZMPOP |

mod sorted;
mod timeout;
mod turn;
mod unblock;
mod wait;

use std::time::Duration;

use crate::command::bind::{Binding, plain};
use crate::command::call::{Call, CommandError, Later};
use crate::store::value::collection::Type;

pub(super) use timeout::parse as parse_timeout;
pub use turn::Turn;
pub use unblock::{Unblock, Unblocking, Waiting};
pub(super) use wait::{ROLE_CHANGED, UNBLOCKED};
pub use wait::{Tried, Wait};

/// The functions of the commands of this group.
pub(super) const BINDINGS: &[(&str, Binding)] = &[
    ("bzpopmin", plain(sorted::bzpopmin)),
    ("bzpopmax", plain(sorted::bzpopmax)),
    ("bzmpop", plain(sorted::bzmpop)),
    ("client|unblock", plain(unblock::client_unblock)),
];

/// One try of a blocking command: takes from the first key that has something, as far as it is its turn there, and
/// answers with it. Gives the position of that key among those that are waited for.
pub type Try = fn(&mut Call<'_, '_>, Turn<'_>) -> Result<Option<usize>, CommandError>;

/// The absence of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// Of a value.
    Null,
    /// Of an array.
    NullArray,
}

/// A blocking command.
pub(super) struct Plan<K> {
    /// How long it waits; none: for ever.
    pub timeout: Option<Duration>,
    /// The keys that it waits for.
    pub keys: K,
    /// What it waits for under them.
    pub of: Type,
    /// The answer where there is nothing and it must not wait.
    pub absent: Absent,
    /// How it takes what it finds.
    pub try_once: Try,
}

impl<'a, K: Iterator<Item = &'a [u8]>> Plan<K> {
    /// Serves the command at once, or leaves it to its connection to wait.
    pub(super) fn run(self, call: &mut Call<'_, '_>) -> Result<(), CommandError> {
        let waits = !call.session.in_exec();
        let turn = if waits { Turn::First } else { Turn::Now };
        if (self.try_once)(call, turn)?.is_some() {
            return Ok(());
        }
        if waits {
            let keys = self.keys.map(Box::from).collect();
            let wait = Wait::new(call, self.timeout, (keys, self.of), self.try_once);
            call.later = Some(Later::Wait(Box::new(wait)));
        } else {
            match self.absent {
                Absent::Null => call.reply.null(),
                Absent::NullArray => call.reply.null_array(),
            }
        }
        Ok(())
    }
}
