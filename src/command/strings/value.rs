//! What every string command does with a value that it has found: answer it, compare it.

use crate::engine::LiveString;
use crate::resp::ReplyBuf;
use crate::store::version::StringRef;

/// Answers a string; a long one is not copied.
#[inline]
pub fn answer(reply: &mut ReplyBuf, value: StringRef<'_>) {
    match value {
        StringRef::Int(number) => reply.bulk_int(number),
        StringRef::Str(bytes) | StringRef::Raw(bytes) => reply.bulk(bytes),
        StringRef::Shared(bytes) => reply.bulk_shared(bytes.clone()),
    }
}

/// Answers what was found, or a null.
#[inline]
pub fn answer_found(reply: &mut ReplyBuf, found: Option<LiveString<'_>>) {
    match found {
        Some(live) => answer(reply, live.value),
        None => reply.null(),
    }
}

/// Whether a value is the given string.
pub fn equals(value: StringRef<'_>, bytes: &[u8]) -> bool {
    value.bytes(&mut itoa::Buffer::new()) == bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_answered_and_compared_as_their_digits() {
        let mut reply = ReplyBuf::new();
        answer(&mut reply, StringRef::Int(-42));
        assert_eq!(reply.to_vec(), b"$3\r\n-42\r\n");
        assert!(equals(StringRef::Int(-42), b"-42"));
        assert!(!equals(StringRef::Int(-42), b"42"));
        assert!(equals(StringRef::Raw(b"-42"), b"-42"));
    }
}
