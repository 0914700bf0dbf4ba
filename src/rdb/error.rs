//! Why bytes are no value.

use super::kind;

/// Why a payload was not restored.
///
/// Redis answers the first with `DUMP payload version or checksum are wrong`, the others with `Bad data format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The payload was not written for this reader, or not transported whole.
    #[error(transparent)]
    Trailer(#[from] TrailerError),
    /// A value of a type that this server does not have.
    #[error("values of type {kind} are not supported: {}", kind::describe(*kind))]
    Unsupported {
        /// The type's number.
        kind: u8,
    },
    /// The payload is whole, and what is in it is no value.
    #[error("at byte {at} of the payload: {fault}")]
    Malformed {
        /// Where what is wrong starts; for something inside a packed collection, where that starts; for something about
        /// the collection as a whole, where it ends.
        at: usize,
        /// What is wrong.
        fault: Fault,
    },
}

/// What is wrong with the end of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrailerError {
    /// There is no place for version and checksum.
    #[error("a payload of {0} bytes has no version and no checksum")]
    Short(usize),
    /// A version of the format that is not known here.
    #[error("the payload has version {0} of the format; known are 1 to 14 and 80")]
    Version(u16),
    /// The bytes are not those that were written.
    #[error("the payload's checksum is {computed:#018x}, not {stored:#018x} as it says")]
    Checksum {
        /// What the payload says.
        stored: u64,
        /// What its bytes have.
        computed: u64,
    },
}

/// What is wrong inside a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The value goes on behind the payload's end.
    #[error("the value does not end where the payload does")]
    Truncated,
    /// The payload goes on behind the value's end.
    #[error("bytes follow the value")]
    TrailingBytes,
    /// A length in a form that does not exist, or that does not go here.
    #[error("no valid length")]
    Length,
    /// A string longer than the limit.
    #[error("a string of {0} bytes is longer than allowed")]
    TooLong(u64),
    /// A compressed string that is not as long as it says, or refers to what is not there.
    #[error("no valid compressed string")]
    Compressed,
    /// All compressed strings together are longer than the limit.
    #[error("compressed strings are longer than allowed")]
    TooMuchCompressed,
    /// A listpack that breaks its format.
    #[error("no valid listpack")]
    Listpack,
    /// A ziplist that breaks its format.
    #[error("no valid ziplist")]
    Ziplist,
    /// An intset that breaks its format, or is not in order.
    #[error("no valid intset")]
    Intset,
    /// A zipmap that breaks its format.
    #[error("no valid zipmap")]
    Zipmap,
    /// A part of a module's data of an unknown kind.
    #[error("what a module wrote is of an unknown kind")]
    Module,
    /// A part of a list that is neither a listpack nor an element.
    #[error("a list's node of an unknown kind")]
    Node,
    /// A collection without elements.
    #[error("an empty collection")]
    Empty,
    /// A field without its value, or a member without its score.
    #[error("a collection with an incomplete entry")]
    Incomplete,
    /// A member or a field that is there twice.
    #[error("a member or field that is there twice")]
    Duplicate,
    /// A score that is not a number.
    #[error("no valid score")]
    Score,
    /// An end of a field that is out of range.
    #[error("no valid expiry of a field")]
    Expiry,
}
