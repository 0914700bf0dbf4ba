//! One request as its arguments: borrowed from the read buffer while it runs, owned where it has to wait.
//!
//! [`Args`] is what every command receives. It is two slices, so passing it on is free; nothing is copied between
//! the socket and the command. [`OwnedRequest`] is the same thing in a buffer of its own, for MULTI's queue, for
//! blocked clients and for inline requests whose quotes had to be undone.

use std::ops::Index;

/// Where one argument lies, in bytes from the start of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
}

impl Span {
    /// The span from `start` to `end`. Both are below 4 GiB: [`super::Limits`] sees to it for requests.
    #[inline]
    pub(super) fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end && u32::try_from(end).is_ok());
        Self { start: start as u32, len: (end - start) as u32 }
    }

    #[inline]
    fn of(self, bytes: &[u8]) -> &[u8] {
        let start = self.start as usize;
        &bytes[start..start + self.len as usize]
    }
}

/// The arguments of one request, the command's name first.
#[derive(Debug, Clone, Copy)]
pub struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// The arguments that `spans` marks in `bytes`, which starts where the request starts.
    ///
    /// # Panics
    /// Later, on access, if a span reaches beyond `bytes`: hand in the spans that the parser made for them.
    #[inline]
    pub fn new(bytes: &'a [u8], spans: &'a [Span]) -> Self {
        Self { bytes, spans }
    }

    /// Number of arguments, the name included.
    #[inline]
    pub fn len(self) -> usize {
        self.spans.len()
    }

    /// No argument at all, not even a name.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `at`; 0 is the name.
    #[inline]
    pub fn get(self, at: usize) -> Option<&'a [u8]> {
        self.spans.get(at).map(|span| span.of(self.bytes))
    }

    /// The command's name as sent, or nothing where there is no argument.
    #[inline]
    pub fn name(self) -> &'a [u8] {
        self.get(0).unwrap_or_default()
    }

    /// The arguments from `first` on; none if there are not so many.
    #[inline]
    pub fn from(self, first: usize) -> Self {
        Self { bytes: self.bytes, spans: self.spans.get(first..).unwrap_or_default() }
    }

    /// All arguments in order.
    #[inline]
    pub fn iter(self) -> impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator + Clone {
        self.spans.iter().map(move |span| span.of(self.bytes))
    }

    /// Bytes of all arguments together, without any framing.
    pub fn bytes_len(self) -> usize {
        self.spans.iter().map(|span| span.len as usize).sum()
    }

    /// A copy in a buffer of its own.
    pub fn to_owned_request(self) -> OwnedRequest {
        self.iter().collect()
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    #[inline]
    fn index(&self, at: usize) -> &[u8] {
        self.spans[at].of(self.bytes)
    }
}

/// A request that owns its bytes: only those of the arguments, without framing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRequest {
    bytes: Box<[u8]>,
    spans: Box<[Span]>,
}

impl OwnedRequest {
    /// Puts together what a builder of this layer collected.
    pub(super) fn from_parts(bytes: Vec<u8>, spans: Vec<Span>) -> Self {
        Self { bytes: bytes.into_boxed_slice(), spans: spans.into_boxed_slice() }
    }

    /// The arguments.
    #[inline]
    pub fn as_args(&self) -> Args<'_> {
        Args::new(&self.bytes, &self.spans)
    }

    /// Bytes that this request keeps on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.len() + size_of_val::<[Span]>(&self.spans)
    }
}

impl<A: AsRef<[u8]>> FromIterator<A> for OwnedRequest {
    /// # Panics
    /// If the arguments weigh 4 GiB or more together.
    fn from_iter<I: IntoIterator<Item = A>>(args: I) -> Self {
        let (mut bytes, mut spans) = (Vec::new(), Vec::new());
        for arg in args {
            let start = bytes.len();
            bytes.extend_from_slice(arg.as_ref());
            assert!(u32::try_from(bytes.len()).is_ok(), "a request is limited to 4 GiB");
            spans.push(Span::new(start, bytes.len()));
        }
        Self::from_parts(bytes, spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owned_request_holds_the_arguments_in_order() {
        let request: OwnedRequest = ["SET", "", "value"].into_iter().collect();
        let args = request.as_args();
        assert_eq!(args.len(), 3);
        assert_eq!(args.name(), b"SET");
        assert_eq!(&args[1], b"");
        assert_eq!(args.get(2), Some(&b"value"[..]));
        assert_eq!(args.get(3), None);
        assert_eq!(args.bytes_len(), 8);
        assert_eq!(args.to_owned_request(), request);
    }

    #[test]
    fn from_passes_over_leading_arguments_and_stops_at_the_end() {
        let request: OwnedRequest = ["a", "b", "c"].into_iter().collect();
        assert_eq!(request.as_args().from(1).iter().collect::<Vec<_>>(), [b"b", b"c"]);
        assert!(request.as_args().from(4).is_empty());
    }
}
