//! MIGRATE, to a server that says what the test has it say.

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::script::Client;
use crate::clock::Millis;
use crate::store::version::Value;

/// The words of a request, binary ones as best they can be shown.
type Request = Vec<String>;

/// A server that answers each request with the next of `replies` and closes after the last; `meanwhile` is called
/// with each request before it is answered. Gives its port, and in the end what it was sent.
fn target(
    replies: &'static [&'static str],
    mut meanwhile: impl FnMut(&Request) + Send + 'static,
) -> (u16, JoinHandle<Vec<Request>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serve = move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut stream = BufReader::new(stream);
        let mut requests = Vec::new();
        for reply in replies {
            let request = read_request(&mut stream);
            meanwhile(&request);
            requests.push(request);
            write!(stream.get_mut(), "{reply}\r\n").expect("sent");
        }
        requests
    };
    (port, std::thread::spawn(serve))
}

fn read_request(stream: &mut impl BufRead) -> Request {
    let mut number = || {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a line");
        line[1..].trim_end().parse::<usize>().expect("a number")
    };
    let count = number();
    let mut words = Vec::new();
    for _ in 0..count {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a line");
        let mut word = vec![0; line[1..].trim_end().parse::<usize>().expect("a number") + 2];
        stream.read_exact(&mut word).expect("a word");
        word.truncate(word.len() - 2);
        words.push(String::from_utf8_lossy(&word).into_owned());
    }
    words
}

#[test]
fn keys_are_sent_and_deleted() {
    let mut client = Client::new();
    for request in ["SET a 1", "SET b 2 PX 100000", "SET c 3", "HSET h f v"] {
        client.ask(request);
    }
    let (port, target) = target(&["+OK", "+OK", "+OK", "+OK", "+OK"], |_| {});
    let request = format!("MIGRATE 127.0.0.1 {port} '' 9 5000 REPLACE AUTH2 me secret KEYS a b missing h");
    assert_eq!(client.ask(&request), "+OK");
    let requests = target.join().expect("no panic");
    assert_eq!(requests[0], ["AUTH", "me", "secret"]);
    assert_eq!(requests[1], ["SELECT", "9"]);
    assert_eq!(requests[2][..3], ["RESTORE", "a", "0"]);
    assert_eq!(requests[3][..2], ["RESTORE", "b"]);
    let left: u64 = requests[3][2].parse().expect("a time");
    assert!((1..=100_000).contains(&left), "{left}");
    assert_eq!(requests[4][..2], ["RESTORE", "h"]);
    assert!(requests[2..].iter().all(|request| request[4] == "REPLACE"));
    assert_eq!(client.ask("EXISTS a b h"), ":0");
    assert_eq!(client.ask("GET c"), "$1 3");
}

#[test]
fn copies_stay() {
    let mut client = Client::new();
    client.ask("SET a 1");
    let (port, target) = target(&["+OK", "+OK"], |_| {});
    assert_eq!(client.ask(&format!("MIGRATE localhost {port} a 0 5000 COPY")), "+OK");
    assert_eq!(target.join().expect("no panic")[1].len(), 4);
    assert_eq!(client.ask("GET a"), "$1 1");
}

#[test]
fn what_the_target_refuses_stays_and_the_rest_goes() {
    let mut client = Client::new();
    client.ask("MSET a 1 b 2 c 3");
    let (port, _target) = target(&["+OK", "+OK", "-BUSYKEY it is there", "+OK"], |_| {});
    let reply = client.ask(&format!("MIGRATE 127.0.0.1 {port} '' 0 5000 KEYS a b c"));
    assert_eq!(reply, "-ERR Target instance replied with error: BUSYKEY it is there");
    assert_eq!(client.ask("MGET a b c"), "*3 $-1 $1 2 $-1");
}

#[test]
fn nothing_is_restored_in_a_database_that_was_not_asked_for() {
    for replies in [&["-ERR DB index is out of range"][..], &["+OK", "-ERR DB index is out of range"]] {
        let mut client = Client::new();
        client.ask("SET a 1");
        let (port, target) = target(replies, |_| {});
        let auth = if replies.len() > 1 { "AUTH word" } else { "" };
        let reply = client.ask(&format!("MIGRATE 127.0.0.1 {port} a 99 5000 {auth}"));
        assert_eq!(reply, "-ERR Target instance replied with error: ERR DB index is out of range");
        assert_eq!(target.join().expect("no panic").len(), replies.len());
        assert_eq!(client.ask("GET a"), "$1 1");
    }
}

#[test]
fn a_key_that_changes_on_the_way_stays_and_the_reply_tells() {
    let mut client = Client::new();
    client.ask("MSET a 1 b 2 c 3");
    let engine = client.engine();
    let (port, _target) = target(&["+OK", "+OK", "+OK", "+OK"], move |request| {
        if request[0] == "RESTORE" && request[1] == "b" {
            let mut batch = engine.batch(Millis::now(), false);
            let changed = batch.run(|txn| {
                txn.put(0, b"b", Value::Str(b"new"), None);
                Ok::<_, Infallible>(txn.delete(0, b"c"))
            });
            assert!(matches!(changed, Ok(Ok(true))));
        }
    });
    let reply = client.ask(&format!("MIGRATE 127.0.0.1 {port} '' 0 5000 KEYS a b c"));
    let expected = "-ERR keys that changed while they were sent: 1; they are still here, and at the target as they \
                    were before";
    assert_eq!(reply, expected);
    assert_eq!(client.ask("MGET a b c"), "*3 $-1 $3 new $-1");
}

#[test]
fn a_connection_that_fails_leaves_what_was_not_acknowledged() {
    let connecting = "-IOERR error or timeout connecting to the client";
    let reading = "-IOERR error or timeout reading to target instance";
    let mut client = Client::new();
    client.ask("MSET a 1 b 2");
    let (port, _) = target(&["+OK", "+OK"], |_| {});
    assert_eq!(client.ask(&format!("MIGRATE 127.0.0.1 {port} '' 0 5000 KEYS a b")), reading);
    assert_eq!(client.ask("MGET a b"), "*2 $-1 $1 2");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    assert_eq!(client.ask(&format!("MIGRATE 127.0.0.1 {port} b 0 50")), reading);
    drop(silent);
    assert_eq!(client.ask(&format!("MIGRATE 127.0.0.1 {port} b 0 5000")), connecting);
    assert_eq!(client.ask("MIGRATE 127.0.0.1 nowhere b 0 5000"), connecting);
    assert_eq!(client.ask("GET b"), "$1 2");
}

#[test]
fn where_there_is_nothing_to_send_nobody_is_asked() {
    let mut client = Client::new();
    for (request, reply) in [
        ("MIGRATE 127.0.0.1 1 missing 0 100", "+NOKEY"),
        ("MIGRATE 127.0.0.1 1 '' 0 100 KEYS missing gone", "+NOKEY"),
        ("MIGRATE 127.0.0.1 1 '' 0 100 KEYS", "+NOKEY"),
        (
            "MIGRATE 127.0.0.1 1 x 0 100 KEYS a",
            "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
        ),
        ("MULTI", "+OK"),
        ("SET a 1", "+QUEUED"),
        ("MIGRATE 127.0.0.1 1 a 0 100", "+QUEUED"),
        ("EXEC", "*2 +OK -ERR MIGRATE is not possible inside a transaction"),
        ("GET a", "$1 1"),
    ] {
        assert_eq!(client.ask(request), reply, "{request}");
    }
}

#[test]
fn many_keys_are_sent_in_several_parcels() {
    const COUNT: usize = 600;
    static REPLIES: [&str; COUNT + 1] = ["+OK"; COUNT + 1];
    let mut client = Client::new();
    let keys: Vec<String> = (0..COUNT).map(|at| format!("key:{at}")).collect();
    for key in &keys {
        client.ask(&format!("SET {key} {key}"));
    }
    let (port, target) = target(&REPLIES, |_| {});
    assert_eq!(client.ask(&format!("MIGRATE 127.0.0.1 {port} '' 0 5000 KEYS {}", keys.join(" "))), "+OK");
    assert_eq!(target.join().expect("no panic").len(), COUNT + 1);
    assert_eq!(client.ask("DBSIZE"), ":0");
}
