//! What can be wrong with bytes: one enum for what clients send, one for what servers send.

use thiserror::Error;

/// A request that breaks the protocol. The text is what follows `-ERR ` in the reply, after which the connection
/// is closed: there is no way to find the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProtocolError {
    /// A line without a newline, longer than `inline_bytes_max`.
    #[error("Protocol error: too big inline request")]
    InlineTooBig,
    /// An inline request with a quote that is not closed, or closed in the middle of a word.
    #[error("Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
    /// A count of arguments that never ends.
    #[error("Protocol error: too big mbulk count string")]
    CountLineTooBig,
    /// A length of an argument that never ends.
    #[error("Protocol error: too big bulk count string")]
    LengthLineTooBig,
    /// A count of arguments that is no number, or above `args_max`.
    #[error("Protocol error: invalid multibulk length")]
    InvalidCount,
    /// A length of an argument that is no number, or above `bulk_bytes_max`.
    #[error("Protocol error: invalid bulk length")]
    InvalidLength,
    /// Too many arguments for a client that has yet to authenticate.
    #[error("Protocol error: unauthenticated multibulk length")]
    UnauthenticatedCount,
    /// Too long an argument for a client that has yet to authenticate.
    #[error("Protocol error: unauthenticated bulk length")]
    UnauthenticatedLength,
    /// An argument that does not start with `$`.
    #[error("Protocol error: expected '$', got '{}'", char::from(*got))]
    ExpectedBulk {
        /// The byte in its place.
        got: u8,
    },
    /// A request longer than `query_buffer_bytes_max`.
    #[error("Protocol error: request is longer than client-query-buffer-limit")]
    RequestTooBig,
}

/// A reply that breaks the protocol or is larger than its reader allows. The connection is of no more use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReplyError {
    /// A reply that starts with a byte of no known type.
    #[error("reply type byte {0:#04x} is unknown")]
    UnknownType(u8),
    /// A count or length that is no number or makes no sense.
    #[error("reply has an invalid length")]
    InvalidLength,
    /// A number, double or boolean that is none.
    #[error("reply has an invalid number")]
    InvalidNumber,
    /// A bulk string that is not followed by CR LF, or a line whose CR is not followed by LF.
    #[error("reply is not terminated by CR LF")]
    MissingTerminator,
    /// A verbatim string without its `xxx:` head.
    #[error("verbatim string lacks its format")]
    InvalidVerbatim,
    /// A bulk string longer than `bulk_bytes_max`.
    #[error("reply holds a bulk string of {len} bytes, more than the allowed {max}")]
    BulkTooBig {
        /// What the server announced.
        len: u64,
        /// What is allowed.
        max: usize,
    },
    /// A line longer than `line_bytes_max`.
    #[error("reply holds a line of more than {max} bytes")]
    LineTooBig {
        /// What is allowed.
        max: usize,
    },
    /// More values than `values_max`.
    #[error("reply holds more than {max} values")]
    TooManyValues {
        /// What is allowed.
        max: usize,
    },
    /// Aggregates nested deeper than `depth_max`.
    #[error("reply is nested deeper than {max} levels")]
    TooDeep {
        /// What is allowed.
        max: usize,
    },
    /// A reply of more than `reply_bytes_max` bytes in all.
    #[error("reply is longer than {max} bytes")]
    TooBig {
        /// What is allowed.
        max: usize,
    },
}
