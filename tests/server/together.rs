//! Pipelines whose commands are about one key, which run in one attempt.

use crate::harness::{Launch, Reply, Server, Wire};

/// Sends all lines at once and gives the replies.
fn pipeline(wire: &mut Wire, lines: &[String]) -> Vec<Reply> {
    wire.send((lines.join("\r\n") + "\r\n").as_bytes());
    lines.iter().map(|_| wire.reply().expect("a reply")).collect()
}

#[test]
fn events_are_told_of_each_command_in_order_and_not_of_those_that_failed() {
    let server = Server::start(&["-notify-keyspace-events", "EAn"]);
    let (mut ear, mut actor) = (server.connect(), server.connect());
    ear.ask("PSUBSCRIBE *");
    let lines = [
        "RPUSH k a",
        "HSET k f v",
        "RPUSH k b",
        "LSET k 9 x",
        "LPOP k",
        "LPOP k",
        "RPUSH k c",
        "LPUSHX none d",
        "SADD s a",
        "SADD s a",
        "SREM s b",
        "SREM s a",
        "PUBLISH end end",
    ];
    pipeline(&mut actor, &lines.map(str::to_owned));
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != "end end") {
        let Reply::Array(parts) = ear.reply().expect("a message") else { panic!("no array") };
        heard.push(format!("{} {}", parts[2].text().replace("__keyevent@0__:", ""), parts[3].text()));
    }
    let expected = [
        "new k", "rpush k", "rpush k", "lpop k", "lpop k", "del k", "new k", "rpush k", "new s", "sadd s",
        "srem s", "del s", "end end",
    ];
    assert_eq!(heard, expected);
}

#[test]
fn who_waits_for_a_key_is_served_with_what_the_first_command_brings() {
    let server = Server::start(&[]);
    let (mut waiting, mut actor) = (server.connect(), server.connect());
    waiting.send(b"BLPOP k 0\r\n");
    crate::harness::until("somebody waits", || {
        actor.ask("INFO clients").text().contains("blocked_clients:1")
    });
    let replies = pipeline(&mut actor, &["RPUSH k a", "RPUSH k b", "RPUSH k c", "LLEN k"].map(str::to_owned));
    waiting.expect("*2\r\n$1\r\nk\r\n$1\r\na\r\n");
    assert_eq!(replies, [1, 1, 2, 2].map(Reply::Int));
}

/// Each client pushes its own numbers in pipelines, and asks for its counter; what is there in the end, also after
/// `kill -9`, has each client's numbers in their order and none twice.
#[test]
fn clients_that_fight_for_keys_lose_nothing_and_get_their_own_counts() {
    const CLIENTS: usize = 4;
    const ROUNDS: usize = 150;
    const EACH: usize = 12;
    let server = Launch::persistent(&[]).start();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let mut wire = server.connect();
            scope.spawn(move || {
                let mut last = 0;
                for round in 0..ROUNDS {
                    let numbers = round * EACH..(round + 1) * EACH;
                    let mut lines: Vec<_> =
                        numbers.clone().map(|number| format!("RPUSH list {client}:{number}")).collect();
                    lines
                        .extend(numbers.clone().map(|number| format!("HSET hash {client}:{number} {round}")));
                    lines.extend(
                        numbers.clone().map(|number| format!("ZADD zset {number} {client}:{number}")),
                    );
                    lines.extend(numbers.map(|_| "INCR counter".to_owned()));
                    let replies = pipeline(&mut wire, &lines);
                    let counts: Vec<_> = replies[..EACH].iter().map(Reply::int).collect();
                    assert!(counts.is_sorted_by(|a, b| a < b), "{counts:?}");
                    assert!(replies[EACH..3 * EACH].iter().all(|reply| *reply == Reply::Int(1)));
                    for count in replies[3 * EACH..].iter().map(Reply::int) {
                        assert!(count > last, "{count} after {last}");
                        last = count;
                    }
                }
            });
        }
    });
    let total = CLIENTS * ROUNDS * EACH;
    let server = server.killed_and_restarted();
    let mut wire = server.connect();
    for line in ["LLEN list", "HLEN hash", "ZCARD zset"] {
        assert_eq!(wire.ask(line), Reply::Int(total as i64), "{line}");
    }
    assert_eq!(wire.ask("GET counter").text(), total.to_string());
    let Reply::Array(list) = wire.ask("LRANGE list 0 -1") else { panic!("no array") };
    let mut next = [0; CLIENTS];
    for element in list.iter().map(Reply::text) {
        let (client, number) = element.split_once(':').expect("a client and a number");
        let next = &mut next[client.parse::<usize>().expect("a client")];
        assert_eq!(number, next.to_string(), "client {client}");
        *next += 1;
    }
}
