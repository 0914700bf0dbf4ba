//! RESP2 and RESP3: bytes to frames and back, nothing else.
//!
//! | file | from | to |
//! |---|---|---|
//! | [`parser`] | a client's bytes | requests, as [`Span`]s over the bytes that came in |
//! | [`inline`] | a typed line | a request; and the quoting that undoes it |
//! | [`reply`] | a command's answer | the bytes of one batch of replies |
//! | [`request`] | a list of arguments | a request's bytes (clients) |
//! | [`reply_parser`] | a server's bytes | [`Value`]s (clients) |
//! | [`number`] | text | numbers, exactly as Redis reads and prints them |
//!
//! Everything here is incremental (a frame may arrive a byte at a time and nothing is scanned twice),
//! bounded (each size has a limit and each limit its error) and iterative (no depth of nesting costs stack).
//! It knows no socket, no command and no store; the layers above feed it buffers and take buffers from it.

pub mod args;
pub mod error;
pub mod inline;
pub mod limits;
pub mod number;
pub mod parser;
pub mod reply;
pub mod reply_parser;
pub mod request;
pub mod value;

pub use args::{Args, OwnedRequest, Span};
pub use error::{ProtocolError, ReplyError};
pub use limits::{Limits, ReplyLimits};
pub use parser::{Parsed, RequestParser};
pub use reply::{Mark, Protocol, PushFrame, ReplyBuf};
pub use reply_parser::ReplyParser;
pub use value::Value;
