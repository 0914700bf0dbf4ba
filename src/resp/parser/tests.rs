//! The request parser against literal bytes, at every split, and against noise.

use super::*;
use crate::resp::Args;
use quickcheck::{Arbitrary, Gen, quickcheck};

type Request = Vec<Vec<u8>>;

fn owned(args: Args<'_>) -> Request {
    args.iter().map(<[u8]>::to_vec).collect()
}

/// Feeds `input` in the given pieces and collects all requests, until the end or an error.
fn parse_pieces<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    limits: &Limits,
) -> (Vec<Request>, Option<ProtocolError>) {
    let (mut parser, mut unread, mut requests) = (RequestParser::new(), Vec::new(), Vec::new());
    for piece in pieces {
        unread.extend_from_slice(piece);
        loop {
            let mut spans = Vec::new();
            let consumed = match parser.parse(&unread, limits, &mut spans) {
                Err(error) => return (requests, Some(error)),
                Ok(Parsed::Incomplete { .. }) => {
                    assert!(spans.is_empty());
                    break;
                }
                Ok(Parsed::Empty { consumed }) => consumed,
                Ok(Parsed::Inline { consumed, request }) => {
                    requests.push(owned(request.as_args()));
                    consumed
                }
                Ok(Parsed::Request { consumed }) => {
                    requests.push(owned(Args::new(&unread, &spans)));
                    consumed
                }
            };
            assert!(!parser.is_midway());
            unread.drain(..consumed);
        }
    }
    (requests, None)
}

fn parse(input: &[u8]) -> (Vec<Request>, Option<ProtocolError>) {
    parse_pieces([input], &Limits::default())
}

fn error_text(input: &[u8]) -> String {
    parse(input).1.expect("an error").to_string()
}

fn encode(requests: &[Request]) -> Vec<u8> {
    let mut out = Vec::new();
    for request in requests {
        out.extend_from_slice(format!("*{}\r\n", request.len()).as_bytes());
        for arg in request {
            out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
            out.extend_from_slice(arg);
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

#[test]
fn pipelined_requests_come_out_in_order() {
    let input = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\nGET a\r\n";
    let expected: Vec<Request> = vec![
        vec![b"SET".to_vec(), b"a".to_vec(), vec![]],
        vec![b"PING".to_vec()],
        vec![b"GET".to_vec(), b"a".to_vec()],
    ];
    assert_eq!(parse(input), (expected, None));
}

#[test]
fn spans_of_a_batch_follow_one_another_and_a_torn_request_leaves_none() {
    let input = b"*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n*2\r\n$3\r\nGET\r\n$9\r\nto";
    let (mut parser, limits, mut spans) = (RequestParser::new(), Limits::default(), Vec::new());
    assert_eq!(parser.parse(input, &limits, &mut spans), Ok(Parsed::Request { consumed: 14 }));
    assert_eq!(parser.parse(&input[14..], &limits, &mut spans), Ok(Parsed::Request { consumed: 22 }));
    assert_eq!(spans.len(), 3);
    assert_eq!(parser.parse(&input[36..], &limits, &mut spans), Ok(Parsed::Incomplete { want: 9 }));
    assert_eq!(spans.len(), 3);
    assert_eq!(owned(Args::new(&input[14..], &spans[1..])), [b"ECHO".to_vec(), b"hi".to_vec()]);

    let mut rest = input[36..].to_vec();
    rest.extend_from_slice(b"rn-key!\r\n");
    assert_eq!(parser.parse(&rest, &limits, &mut spans), Ok(Parsed::Request { consumed: rest.len() }));
    assert_eq!(owned(Args::new(&rest, &spans[3..])), [b"GET".to_vec(), b"torn-key!".to_vec()]);
}

#[test]
fn a_large_argument_says_how_many_bytes_it_lacks() {
    let (mut parser, mut spans) = (RequestParser::new(), Vec::new());
    let parsed = parser.parse(b"*1\r\n$536870912\r\nabc", &Limits::default(), &mut spans);
    assert_eq!(parsed, Ok(Parsed::Incomplete { want: (512 << 20) + 2 - 3 }));
}

#[test]
fn empty_lines_and_empty_arrays_are_passed_over() {
    assert_eq!(parse(b"\r\n\n*0\r\n*-1\r\n  \r\nPING\r\n"), (vec![vec![b"PING".to_vec()]], None));
}

#[test]
fn inline_requests_are_unquoted() {
    let (requests, error) = parse(b"set \"a\\x00b\" 'it\\'s'\n");
    assert_eq!(error, None);
    assert_eq!(requests, [[b"set".to_vec(), b"a\0b".to_vec(), b"it's".to_vec()]]);
}

#[test]
fn errors_have_the_texts_of_redis() {
    for (input, text) in [
        (&b"*3000000000\r\n"[..], "Protocol error: invalid multibulk length"),
        (b"*blub\r\n", "Protocol error: invalid multibulk length"),
        (b"*1048577\r\n", "Protocol error: invalid multibulk length"),
        (b"*\r\n", "Protocol error: invalid multibulk length"),
        (b"*01\r\n", "Protocol error: invalid multibulk length"),
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "Protocol error: expected '$', got 'f'"),
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$-10\r\n", "Protocol error: invalid bulk length"),
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n", "Protocol error: invalid bulk length"),
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$blabla\r\n", "Protocol error: invalid bulk length"),
        (b"set \"\"\"test-key\"\"\" test-value\r\n", "Protocol error: unbalanced quotes in request"),
        (&vec![b'A'; 65537], "Protocol error: too big inline request"),
        (&[b"*".to_vec(), vec![b'1'; 65537]].concat(), "Protocol error: too big mbulk count string"),
        (&[b"*1\r\n$".to_vec(), vec![b'1'; 65537]].concat(), "Protocol error: too big bulk count string"),
    ] {
        assert_eq!(error_text(input), text);
    }
}

#[test]
fn before_authentication_requests_must_be_small() {
    let limits = Limits { unauthenticated: true, ..Limits::default() };
    let text = |input: &[u8]| parse_pieces([input], &limits).1.map(|error| error.to_string());
    assert_eq!(text(b"*11\r\n").as_deref(), Some("Protocol error: unauthenticated multibulk length"));
    assert_eq!(text(b"*1\r\n$16385\r\n").as_deref(), Some("Protocol error: unauthenticated bulk length"));
    assert_eq!(text(b"*10\r\n$16384\r\n"), None);
}

#[test]
fn a_request_may_not_outgrow_the_query_buffer_even_if_its_arguments_are_small() {
    let limits = Limits { query_buffer_bytes_max: 64, ..Limits::default() };
    let fits = encode(&[vec![vec![b'x'; 20], vec![b'y'; 20]]]);
    assert_eq!(fits.len(), 58);
    assert_eq!(parse_pieces([&fits[..]], &limits).1, None);
    let too_big = encode(&[vec![vec![b'x'; 20], vec![b'y'; 27]]]);
    assert_eq!(parse_pieces([&too_big[..]], &limits).1, Some(ProtocolError::RequestTooBig));
    assert_eq!(parse_pieces([&too_big[..40]], &limits).1, Some(ProtocolError::RequestTooBig));
}

/// Bytes that look like protocol often enough to reach every state.
#[derive(Clone, Debug)]
struct Noise(Vec<u8>);

impl Arbitrary for Noise {
    fn arbitrary(g: &mut Gen) -> Self {
        const PIECES: &[&[u8]] = &[
            b"*", b"$", b"\r\n", b"\n", b"\r", b"1", b"2", b"0", b"-1", b"3\r\n", b"GET", b" ", b"\"", b"'",
            b"\\",
        ];
        let mut bytes = Vec::new();
        for _ in 0..u8::arbitrary(g) % 40 {
            match g.choose(PIECES) {
                Some(piece) if bool::arbitrary(g) || !piece.is_empty() => bytes.extend_from_slice(piece),
                _ => bytes.push(u8::arbitrary(g)),
            }
        }
        Self(bytes)
    }
}

/// A few small requests of any bytes: every split of them is tried, so they must stay small.
#[derive(Clone, Debug)]
struct Requests(Vec<Request>);

impl Arbitrary for Requests {
    fn arbitrary(_: &mut Gen) -> Self {
        let requests = Vec::<Request>::arbitrary(&mut Gen::new(6));
        Self(requests.into_iter().filter(|request| !request.is_empty()).collect())
    }
}

/// The same outcome at every split in two, and byte by byte.
fn splits_agree(input: &[u8]) -> bool {
    let limits = Limits::default();
    let whole = parse(input);
    parse_pieces(input.chunks(1), &limits) == whole
        && (0..=input.len()).all(|at| {
            let (front, back) = input.split_at(at);
            parse_pieces([front, back], &limits) == whole
        })
}

quickcheck! {
    fn every_request_is_read_back_at_every_split(requests: Requests) -> bool {
        let input = encode(&requests.0);
        parse(&input) == (requests.0, None) && splits_agree(&input)
    }

    fn noise_gives_the_same_at_every_split(noise: Noise) -> bool {
        splits_agree(&noise.0)
    }

    fn garbage_never_panics(bytes: Vec<u8>) -> bool {
        let (requests, _) = parse(&bytes);
        requests.len() <= bytes.len()
    }
}
