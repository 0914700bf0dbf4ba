//! MULTI, EXEC, DISCARD, WATCH, and many clients that use them at once.

use crate::harness::{Reply, Server};

#[test]
fn a_transaction_is_queued_and_takes_effect_at_once() {
    let server = Server::start(&[]);
    let (mut wire, mut other) = (server.connect(), server.connect());
    wire.talk(&[
        ("MULTI", "+OK\r\n"),
        ("SET a 1", "+QUEUED\r\n"),
        ("INCR a", "+QUEUED\r\n"),
        ("GET a", "+QUEUED\r\n"),
    ]);
    other.talk(&[("GET a", "$-1\r\n")]);
    wire.talk(&[("EXEC", "*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n"), ("GET a", "$1\r\n2\r\n")]);
    wire.talk(&[
        ("MULTI", "+OK\r\n"),
        ("SET a 9", "+QUEUED\r\n"),
        ("DISCARD", "+OK\r\n"),
        ("GET a", "$1\r\n2\r\n"),
        ("MULTI", "+OK\r\n"),
        ("EXEC", "*0\r\n"),
    ]);
}

#[test]
fn an_error_while_queueing_discards_and_one_while_running_does_not() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.talk(&[
        ("EXEC", "-ERR EXEC without MULTI\r\n"),
        ("DISCARD", "-ERR DISCARD without MULTI\r\n"),
        ("MULTI", "+OK\r\n"),
        ("MULTI", "-ERR MULTI calls can not be nested\r\n"),
        ("SET a 1", "+QUEUED\r\n"),
        ("SET a", "-ERR wrong number of arguments for 'set' command\r\n"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n"),
        ("EXISTS a", ":0\r\n"),
        ("MULTI", "+OK\r\n"),
        ("SET a text", "+QUEUED\r\n"),
        ("INCR a", "+QUEUED\r\n"),
        ("SET b 1", "+QUEUED\r\n"),
        ("EXEC", "*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n+OK\r\n"),
        ("MGET a b", "*2\r\n$4\r\ntext\r\n$1\r\n1\r\n"),
    ]);
}

#[test]
fn a_watched_key_that_changes_fails_the_transaction() {
    let server = Server::start(&[]);
    let (mut wire, mut other) = (server.connect(), server.connect());
    for change in ["SET a 2", "DEL a", "EXPIRE a 100", "APPEND a x", "FLUSHDB", "RENAME a b"] {
        wire.talk(&[("SET a 1", "+OK\r\n"), ("WATCH a", "+OK\r\n"), ("MULTI", "+OK\r\n")]);
        other.ask(change);
        wire.talk(&[("SET c 1", "+QUEUED\r\n"), ("EXEC", "*-1\r\n"), ("EXISTS c", ":0\r\n")]);
    }
    wire.talk(&[("SET a 1", "+OK\r\n"), ("WATCH a", "+OK\r\n")]);
    other.ask("SET a 2");
    wire.talk(&[
        ("UNWATCH", "+OK\r\n"),
        ("MULTI", "+OK\r\n"),
        ("INCR a", "+QUEUED\r\n"),
        ("EXEC", "*1\r\n:3\r\n"),
    ]);
    wire.talk(&[
        ("WATCH none", "+OK\r\n"),
        ("MULTI", "+OK\r\n"),
        ("INCR a", "+QUEUED\r\n"),
        ("EXEC", "*1\r\n:4\r\n"),
    ]);
}

/// Money moves between accounts in transactions of several kinds while others add it all up.
#[test]
fn money_is_neither_made_nor_lost() {
    const ACCOUNTS: usize = 8;
    const EACH: i64 = 1000;
    let server = Server::start(&[]);
    for account in 0..ACCOUNTS {
        server.connect().ask(&format!("SET account:{account} {EACH}"));
    }
    std::thread::scope(|scope| {
        for mover in 0..4 {
            let mut wire = server.connect();
            scope.spawn(move || {
                for round in 0..400 {
                    let (from, to) = ((mover + round) % ACCOUNTS, (mover * 3 + round * 5 + 1) % ACCOUNTS);
                    wire.send(
                        format!("MULTI\r\nDECRBY account:{from} 7\r\nINCRBY account:{to} 7\r\nEXEC\r\n")
                            .as_bytes(),
                    );
                    wire.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n");
                    assert!(
                        matches!(wire.reply().expect("a reply"), Reply::Array(parts) if parts.len() == 2)
                    );
                }
            });
        }
        let names: Vec<String> = (0..ACCOUNTS).map(|account| format!("account:{account}")).collect();
        let sum = format!("MGET {}", names.join(" "));
        let mut wire = server.connect();
        scope.spawn(move || {
            for _ in 0..400 {
                let Reply::Array(values) = wire.ask(&sum) else { panic!("not an array") };
                let total: i64 =
                    values.iter().map(|value| value.text().parse::<i64>().expect("a number")).sum();
                assert_eq!(total, EACH * ACCOUNTS as i64);
            }
        });
    });
}

/// The oldest use of WATCH: read, compute, write only if nobody was faster.
#[test]
fn watch_makes_a_counter_exact() {
    let server = Server::start(&[]);
    server.connect().ask("SET counter 0");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut wire = server.connect();
            scope.spawn(move || {
                let mut done = 0;
                while done < 100 {
                    wire.ask("WATCH counter");
                    let read: i64 = wire.ask("GET counter").text().parse().expect("a number");
                    wire.ask("MULTI");
                    wire.ask(&format!("SET counter {}", read + 1));
                    done += i32::from(wire.ask("EXEC") != Reply::Nil);
                }
            });
        }
    });
    assert_eq!(server.connect().ask("GET counter").text(), "400");
}
