//! The client library: asynchronous, typed, for this server and any other that speaks Redis's protocol.
//!
//! ```no_run
//! use goredis::client::{Client, Pipeline, SetOptions};
//! use std::time::Duration;
//!
//! # async fn example() -> Result<(), goredis::client::Error> {
//! let client = Client::connect("127.0.0.1:7000").await?;
//! client.set("name", "John Doe").await?;
//! let name: Option<String> = client.get("name").await?;
//! assert_eq!(name.as_deref(), Some("John Doe"));
//!
//! let options = SetOptions::new().only_if_absent().expire_in(Duration::from_secs(60));
//! let fresh: bool = client.set_with("lock", "me", options).await?;
//!
//! let mut replies = client.run(Pipeline::new().incr("visits").ttl("lock")).await?;
//! let visits: i64 = replies.next()?;
//! # let _ = (fresh, visits);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Client`] is a handle: clone it freely. All clones share one connection, which a task of its own reads and
//! writes; requests of different tasks are pipelined by themselves, and a [`Pipeline`] is written in one piece. A
//! [`Connection`] is the plain alternative for what changes the state of a connection (SELECT, WATCH, ...).
//!
//! # What happens when something breaks
//! * **No command is ever sent twice.** If the connection is lost while a command is on its way, its caller gets
//!   [`Error::ConnectionLost`], which says whether the command may have been executed; the decision is the caller's.
//! * The next call connects again, trying a bounded number of times with growing pauses ([`Reconnect`]).
//! * A call that outlasts its time ends with [`Error::Timeout`], which says the same. One whose time ran out before it
//!   was sent never is.
//! * A connection that owes a reply and has been silent for a whole request timeout is given up.

pub mod address;
pub mod builder;
pub mod command;
pub mod connection;
mod driver;
pub mod error;
pub mod from_value;
mod handle;
pub mod info;
pub mod pipeline;
pub mod set;

pub use address::{Address, InvalidAddress};
pub use builder::{Builder, Reconnect};
pub use command::{Command, Ttl};
pub use connection::Connection;
pub use error::{Error, Executed, ServerError};
pub use from_value::FromValue;
pub use handle::Client;
pub use info::Info;
pub use pipeline::{Pipeline, Replies};
pub use set::SetOptions;

#[cfg(test)]
mod tests;
