//! What the server says of itself, and what can be changed while it runs.

use crate::harness::{Reply, Server, Wire, until};

#[test]
fn settings_are_read_and_changed() {
    let server = Server::start(&["--maxmemory", "100mb"]);
    let mut wire = server.connect();
    wire.talk(&[
        ("CONFIG GET maxmemory", "*2\r\n$9\r\nmaxmemory\r\n$9\r\n104857600\r\n"),
        ("CONFIG SET timeout 300 maxclients 500", "+OK\r\n"),
        ("CONFIG GET timeout", "*2\r\n$7\r\ntimeout\r\n$3\r\n300\r\n"),
        ("CONFIG GET nosuch", "*0\r\n"),
        ("CONFIG RESETSTAT", "+OK\r\n"),
    ]);
    for wrong in ["CONFIG SET nosuch 1", "CONFIG SET timeout abc", "CONFIG SET timeout 5 port abc"] {
        let Reply::Error(error) = wire.ask(wrong) else { panic!("{wrong} was taken") };
        assert!(error.starts_with("ERR "), "{error}");
    }
    wire.talk(&[("CONFIG GET timeout", "*2\r\n$7\r\ntimeout\r\n$3\r\n300\r\n")]);
}

#[test]
fn rewritten_settings_are_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("goredis.conf");
    std::fs::write(&path, "# mine\ntimeout 7\n").expect("written");
    let server = Server::start(&[path.to_str().expect("a path of text")]);
    server.connect().talk(&[("CONFIG SET timeout 8", "+OK\r\n"), ("CONFIG REWRITE", "+OK\r\n")]);
    let server = server.killed_and_restarted();
    server.connect().talk(&[("CONFIG GET timeout", "*2\r\n$7\r\ntimeout\r\n$1\r\n8\r\n")]);
    let written = std::fs::read_to_string(&path).expect("read");
    assert!(written.contains("# mine"), "{written}");
}

#[test]
fn info_tells_the_truth() {
    let server = Server::start(&[]);
    let (mut wire, mut other) = (server.connect(), server.connect());
    other.ask("PING");
    for line in ["SET a 1", "SET b 2 EX 100", "GET a", "GET a", "GET none", "SELECT 3", "SET c 1"] {
        wire.ask(line);
    }
    let info = wire.ask("INFO everything").text();
    for line in [
        format!("process_id:{}", server.id()),
        format!("tcp_port:{}", server.port()),
        "connected_clients:2".to_owned(),
        "total_connections_received:2".to_owned(),
        "keyspace_hits:2".to_owned(),
        "keyspace_misses:1".to_owned(),
        "role:master".to_owned(),
        "cmdstat_get:calls=3,".to_owned(),
        "db0:keys=2,expires=1,".to_owned(),
        "db3:keys=1,expires=0,".to_owned(),
    ] {
        assert!(info.contains(&line), "no {line} in {info}");
    }
}

#[test]
fn a_password_keeps_others_out() {
    let server = Server::start(&["-requirepass", "secret"]);
    let mut wire = server.connect();
    wire.talk(&[
        ("GET a", "-NOAUTH Authentication required.\r\n"),
        ("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
        ("AUTH secret", "+OK\r\n"),
        ("GET a", "$-1\r\n"),
    ]);
}

#[test]
fn clients_see_and_end_each_other() {
    let server = Server::start(&[]);
    let (mut wire, mut other) = (server.connect(), server.connect());
    other.talk(&[("CLIENT SETNAME other", "+OK\r\n")]);
    let id = other.ask("CLIENT ID").int();
    let list = wire.ask("CLIENT LIST").text();
    assert!(list.contains(&format!("id={id} ")) && list.contains(" name=other "), "{list}");
    assert_eq!(wire.ask(&format!("CLIENT KILL ID {id}")).int(), 1);
    assert_eq!(other.rest(), "");
}

#[test]
fn a_command_that_waits_counts_when_it_has_its_reply() {
    let server = Server::start(&[]);
    let (mut wire, mut other) = (server.connect(), server.connect());
    let id = other.ask("CLIENT ID").int();
    let counted = |wire: &mut Wire| {
        let line = wire.ask(&format!("CLIENT LIST ID {id}")).text();
        let count = line.trim_end().rsplit_once("tot-cmds=").expect("the count comes last").1;
        count.parse::<u64>().expect("a number")
    };
    assert_eq!(counted(&mut wire), 1);
    other.send(b"BLPOP list 0\r\n");
    until("the list to be waited for", || wire.ask("INFO clients").text().contains("blocked_clients:1"));
    assert_eq!(counted(&mut wire), 1);
    wire.ask("RPUSH list a");
    assert!(matches!(other.reply(), Ok(Reply::Array(_))));
    assert_eq!(counted(&mut wire), 2);
    other.talk(&[("MULTI", "+OK\r\n"), ("GET a", "+QUEUED\r\n"), ("EXEC", "*1\r\n$-1\r\n")]);
    assert_eq!(counted(&mut wire), 5, "what a transaction runs counts, and EXEC with it");
}

/// The requests of the next lines that a connection is shown.
fn shown(monitor: &mut Wire, count: usize) -> Vec<String> {
    let request = |_| {
        let Ok(Reply::Status(line)) = monitor.reply() else { panic!("no line comes") };
        let (head, request) = line.split_once("] ").expect("the request comes last");
        let (time, client) = head.split_once(" [").expect("the time comes first");
        assert!(time.parse::<f64>().is_ok_and(|time| time > 1.6e9), "{line}");
        assert!(client.starts_with("0 127.0.0.1:"), "{line}");
        request.to_owned()
    };
    (0..count).map(request).collect()
}

#[test]
fn who_monitors_sees_what_is_asked_for_once_and_in_order() {
    let server = Server::start(&[]);
    let (mut monitor, mut wire, mut waiting) = (server.connect(), server.connect(), server.connect());
    monitor.talk(&[("MONITOR", "+OK\r\n")]);
    wire.talk(&[("SET a \"b c\"", "+OK\r\n"), ("GET a", "$3\r\nb c\r\n")]);
    assert_eq!(shown(&mut monitor, 2), [r#""SET" "a" "b c""#, r#""GET" "a""#]);
    wire.send(b"GET a\r\nGET a\r\nAUTH x secret\r\nCONFIG GET port\r\nNOSUCH\r\nPING\r\n");
    let together = [r#""GET" "a""#, r#""GET" "a""#, r#""AUTH" "(redacted)" "(redacted)""#, r#""PING""#];
    assert_eq!(shown(&mut monitor, 4), together);
    let mut wire = server.connect();
    wire.talk(&[("MULTI", "+OK\r\n"), ("SET a d", "+QUEUED\r\n"), ("EXEC", "*1\r\n+OK\r\n")]);
    assert_eq!(shown(&mut monitor, 3), [r#""MULTI""#, r#""SET" "a" "d""#, r#""EXEC""#]);
    waiting.send(b"BLPOP list 0\r\n");
    assert_eq!(shown(&mut monitor, 1), [r#""BLPOP" "list" "0""#]);
    wire.talk(&[("RPUSH list 1", ":1\r\n"), ("RPUSH list 2", ":1\r\n")]);
    assert_eq!(shown(&mut monitor, 2), [r#""RPUSH" "list" "1""#, r#""RPUSH" "list" "2""#]);
}

#[test]
fn who_monitors_leaves_the_keys_alone_until_it_is_reset() {
    let server = Server::start(&[]);
    let (mut monitor, mut wire) = (server.connect(), server.connect());
    monitor.talk(&[("MONITOR", "+OK\r\n"), ("GET a", "-ERR Replica can't interact with the keyspace\r\n")]);
    let list = wire.ask("CLIENT LIST").text();
    assert!(list.contains(" flags=O "), "{list}");
    monitor.talk(&[("RESET", "+RESET\r\n"), ("GET a", "$-1\r\n")]);
    wire.ask("PING");
    monitor.talk(&[("GET a", "$-1\r\n")]);
    let list = wire.ask("CLIENT LIST").text();
    assert!(!list.contains(" flags=O "), "{list}");
}

#[test]
fn shutdown_ends_the_process_with_success() {
    let server = Server::start(&[]);
    let mut wire = server.connect();
    wire.send(b"SHUTDOWN\r\n");
    assert_eq!(wire.rest(), "");
    assert!(server.ended().success());
}
