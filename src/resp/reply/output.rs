//! The other side of the reply buffer: measuring it, taking appended replies back, and writing it out.

use bytes::{Buf, Bytes};
use std::io::IoSlice;

use super::{KEPT_BYTES_MAX, Mark, ReplyBuf};

impl ReplyBuf {
    /// Bytes not written out yet, shared ones included.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.written + self.shared_bytes
    }

    /// Nothing is left to write out.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the buffer holds on to: what it has room for, and what it shares.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.shared_bytes
    }

    /// Forgets all replies. Room beyond what an ordinary batch needs is given back.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES_MAX);
        self.splices.clear();
        self.written = 0;
        self.shared_bytes = 0;
    }

    /// The present end, to come back to with [`ReplyBuf::truncate`].
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark { bytes_len: self.bytes.len(), splices_len: self.splices.len(), shared_bytes: self.shared_bytes }
    }

    /// Takes out what was appended since `mark`, as bytes. Nothing may have been written out in between.
    #[cold]
    pub fn split_off(&mut self, mark: Mark) -> Vec<u8> {
        let kept = mark.bytes_len - self.written + mark.shared_bytes;
        let tail = self.to_vec().split_off(kept);
        self.truncate(mark);
        tail
    }

    /// Appends whole replies that are bytes already.
    pub fn append_bytes(&mut self, replies: &[u8]) {
        self.bytes.extend_from_slice(replies);
    }

    /// Takes back everything appended since `mark`: the replies of an attempt that is made again, or those that the
    /// client does not want. Nothing may have been written out in between.
    pub fn truncate(&mut self, mark: Mark) {
        debug_assert!(mark.bytes_len >= self.written && mark.bytes_len <= self.bytes.len());
        self.bytes.truncate(mark.bytes_len);
        self.splices.truncate(mark.splices_len);
        self.shared_bytes = mark.shared_bytes;
    }

    /// Appends the replies of another buffer as they are; shared values stay shared.
    pub fn append(&mut self, other: &ReplyBuf) {
        let mut from = other.written;
        for (place, shared) in &other.splices {
            self.bytes.extend_from_slice(&other.bytes[from..*place]);
            self.splice(shared.clone());
            from = *place;
        }
        self.bytes.extend_from_slice(&other.bytes[from..]);
    }

    /// Appends bytes that are replies already.
    #[inline]
    pub fn raw(&mut self, replies: &[u8]) {
        self.bytes.extend_from_slice(replies);
    }

    /// The message of the first reply, if that is an error. Asked before anything has been written to the client.
    pub fn error_message(&self) -> Option<String> {
        let line = self.bytes.split(|byte| *byte == b'\r').next()?;
        line.strip_prefix(b"-").map(|message| String::from_utf8_lossy(message).into_owned())
    }

    /// Everything not written out yet, in one piece.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len());
        for run in self.runs() {
            out.extend_from_slice(run);
        }
        out
    }

    /// What is left to write, as the runs it is kept in; some may be empty.
    fn runs(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = self.written;
        let last = self.splices.back().map_or(self.written, |(place, _)| *place);
        let spliced = self.splices.iter().flat_map(move |(place, shared)| {
            let copied = &self.bytes[from..*place];
            from = *place;
            [copied, shared.as_ref()]
        });
        spliced.chain([&self.bytes[last..]])
    }

    /// Drops the written front of `bytes` once it is most of it, so that a client that reads slowly while more is
    /// appended does not make it grow.
    fn compact(&mut self) {
        if self.written > KEPT_BYTES_MAX && self.written > self.bytes.len() / 2 {
            self.bytes.drain(..self.written);
            for (place, _) in &mut self.splices {
                *place -= self.written;
            }
            self.written = 0;
        }
    }

    /// Takes `count` bytes off the first splice, which is due.
    fn advance_shared(&mut self, count: usize) {
        self.shared_bytes -= count;
        if let Some((_, shared)) = self.splices.front_mut() {
            shared.advance(count);
            if shared.is_empty() {
                self.splices.pop_front();
            }
        }
    }
}

/// Writing out: `tokio::io::AsyncWriteExt::write_buf` and `writev` take it from here.
impl Buf for ReplyBuf {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self.runs().find(|run| !run.is_empty()).unwrap_or_default()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let runs = self.runs().filter(|run| !run.is_empty());
        runs.zip(slices).map(|(run, slice)| *slice = IoSlice::new(run)).count()
    }

    /// Forgets the first `count` bytes, which were written; with the last of them the buffer is as good as new.
    ///
    /// # Panics
    /// If there are not so many.
    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.len(), "advanced past the end of the replies");
        if count == self.len() {
            return self.clear();
        }
        while count > 0 {
            let copied_end = self.splices.front().map_or(self.bytes.len(), |(place, _)| *place);
            let copied = count.min(copied_end - self.written);
            self.written += copied;
            count -= copied;
            let shared = count.min(self.splices.front().map_or(0, |(_, shared)| Bytes::len(shared)));
            if shared > 0 {
                self.advance_shared(shared);
                count -= shared;
            }
        }
        self.compact();
    }
}
