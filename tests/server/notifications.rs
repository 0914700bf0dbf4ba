//! Events of keys: which are told, on which channels, in which order.

use crate::harness::{Reply, Server, Wire};

/// A server that tells `classes`, one client that hears all of it, and one that acts.
fn server_that_tells(classes: &str) -> (Server, Wire, Wire) {
    let server = Server::start(&["-notify-keyspace-events", classes]);
    let (mut ear, actor) = (server.connect(), server.connect());
    ear.ask("PSUBSCRIBE *");
    (server, ear, actor)
}

/// The next message: its channel and payload.
fn heard(ear: &mut Wire) -> String {
    let Reply::Array(parts) = ear.reply().expect("a message") else { panic!("no array") };
    assert_eq!(parts[0].text(), "pmessage");
    format!("{} {}", parts[2].text(), parts[3].text())
}

/// What is heard because of commands: event and key of each, where `E` is told.
fn events(ear: &mut Wire, actor: &mut Wire, commands: &[&str]) -> Vec<String> {
    for command in commands {
        let reply = actor.ask(command);
        assert!(!matches!(reply, Reply::Error(_)), "{command}: {reply:?}");
    }
    actor.ask("PUBLISH end end");
    let mut heard_so_far = Vec::new();
    loop {
        match heard(ear) {
            end if end == "end end" => return heard_so_far,
            event => heard_so_far.push(event.replace("__keyevent@0__:", "")),
        }
    }
}

#[test]
fn each_command_tells_its_events_with_redis_names() {
    let (_server, mut ear, mut actor) = server_that_tells("EA");
    for (commands, expected) in [
        (&["SET a 1"][..], &["set a"][..]),
        (&["SET a 1 NX", "SET none 1 XX", "SETNX a 2"], &[]),
        (&["SET a 1 EX 100"], &["set a", "expire a"]),
        (&["SET a 1 KEEPTTL"], &["set a"]),
        (&["SETEX a 100 1", "PSETEX a 100000 1"], &["set a", "expire a", "set a", "expire a"]),
        (&["SETNX b 1", "MSET a 1 b 2", "MSETNX c 1 d 2"], &["set b", "set a", "set b", "set c", "set d"]),
        (&["MSETNX a 1 e 2"], &[]),
        (&["GETSET a 2", "APPEND a 3", "SETRANGE a 1 9"], &["set a", "append a", "setrange a"]),
        (&["SETRANGE a 0 ", "GET a", "GETRANGE a 0 1", "STRLEN a"], &[]),
        (&["SET n 1", "INCR n", "INCRBY n 2"], &["set n", "incrby n", "incrby n"]),
        (&["DECR n", "DECRBY n 2", "INCRBYFLOAT n 1.5"], &["incrby n", "incrby n", "incrbyfloat n"]),
        (&["EXPIRE a 100", "PEXPIRE a 100000"], &["expire a", "expire a"]),
        (&["EXPIREAT a 99999999999", "PEXPIREAT a 99999999999999"], &["expire a", "expire a"]),
        (&["EXPIRE a 10 NX", "EXPIRE none 10", "PERSIST none"], &[]),
        (&["PERSIST a", "PERSIST a"], &["persist a"]),
        (&["EXPIRE a -1"], &["del a"]),
        (&["SET a 1", "GETEX a EX 100", "GETEX a PERSIST"], &["set a", "expire a", "persist a"]),
        (&["GETEX a", "GETEX a PERSIST"], &[]),
        (&["GETEX a PXAT 1", "GETDEL b", "GETDEL b"], &["del a", "del b"]),
        (&["DEL c d none", "UNLINK n"], &["del c", "del d", "del n"]),
        (&["SET a 1", "RENAME a b"], &["set a", "rename_from a", "rename_to b"]),
        (&["RENAME b b", "RENAMENX b b"], &[]),
        (&["RENAMENX b c", "COPY c d"], &["rename_from b", "rename_to c", "copy_to d"]),
        (&["COPY c d", "COPY none d"], &[]),
        (&["COPY c d REPLACE"], &["copy_to d"]),
        (&["MOVE c 1"], &["move_from c", "__keyevent@1__:move_to c"]),
        (&["COPY d d DB 1"], &["__keyevent@1__:copy_to d"]),
        (&["FLUSHALL", "SWAPDB 0 1"], &[]),
    ] {
        assert_eq!(events(&mut ear, &mut actor, commands), expected, "{commands:?}");
    }
}

#[test]
fn the_letters_choose_the_channels_and_the_classes() {
    let (_server, mut ear, mut actor) = server_that_tells("");
    assert_eq!(events(&mut ear, &mut actor, &["SET a 1"]), [""; 0]);
    for (classes, shown, expected) in [
        ("K$", "$K", &["__keyspace@0__:a set"][..]),
        ("E$", "$E", &["set a"]),
        ("gKE", "gKE", &["__keyspace@0__:a expire", "expire a", "__keyspace@0__:a del", "del a"]),
        (
            "KEA",
            "AKE",
            &[
                "__keyspace@0__:a set",
                "set a",
                "__keyspace@0__:a expire",
                "expire a",
                "__keyspace@0__:a del",
                "del a",
            ],
        ),
        ("lshzxetdEm", "lshzxetdEm", &[]),
        ("A", "A", &[]),
        ("En", "nE", &["new a"]),
        ("", "", &[]),
    ] {
        actor.talk(&[
            (&format!("CONFIG SET notify-keyspace-events \"{classes}\""), "+OK\r\n"),
            (
                "CONFIG GET notify-keyspace-events",
                &format!("*2\r\n$22\r\nnotify-keyspace-events\r\n${}\r\n{shown}\r\n", shown.len()),
            ),
        ]);
        let commands = ["SET a 1", "EXPIRE a 100", "GET a", "DEL a"];
        assert_eq!(events(&mut ear, &mut actor, &commands), expected, "{classes}");
    }
    let Reply::Error(refused) = actor.ask("CONFIG SET notify-keyspace-events K1") else { panic!("accepted") };
    assert!(refused.ends_with("Invalid event class character. Use 'Ag$lshzxeKEtmdn'."), "{refused}");
}

#[test]
fn new_keys_are_told_in_front_of_what_made_them() {
    let (_server, mut ear, mut actor) = server_that_tells("EAn");
    for (commands, expected) in [
        (&["SET a 1"][..], &["new a", "set a"][..]),
        (&["SET a 2", "APPEND a x", "SET n 1 EX 100"], &["set a", "append a", "new n", "set n", "expire n"]),
        (&["DEL a", "INCR a"], &["del a", "new a", "incrby a"]),
        (&["MSET a 1 b 2"], &["set a", "new b", "set b"]),
        (&["RENAME a b"], &["new b", "rename_from a", "rename_to b"]),
        (&["COPY b c"], &["new c", "copy_to c"]),
        (&["MOVE c 1"], &["__keyevent@1__:new c", "move_from c", "__keyevent@1__:move_to c"]),
    ] {
        assert_eq!(events(&mut ear, &mut actor, commands), expected, "{commands:?}");
    }
    actor.talk(&[("MULTI", "+OK\r\n"), ("SET m 1", "+QUEUED\r\n"), ("APPEND m 1", "+QUEUED\r\n")]);
    actor.talk(&[("DEL m", "+QUEUED\r\n"), ("SET m 1", "+QUEUED\r\n")]);
    assert_eq!(
        events(&mut ear, &mut actor, &["EXEC"]),
        ["new m", "set m", "append m", "del m", "new m", "set m"]
    );
}

#[test]
fn keys_looked_for_in_vain_are_told() {
    let (_server, mut ear, mut actor) = server_that_tells("Em");
    actor.ask("SET a 1");
    for (commands, expected) in [
        (&["GET a", "EXISTS a", "SET b 1", "DEL none", "INCR n", "EXPIRE none 10"][..], &[][..]),
        (&["GET x", "MGET a x x", "EXISTS x", "TTL x"], &["x", "x", "x", "x", "x"]),
        (&["GETSET o 1", "SET p 1 GET", "GETDEL x", "GETEX x", "COPY x y"], &["o", "p", "x", "x", "x"]),
        (&["STRLEN x", "GETRANGE x 0 1", "TYPE x"], &["x", "x", "x"]),
        (&["OBJECT ENCODING a"], &[]),
    ] {
        let expected: Vec<_> = expected.iter().map(|key| format!("keymiss {key}")).collect();
        assert_eq!(events(&mut ear, &mut actor, commands), expected, "{commands:?}");
    }
    actor.talk(&[("MULTI", "+OK\r\n"), ("GET x", "+QUEUED\r\n"), ("GET x", "+QUEUED\r\n")]);
    assert_eq!(events(&mut ear, &mut actor, &["EXEC"]), ["keymiss x", "keymiss x"]);
}

#[test]
fn keys_whose_time_comes_are_told_whoever_finds_them() {
    let (server, mut ear, mut actor) = server_that_tells("Ex");
    actor.ask("PSETEX a 50 1");
    assert_eq!(heard(&mut ear), "__keyevent@0__:expired a");
    actor.ask("SET b 1 PXAT 1");
    assert_eq!(heard(&mut ear), "__keyevent@0__:expired b");
    // With the timers stopped, who writes the key finds that its time has come.
    drop((ear, actor, server));
    let server = Server::start(&["-notify-keyspace-events", "EA", "-enable-debug-command", "yes"]);
    let (mut ear, mut actor) = (server.connect(), server.connect());
    ear.ask("PSUBSCRIBE *");
    actor.talk(&[("DEBUG SET-ACTIVE-EXPIRE 0", "+OK\r\n"), ("PSETEX c 1 x", "+OK\r\n")]);
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(
        events(&mut ear, &mut actor, &["GET c", "SET c 1"]),
        ["set c", "expire c", "expired c", "set c"]
    );
}

#[test]
fn what_a_transaction_did_is_told_once_it_took_effect_and_what_failed_is_not() {
    let (_server, mut ear, mut actor) = server_that_tells("EA");
    actor.talk(&[
        ("MULTI", "+OK\r\n"),
        ("SET a x", "+QUEUED\r\n"),
        ("INCR a", "+QUEUED\r\n"),
        ("PUBLISH said hello", "+QUEUED\r\n"),
        ("SELECT 3", "+QUEUED\r\n"),
        ("SET b 1", "+QUEUED\r\n"),
        ("SELECT 0", "+QUEUED\r\n"),
        ("DEL a", "+QUEUED\r\n"),
        ("PUBLISH none hello", "+QUEUED\r\n"),
    ]);
    let heard = events(&mut ear, &mut actor, &["EXEC"]);
    assert_eq!(heard, ["set a", "said hello", "__keyevent@3__:set b", "del a", "none hello"]);
    actor.talk(&[("WATCH a", "+OK\r\n"), ("SET a 1", "+OK\r\n"), ("MULTI", "+OK\r\n")]);
    actor.talk(&[("SET a 2", "+QUEUED\r\n")]);
    assert_eq!(events(&mut ear, &mut actor, &["EXEC"]), ["set a"]);
}
