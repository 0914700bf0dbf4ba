//! Pushes that are made once and sent to many clients, whatever dialect each speaks.

use bytes::Bytes;

use super::{Protocol, ReplyBuf, SHARED_BYTES_MIN};

/// A push without its first byte, which is all that the two dialects write differently where it holds strings and
/// integers only. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushFrame {
    bytes: Bytes,
    /// It is a status, and begins as such in either dialect.
    is_status: bool,
}

impl PushFrame {
    /// Makes a push of the replies that `write` appends: the head first ([`ReplyBuf::push`]), then strings and
    /// integers. What else it appends, a null, is only for clients that speak `protocol`.
    ///
    /// # Panics
    /// If nothing is appended.
    pub fn new(protocol: Protocol, write: impl FnOnce(&mut ReplyBuf)) -> Self {
        let mut reply = ReplyBuf::with_protocol(protocol);
        write(&mut reply);
        debug_assert!(reply.splices.is_empty(), "a push is one run of bytes");
        Self { bytes: Bytes::from(reply.bytes).slice(1..), is_status: false }
    }

    /// Makes a status that answers nothing, as the lines of MONITOR are. CR and LF become blanks.
    pub fn status(text: &str) -> Self {
        let mut reply = ReplyBuf::new();
        reply.simple(text);
        Self { bytes: Bytes::from(reply.bytes).slice(1..), is_status: true }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

impl ReplyBuf {
    /// Appends a push that was made before; a long one is kept as it is.
    pub fn push_frame(&mut self, frame: &PushFrame) {
        self.bytes.push(match frame.is_status {
            true => b'+',
            false if self.is_resp3() => b'>',
            false => b'*',
        });
        if frame.bytes.len() < SHARED_BYTES_MIN {
            self.bytes.extend_from_slice(&frame.bytes);
        } else {
            self.splice(frame.bytes.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_frame_is_a_push_in_either_dialect() {
        let frame = PushFrame::new(Protocol::Resp2, |reply| {
            reply.push(2);
            reply.bulk(b"a");
            reply.int(12);
        });
        for (protocol, expected) in
            [(Protocol::Resp2, "*2\r\n$1\r\na\r\n:12\r\n"), (Protocol::Resp3, ">2\r\n$1\r\na\r\n:12\r\n")]
        {
            let mut reply = ReplyBuf::with_protocol(protocol);
            reply.push_frame(&frame);
            assert_eq!(reply.to_vec(), expected.as_bytes());
        }
    }

    #[test]
    fn a_status_is_one_in_either_dialect() {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let mut reply = ReplyBuf::with_protocol(protocol);
            reply.push_frame(&PushFrame::status("a line"));
            assert_eq!(reply.to_vec(), b"+a line\r\n");
        }
    }

    #[test]
    fn a_long_frame_is_shared_not_copied() {
        let payload = vec![b'x'; 2 * SHARED_BYTES_MIN];
        let frame = PushFrame::new(Protocol::Resp3, |reply| {
            reply.push(1);
            reply.bulk(&payload);
        });
        let mut reply = ReplyBuf::new();
        reply.push_frame(&frame);
        assert_eq!(reply.len(), frame.bytes() + 1);
        assert_eq!(reply.bytes.len(), 1);
    }
}
