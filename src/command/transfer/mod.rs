//! Commands that take values out of the server as bytes, and bring them in: DUMP, RESTORE, MIGRATE.
//!
//! | file | owns |
//! |---|---|
//! | [`portable`] | the store's values as those of [`crate::rdb`], and back |
//! | [`dump`] | DUMP |
//! | [`restore`] | RESTORE |
//! | [`migrate`] | MIGRATE: its arguments, and what it does to the keys |
//! | [`peer`] | the conversation with the server that MIGRATE sends keys to |

pub mod dump;
pub mod migrate;
pub mod peer;
pub mod portable;
pub mod restore;

use crate::command::bind::{Binding, plain};

/// Which function runs which command.
pub(super) const BINDINGS: &[(&str, Binding)] = &[
    ("dump", plain(dump::dump)),
    ("restore", plain(restore::restore)),
    ("migrate", plain(migrate::migrate)),
];
