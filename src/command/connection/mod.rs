//! The commands about connections, this one and others.
//!
//! They read and change the [`Session`](super::session::Session) and the
//! [`ClientRegistry`](super::clients::ClientRegistry), never keys; so their effects are idempotent, and running
//! one again because an EXEC around it lost a conflict does no harm.

#![expect(
    clippy::missing_errors_doc,
    reason = "handlers fail with the error replies that Redis documents for their commands, as `Handler` says"
)]

mod auth;
mod basic;
mod hello;
mod kill;
mod labels;
mod list;
mod modes;
mod pause;

pub use auth::auth;
pub use basic::{client_help, client_id, echo, ping, quit, reset, select};
pub use hello::hello;
pub use kill::client_kill;
pub use labels::{client_getname, client_setinfo, client_setname};
pub use list::{client_info, client_list};
pub use modes::{client_no_evict, client_no_touch, client_reply};
pub use pause::{client_pause, client_unpause};
