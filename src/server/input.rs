//! The bytes that a client has sent and that no command has seen yet.
//!
//! One [`Input`] serves a connection while it is busy. It is contiguous, so a request is executed from where the
//! socket put it. It grows to what the parser says a large argument needs, once, and the socket then fills it
//! directly; emptied, it is small again. Used by [`super::work`] and [`super::connection`] only.

/// Room of an input buffer that holds nothing large.
pub(super) const BASE_BYTES: usize = 16 * 1024;

/// There is no memory for a request of this size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ERR out of memory for a request of {0} bytes")]
pub(super) struct NoRoom(pub(super) usize);

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Input {
    bytes: Vec<u8>,
    /// What lies before is consumed. Invariant: `start <= bytes.len()`.
    start: usize,
}

impl Input {
    /// An empty buffer of the base size.
    pub(super) fn new() -> Self {
        Self { bytes: Vec::with_capacity(BASE_BYTES), start: 0 }
    }

    /// What is not consumed.
    #[inline]
    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Passes over the first `count` bytes of what is not consumed.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.unread().len());
        self.start += count;
    }

    /// Room that the socket could fill without growth.
    pub(super) fn free(&self) -> usize {
        self.bytes.capacity() - self.unread().len()
    }

    /// Makes room behind the unread bytes: at least `want`, and never none.
    ///
    /// # Errors
    /// The allocator refuses; nothing has changed.
    pub(super) fn make_room(&mut self, want: usize) -> Result<(), NoRoom> {
        let unread = self.unread().len();
        if unread == 0 {
            self.bytes.clear();
            self.start = 0;
        }
        let needed = want.max(1);
        if self.bytes.capacity() - self.bytes.len() >= needed {
            return Ok(());
        }
        if self.bytes.capacity() - unread >= needed {
            self.bytes.drain(..self.start);
            self.start = 0;
            return Ok(());
        }
        // Why: at least doubled, or a request of many large arguments would be copied once for each.
        self.grow((unread + needed).max(self.bytes.capacity() * 2))
    }

    fn grow(&mut self, capacity: usize) -> Result<(), NoRoom> {
        let mut larger = Vec::new();
        larger.try_reserve_exact(capacity).map_err(|_| NoRoom(capacity))?;
        larger.extend_from_slice(self.unread());
        (self.bytes, self.start) = (larger, 0);
        Ok(())
    }

    /// Where the socket appends. Call [`Input::make_room`] first.
    #[inline]
    pub(super) fn tail_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Forgets everything, and room beyond the base size.
    pub(super) fn reset(&mut self) {
        self.start = 0;
        if self.bytes.capacity() > BASE_BYTES {
            self.bytes = Vec::with_capacity(BASE_BYTES);
        } else {
            self.bytes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(bytes: &[u8]) -> Input {
        let mut input = Input::new();
        input.tail_mut().extend_from_slice(bytes);
        input
    }

    #[test]
    fn a_large_argument_makes_it_grow_once_and_keeps_what_was_read() {
        let mut input = holding(b"consumed*2\r\n");
        input.consume(8);
        input.make_room(1 << 20).expect("room");
        let place = input.unread().as_ptr();
        assert_eq!(input.unread(), b"*2\r\n");
        assert!(input.free() >= 1 << 20);
        input.tail_mut().resize(4 + (1 << 20), b'x');
        assert_eq!(input.unread().as_ptr(), place);
    }

    #[test]
    fn consumed_bytes_make_room_before_it_grows() {
        let mut input = holding(&vec![b'x'; BASE_BYTES]);
        input.consume(BASE_BYTES - 10);
        input.make_room(100).expect("room");
        assert_eq!(input.unread(), b"xxxxxxxxxx");
        assert_eq!(input.free(), BASE_BYTES - 10);
    }

    #[test]
    fn a_full_buffer_doubles_though_nobody_knows_how_much_is_to_come() {
        let mut input = holding(&vec![b'x'; BASE_BYTES]);
        input.make_room(0).expect("room");
        assert_eq!(input.free(), BASE_BYTES);
    }

    #[test]
    fn a_reset_gives_large_room_back() {
        let mut input = holding(b"abc");
        input.make_room(1 << 20).expect("room");
        input.reset();
        assert_eq!((input.unread(), input.free()), (&b""[..], BASE_BYTES));
    }

    #[test]
    fn a_request_that_no_memory_can_hold_is_an_error() {
        let mut input = holding(b"abc");
        assert!(input.make_room(usize::MAX / 2 - 10).is_err());
        assert_eq!(input.unread(), b"abc");
    }
}
