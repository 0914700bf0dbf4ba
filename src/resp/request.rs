//! Writing requests, for clients: the arguments as an array of bulk strings, which every server reads fastest.

/// Appends one request.
pub fn write_request<A: AsRef<[u8]>>(out: &mut Vec<u8>, args: &[A]) {
    out.reserve(args.iter().map(|arg| arg.as_ref().len() + 16).sum::<usize>() + 16);
    write_count(out, args.len());
    for arg in args {
        write_arg(out, arg.as_ref());
    }
}

/// A request put together argument by argument.
#[derive(Debug, Clone, Default)]
pub struct RequestBuf {
    /// The arguments so far, framed.
    args: Vec<u8>,
    len: usize,
    /// Where the second argument starts.
    second: usize,
}

impl RequestBuf {
    /// A request without arguments.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an argument.
    pub fn arg(&mut self, arg: &[u8]) {
        write_arg(&mut self.args, arg);
        self.len += 1;
        if self.len == 1 {
            self.second = self.args.len();
        }
    }

    /// Whether the second argument is `word`, in any case.
    pub fn second_is(&self, word: &[u8]) -> bool {
        let mut framed = Vec::new();
        write_arg(&mut framed, word);
        self.args
            .get(self.second..self.second + framed.len())
            .is_some_and(|arg| arg.eq_ignore_ascii_case(&framed))
    }

    /// Appends the request's bytes.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.args.len() + 16);
        write_count(out, self.len);
        out.extend_from_slice(&self.args);
    }
}

fn write_count(out: &mut Vec<u8>, count: usize) {
    out.push(b'*');
    out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn write_arg(out: &mut Vec<u8>, arg: &[u8]) {
    out.push(b'$');
    out.extend_from_slice(itoa::Buffer::new().format(arg.len()).as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(arg);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::{Args, Limits, Parsed, RequestParser};
    use quickcheck::quickcheck;

    #[test]
    fn a_request_is_an_array_of_bulk_strings() {
        let mut out = Vec::new();
        write_request(&mut out, &["GET", ""]);
        assert_eq!(out, b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
    }

    #[test]
    fn a_request_buffer_writes_the_same_and_knows_its_second_word() {
        let (mut request, mut built, mut written) = (RequestBuf::new(), Vec::new(), Vec::new());
        for arg in ["CLIENT", "reply", "OFF"] {
            request.arg(arg.as_bytes());
        }
        request.write_to(&mut built);
        write_request(&mut written, &["CLIENT", "reply", "OFF"]);
        assert_eq!(built, written);
        assert!(request.second_is(b"REPLY"));
        assert!(
            !request.second_is(b"REP") && !request.second_is(b"REPLY-") && !RequestBuf::new().second_is(b"a")
        );
    }

    quickcheck! {
        fn a_written_request_is_read_back(args: Vec<Vec<u8>>) -> bool {
            let (mut out, mut spans) = (Vec::new(), Vec::new());
            write_request(&mut out, &args);
            let parsed = RequestParser::new().parse(&out, &Limits::default(), &mut spans);
            match parsed {
                Ok(Parsed::Request { consumed }) => {
                    consumed == out.len() && Args::new(&out, &spans).iter().eq(args.iter().map(Vec::as_slice))
                }
                _ => args.is_empty() && parsed == Ok(Parsed::Empty { consumed: out.len() }),
            }
        }
    }
}
