//! A primary that is played: what a real one sends only rarely, byte by byte.

use crate::contents::of_engine;
use crate::replica::{Ended, Following, in_memory};
use goredis::command::context::Context;
use goredis::replication::broken::LinkError;
use goredis::replication::redis::{FollowError, LoadError, Place};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An RDB file of one string `n`, and one hash with a field that ends, as Redis 7.4 writes it; it has no checksum.
const DATA_SET: &[u8] = b"REDIS0012\xfe\x00\x00\x01n\xc0\x05\
    \x18\x01h\x00\x40\x7a\x10\xf3\x5a\x00\x00\x02\x01\x01f\x01v\x00\x01g\x01w\xff\0\0\0\0\0\0\0\0";
const MARK: &str = "0123456789abcdefghij0123456789abcdefghij";

fn request(line: &str) -> Vec<u8> {
    let words: Vec<_> = line.split(' ').collect();
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

fn requests(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|line| request(line)).collect()
}

/// Goes through the handshake; gives the connection, and what PSYNC asked for.
async fn meet(door: &TcpListener) -> (TcpStream, String) {
    let (mut stream, _) = door.accept().await.expect("a replica");
    stream.set_nodelay(true).expect("a socket");
    loop {
        let mut bytes = vec![0; 4096];
        let len = stream.read(&mut bytes).await.expect("a request");
        let text = String::from_utf8_lossy(&bytes[..len]).into_owned();
        if text.contains("PSYNC") {
            return (
                stream,
                text.split("\r\n").filter(|word| !word.starts_with(['*', '$'])).collect::<Vec<_>>().join(" "),
            );
        }
        stream.write_all(b"+OK\r\n").await.expect("sent");
    }
}

/// Sends everything in pieces, reads until the acknowledgement comes, and goes.
async fn play(door: &TcpListener, script: &[u8], piece: usize, ack: Option<u64>) -> String {
    let (stream, asked) = meet(door).await;
    let (mut from, mut to) = stream.into_split();
    let reader = tokio::spawn(async move {
        let wanted = ack.map(|ack| request(&format!("REPLCONF ACK {ack}")));
        let mut heard = Vec::new();
        while wanted.as_ref().is_some_and(|wanted| !heard.windows(wanted.len()).any(|part| part == wanted)) {
            assert!(from.read_buf(&mut heard).await.expect("acknowledgements") > 0, "gone before {ack:?}");
        }
        from
    });
    for part in script.chunks(piece) {
        to.write_all(part).await.expect("sent");
        tokio::task::yield_now().await;
    }
    if ack.is_some() {
        drop(reader.await.expect("no panic"));
    }
    to.shutdown().await.expect("closed");
    asked.trim().to_owned()
}

async fn follow(
    context: &Arc<Context>,
    place: Option<Place>,
    script: &[u8],
    piece: usize,
    ack: Option<u64>,
) -> (Ended, String) {
    let door = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = door.local_addr().expect("an address").port();
    let (following, asked) =
        tokio::join!(Following::start(context, port, place), play(&door, script, piece, ack));
    (following.end().await, asked)
}

fn data_set(marked: bool) -> Vec<u8> {
    let head = if marked { format!("$EOF:{MARK}\r\n") } else { format!("${}\r\n", DATA_SET.len()) };
    let mark = if marked { MARK } else { "" };
    [b"\n\n+FULLRESYNC abc 1000\r\n\n", head.as_bytes(), DATA_SET, mark.as_bytes()].concat()
}

/// A string of a database, as a reader sees it.
fn string(context: &Context, db: u16, key: &[u8]) -> Option<String> {
    let contents = of_engine(&context.engine());
    contents.get(&(db, key.to_vec())).map(|(value, _)| value.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_byte_by_byte_or_all_at_once_is_the_same() {
    let writes = requests(&[
        "SELECT 3",
        "SET a 1",
        "PING",
        "MULTI",
        "INCR a",
        "SET b x",
        "EXEC",
        "SELECT 0",
        "INCR n",
        "SET o v PXAT 1",
        "APPEND o w",
        "PERSIST o",
        "SETEX later 1000 v",
        "SCRIPT LOAD x",
        "REPLCONF GETACK *",
    ]);
    let offset = 1000 + writes.len() as u64;
    for (piece, marked) in [(1, false), (1, true), (3, false), (100_000, true), (100_000, false)] {
        let context = in_memory();
        let script = [&data_set(marked)[..], &writes].concat();
        let ((ended, place), asked) = follow(&context, None, &script, piece, Some(offset)).await;
        assert!(matches!(ended, Err(FollowError::Link(LinkError::Closed))), "{ended:?}");
        assert_eq!(asked, "PSYNC ? -1");
        assert_eq!(place, Some(Place { history: "abc".into(), offset, db: 0 }));
        let string = |db, key: &str| string(&context, db, key.as_bytes()).unwrap_or_default();
        assert!(string(0, "n").contains("54"), "6: {}", string(0, "n"));
        assert!(string(3, "a").contains("50"), "2: {}", string(3, "a"));
        assert!(string(3, "b").contains("120"), "x: {}", string(3, "b"));
        // To the primary it was there until it removed it.
        assert!(string(0, "o").contains("118, 119"), "vw: {}", string(0, "o"));
        assert!(string(0, "h").contains("Some(Millis("), "{}", string(0, "h"));
        let (_, expiry) = of_engine(&context.engine())[&(0, b"later".to_vec())].clone();
        assert!(expiry.is_some_and(|end| end > goredis::clock::Millis::now()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_cut_in_a_transaction_goes_on_before_it() {
    let (first, multi, rest) = (
        requests(&["SELECT 2", "SET a 1"]),
        requests(&["MULTI", "INCR a"]),
        requests(&["INCR a", "EXEC", "INCR a"]),
    );
    for (piece, cut) in [(1, multi.len()), (100_000, multi.len()), (1, multi.len() - 1), (100_000, 17)] {
        let context = in_memory();
        let script = [&data_set(false)[..], &first, &multi[..cut]].concat();
        let ((_, place), _) = follow(&context, None, &script, piece, None).await;
        let offset = 1000 + first.len() as u64;
        assert_eq!(place, Some(Place { history: "abc".into(), offset, db: 2 }));
        let script = [b"+CONTINUE def\r\n", &multi[..], &rest].concat();
        let end = offset + (multi.len() + rest.len()) as u64;
        let ((_, place), asked) = follow(&context, place, &script, piece, Some(end)).await;
        assert_eq!(asked, format!("PSYNC abc {}", offset + 1));
        assert_eq!(place, Some(Place { history: "def".into(), offset: end, db: 2 }));
        let value = string(&context, 2, b"a").unwrap_or_default();
        assert!(value.contains("52"), "1 + 3: {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_that_does_not_end_where_it_should_changes_nothing() {
    let whole = data_set(false);
    let wrong_mark = [&data_set(true)[..data_set(true).len() - 1], b"?"].concat();
    let head = b"+FULLRESYNC abc 1000\r\n";
    let short = [&head[..], format!("${}\r\n", DATA_SET.len() - 3).as_bytes(), DATA_SET].concat();
    let long = [&head[..], format!("${}\r\n", DATA_SET.len() + 3).as_bytes(), DATA_SET, b"..."].concat();
    for (script, expected) in [
        (&whole[..whole.len() - 1], "closed"),
        (&wrong_mark, "behind its data set"),
        (&short, "before their end"),
        (&long, "it was said to have"),
        (&[head, &b"-ERR no\r\n"[..]].concat(), "not ready"),
        (&[head, &b"hello\r\n"[..]].concat(), "before its data set"),
        (&b"+HELLO\r\n"[..], "in answer to PSYNC"),
        (&b"-NOMASTERLINK wait\r\n"[..], "not ready"),
        (&b"-ERR unknown command\r\n"[..], "answered PSYNC"),
    ] {
        let context = in_memory();
        let ((ended, place), _) = follow(&context, None, script, 7, None).await;
        let error = ended.expect_err(expected);
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert_eq!(place, None);
        assert!(of_engine(&context.engine()).is_empty());
        if let FollowError::DataSet(LoadError::Length { found, said }) = error {
            assert_eq!((found, said), (DATA_SET.len() as u64, DATA_SET.len() as u64 + 3));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_here_is_told_and_the_place_forgotten() {
    let script = [&data_set(false)[..], &requests(&["SET a 1", "LPUSH a 2"])].concat();
    let ((ended, place), _) = follow(&in_memory(), None, &script, 100, None).await;
    let error = ended.expect_err("the two differ");
    assert_eq!(
        error.to_string(),
        "the primary's command LPUSH \"a\" fails here: WRONGTYPE Operation against a key holding the wrong kind of value"
    );
    assert!(place.is_none() && error.is_lasting());
}
