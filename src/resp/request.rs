//! Writing requests, for clients: the arguments as an array of bulk strings, which every server reads fastest.

/// Appends one request.
pub fn write_request<A: AsRef<[u8]>>(out: &mut Vec<u8>, args: &[A]) {
    let mut digits = itoa::Buffer::new();
    out.reserve(args.iter().map(|arg| arg.as_ref().len() + 16).sum::<usize>() + 16);
    out.push(b'*');
    out.extend_from_slice(digits.format(args.len()).as_bytes());
    out.extend_from_slice(b"\r\n");
    for arg in args {
        let arg = arg.as_ref();
        out.push(b'$');
        out.extend_from_slice(digits.format(arg.len()).as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
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
