//! What a server answers that follows another, or is followed.

use super::script::{Client, run};
use crate::clock::Millis;
use crate::command::replicas::{Attached, Feeding, Introduction};
use crate::command::upstream::{Link, SyncProgress};
use crate::lsn::Lsn;
use crate::settings::{Settings, Startup};

const READONLY: &str = "-READONLY You can't write against a read only replica.";
const NO_REPLICAS: &str = "-NOREPLICAS Not enough good replicas to write.";
const STALE: &str = "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";

fn replicating() -> (Client, crate::command::replication::stand_in::StandIn) {
    Client::replicating(Settings::default())
}

fn attach(client: &Client, port: u16, feeding: Feeding) -> Attached {
    let introduction = Introduction { client_id: 9, ip: "10.0.0.7".into(), port };
    let attached = client.context().replicas.attach(introduction, Millis::now());
    attached.replica().set_feeding(feeding);
    attached
}

fn field(client: &mut Client, name: &str) -> Option<String> {
    let info = client.ask("INFO replication");
    let found = info.split(' ').find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.map(str::to_owned)
}

#[test]
fn a_replica_refuses_writes_and_a_primary_takes_them() {
    let (mut client, upstream) = replicating();
    client.follow_on(&[
        ("SET x 1", "+OK"),
        ("REPLICAOF 127.0.0.1 7000", "+OK"),
        ("SET x 2", READONLY),
        ("BLPOP l 0", READONLY),
        ("FLUSHALL", READONLY),
        ("GET x", "$1 1"),
        ("PUBLISH c m", ":0"),
        ("SLAVEOF 127.0.0.1 7000", "+OK Already connected to specified master"),
        ("REPLICAOF 127.0.0.1 7000 HISTORY 00000000000000000000000000000001", "+OK"),
        ("CONFIG GET replicaof", "*2 $9 replicaof $14 127.0.0.1 7000"),
        ("REPLICAOF unwilling 1", "-ERR this host is not followed"),
        ("REPLICAOF NO ONE", "+OK"),
        ("REPLICAOF NO ONE", "+OK"),
        ("CONFIG GET replicaof", "*2 $9 replicaof $0"),
        ("SET x 2", "+OK"),
    ]);
    let asked = upstream.asked();
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert!(asked[0].starts_with("follow 127.0.0.1:7000 None") && asked[3] == "promote", "{asked:?}");
}

#[test]
fn a_server_without_replication_says_so() {
    run(&[
        ("REPLICAOF h 1", "-ERR this server has no replication: nobody set it up"),
        ("REPLICAOF h x", "-ERR Invalid master port"),
        ("FAILOVER", "-ERR this server has no replication: nobody set it up"),
    ]);
}

#[test]
fn writes_are_refused_inside_multi_too() {
    let (mut client, _upstream) = replicating();
    client.follow_on(&[
        ("MULTI", "+OK"),
        ("SET x 1", "+QUEUED"),
        ("EXEC", "*1 +OK"),
        ("MULTI", "+OK"),
        ("SET x 2", "+QUEUED"),
    ]);
    client.engine().set_follows(true).expect("the log is whole");
    client.follow_on(&[
        ("EXEC", &format!("-EXECABORT Transaction discarded because of: {}", &READONLY[1..])),
        ("MULTI", "+OK"),
        ("SET x 2", READONLY),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ("MULTI", "+OK"),
        ("GET x", "+QUEUED"),
        ("EXEC", "*1 $1 1"),
    ]);
}

#[test]
fn sentinels_transaction_changes_the_role_when_it_has_taken_effect() {
    let (mut client, upstream) = replicating();
    client.follow_on(&[
        ("MULTI", "+OK"),
        ("SET x 1", "+QUEUED"),
        ("SLAVEOF 10.0.0.1 7000", "+QUEUED"),
        ("CONFIG REWRITE", "+QUEUED"),
        ("CLIENT KILL TYPE normal", "+QUEUED"),
        ("CLIENT KILL TYPE pubsub", "+QUEUED"),
        ("GET x", "+QUEUED"),
        ("EXEC", "*6 +OK +OK -ERR The server is running without a config file :0 :0 $1 1"),
        ("SET x 2", READONLY),
        ("MULTI", "+OK"),
        ("SLAVEOF 10.0.0.1 7000", "+QUEUED"),
        ("SLAVEOF NO ONE", "+QUEUED"),
        ("EXEC", "*2 +OK Already connected to specified master +OK"),
        ("SET x 2", "+OK"),
    ]);
    assert_eq!(upstream.asked().len(), 2);
}

#[test]
fn the_file_says_whom_the_server_follows_after_sentinels_transaction() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("goredis.conf");
    std::fs::write(&path, "port 7000\n").expect("a file");
    let Ok(Startup::Run(settings)) = Settings::from_args([path.clone().into()], std::io::empty()) else {
        panic!()
    };
    let (mut client, _upstream) = Client::replicating(settings);
    let text = || std::fs::read_to_string(&path).expect("the file");
    for line in ["MULTI", "SLAVEOF 10.0.0.1 7000", "CONFIG REWRITE"] {
        client.ask(line);
    }
    assert_eq!(client.ask("EXEC"), "*2 +OK +OK");
    assert!(text().contains("replicaof 10.0.0.1 7000\n"), "{}", text());
    client.ask("REPLICAOF NO ONE");
    assert_eq!(client.ask("CONFIG REWRITE"), "+OK");
    assert!(!text().contains("replicaof"), "{}", text());
}

#[test]
fn stale_data_is_not_served_where_that_is_forbidden() {
    let (mut client, upstream) = replicating();
    client.set("replica-serve-stale-data", "no");
    client.follow_on(&[
        ("SET x 1", "+OK"),
        ("MULTI", "+OK"),
        ("GET x", "+QUEUED"),
        ("EXEC", "*1 $1 1"),
        ("REPLICAOF h 1", "+OK"),
        ("GET x", STALE),
        ("PING", STALE),
        ("SET x 1", READONLY),
        ("SELECT 0", "+OK"),
        ("MULTI", "+OK"),
        ("GET x", STALE),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
    ]);
    upstream.link(|status| status.link = Link::Log);
    client.follow_on(&[("GET x", "$1 1"), ("SET x 1", READONLY)]);
}

#[test]
fn writes_want_as_many_good_replicas_as_are_set() {
    let (mut client, _upstream) = replicating();
    client.set("min-replicas-to-write", "1");
    client.follow_on(&[
        ("SET x 1", NO_REPLICAS),
        ("GET x", "$-1"),
        ("MULTI", "+OK"),
        ("SET x 1", NO_REPLICAS),
    ]);
    client.ask("DISCARD");
    let attached = attach(&client, 7001, Feeding::Snapshot);
    client.follow_on(&[("SET x 1", NO_REPLICAS)]);
    attached.replica().set_feeding(Feeding::Log);
    client.follow_on(&[("SET x 1", "+OK")]);
    assert_eq!(field(&mut client, "min_slaves_good_slaves").as_deref(), Some("1"));
    attached.acknowledged(Lsn::ZERO, Lsn::ZERO, Millis(0));
    client.follow_on(&[("SET x 1", NO_REPLICAS)]);
    client.set("min-replicas-max-lag", "0");
    client.follow_on(&[("SET x 1", "+OK")]);
}

#[test]
fn role_tells_of_replicas_and_of_the_primary() {
    let (mut client, upstream) = replicating();
    let position = client.engine().resolved();
    let attached = attach(&client, 7001, Feeding::Log);
    let _coming = attach(&client, 7002, Feeding::Snapshot);
    attached.acknowledged(Lsn::new(4096), Lsn::new(0), Millis::now());
    let expected = format!("*3 $6 master :{position} *1 *3 $8 10.0.0.7 $4 7001 $4 4096");
    assert_eq!(client.ask("ROLE"), expected);
    client.ask("REPLICAOF primary 7000");
    for (link, name) in [(Link::Connect, "connect"), (Link::Snapshot, "sync"), (Link::Log, "connected")] {
        upstream.link(|status| status.link = link);
        let expected = format!("*5 $5 slave $7 primary :7000 ${} {name} :{position}", name.len());
        assert_eq!(client.ask("ROLE"), expected);
    }
}

#[test]
fn info_of_a_primary_lists_its_replicas() {
    let (mut client, _upstream) = replicating();
    let attached = attach(&client, 7001, Feeding::Log);
    attached.acknowledged(Lsn::new(4096), Lsn::new(0), Millis::now());
    let position = client.engine().resolved().to_string();
    for (name, expected) in [
        ("role", Some("master")),
        ("connected_slaves", Some("1")),
        ("slave0", Some("ip=10.0.0.7,port=7001,state=online,offset=4096,lag=0")),
        ("master_failover_state", Some("no-failover")),
        ("master_repl_offset", Some(position.as_str())),
        ("master_host", None),
        ("min_slaves_good_slaves", None),
    ] {
        assert_eq!(field(&mut client, name).as_deref(), expected, "{name}");
    }
    let id = format!("00000000{}", client.engine().history());
    assert_eq!(field(&mut client, "master_replid"), Some(id));
    let stats = client.ask("INFO stats");
    assert!(stats.contains("sync_full:1 sync_partial_ok:2 sync_partial_err:3"), "{stats}");
}

#[test]
fn info_of_a_replica_tells_of_the_link() {
    let (mut client, upstream) = replicating();
    client.set("replica-priority", "7");
    client.ask("REPLICAOF primary 7000");
    for (name, expected) in [
        ("role", Some("slave")),
        ("master_host", Some("primary")),
        ("master_port", Some("7000")),
        ("master_link_status", Some("down")),
        ("master_last_io_seconds_ago", Some("-1")),
        ("master_sync_in_progress", Some("0")),
        ("master_link_down_since_seconds", Some("0")),
        ("master_link_refused", None),
        ("slave_priority", Some("7")),
        ("slave_read_only", Some("1")),
        ("replica_announced", Some("1")),
    ] {
        assert_eq!(field(&mut client, name).as_deref(), expected, "{name}");
    }
    upstream.link(|status| {
        status.link = Link::Snapshot;
        status.sync = Some(SyncProgress { done: 25, total: 100 });
    });
    assert_eq!(field(&mut client, "master_sync_in_progress").as_deref(), Some("1"));
    assert_eq!(field(&mut client, "master_sync_left_bytes").as_deref(), Some("75"));
    assert_eq!(field(&mut client, "master_sync_perc").as_deref(), Some("25.00"));
    upstream.link(|status| {
        status.link = Link::Log;
        status.heard_at = Some(Millis::now());
    });
    assert_eq!(field(&mut client, "master_link_status").as_deref(), Some("up"));
    assert_eq!(field(&mut client, "master_last_io_seconds_ago").as_deref(), Some("0"));
    assert_eq!(field(&mut client, "master_link_down_since_seconds"), None);
    upstream.link(|status| {
        status.link = Link::Refused;
        status.refusal = Some("another's\ndata".into());
    });
    assert!(client.ask("INFO replication").contains("master_link_refused:another's data"));
}

#[test]
fn wait_counts_replicas_that_have_the_last_write() {
    let (mut client, _upstream) = replicating();
    client.follow_on(&[("WAIT 0 0", ":0"), ("SET x 1", "+OK"), ("WAIT 0 100", ":0")]);
    let behind = attach(&client, 7001, Feeding::Log);
    let ahead = attach(&client, 7002, Feeding::Log);
    let head = client.engine().resolved();
    ahead.acknowledged(head, Lsn::ZERO, Millis::now());
    client.follow_on(&[("WAIT 1 0", ":1"), ("WAIT -1 0", ":1")]);
    behind.acknowledged(head, head, Millis::now());
    client.follow_on(&[
        ("WAIT 2 0", ":2"),
        ("WAITAOF 0 1 0", "*2 :0 :1"),
        ("GET x", "$1 1"),
        ("MULTI", "+OK"),
        ("WAIT 5 0", "+QUEUED"),
        ("WAITAOF 0 5 0", "+QUEUED"),
        ("EXEC", "*2 :2 *2 :0 :1"),
    ]);
}

#[test]
fn what_was_written_earlier_in_the_same_batch_counts() {
    let (mut client, _upstream) = replicating();
    let replica = attach(&client, 7001, Feeding::Log);
    replica.acknowledged(client.engine().resolved(), Lsn::ZERO, Millis::now());
    assert_eq!(client.ask_together(&["WAIT 0 0", "SET x 1", "WAIT 0 0"]), ":1 +OK :0");
    let answered = client.ask_together(&["SET x 2", "LSN"]);
    assert_eq!(answered, format!("+OK {}", client.ask("LSN")));
}

#[test]
fn commands_about_one_key_that_go_together_are_refused_and_counted_like_any() {
    let (mut client, _upstream) = replicating();
    let lines = ["HSET h a 1", "HGET h a", "HINCRBY h a 2"];
    let replica = attach(&client, 7001, Feeding::Log);
    replica.acknowledged(client.engine().resolved(), Lsn::ZERO, Millis::now());
    let waiting = [&["WAIT 0 0"], &lines[..], &["WAIT 0 0", "LSN"]].concat();
    let answered = client.ask_together(&waiting);
    assert_eq!(answered, format!(":1 :1 $1 1 :3 :0 {}", client.ask("LSN")));
    client.speak_resp3();
    client.ask("CLIENT TRACKLSN ON");
    let answered = client.ask_together(&lines);
    let token = client.ask("LSN");
    assert_eq!(answered, format!(">2 $3 lsn {token} :0 $1 1 :3"));
    client.ask("REPLICAOF 127.0.0.1 7000");
    assert_eq!(client.ask_together(&lines), format!("{READONLY} $1 3 {READONLY}"));
    assert_eq!(client.ask("LSN"), token, "what is refused moves nothing");
}

#[test]
fn waits_refuse_with_the_texts_of_redis() {
    let (mut client, _upstream) = replicating();
    client.follow_on(&[
        ("WAIT x 0", "-ERR value is not an integer or out of range"),
        ("WAIT 1 x", "-ERR timeout is not an integer or out of range"),
        ("WAIT 1 -1", "-ERR timeout is negative"),
        ("WAIT 1 9223372036854775808", "-ERR timeout is not an integer or out of range"),
        ("WAIT 1 9223372036854775807", "-ERR timeout is out of range"),
        ("WAITAOF 2 0 0", "-ERR value is out of range, must be between 0 and 1"),
        ("WAITAOF 0 -1 0", "-ERR value is out of range, must be positive"),
        ("WAITAOF 1 0 0", "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."),
        ("REPLICAOF h 1", "+OK"),
        (
            "WAITAOF 0 0 0",
            "-ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just \
             local and are not propagated.",
        ),
    ]);
    assert!(
        client
            .ask("WAIT 1 0")
            .starts_with("-ERR WAIT cannot be used with replica instances. Please also note")
    );
}

#[test]
fn a_token_stands_for_the_last_write_of_its_connection() {
    let (mut client, _upstream) = replicating();
    let of_nothing = client.ask("LSN");
    let shown = format!("$37 {}:{}", client.engine().history(), client.engine().resolved());
    assert_eq!(of_nothing, shown);
    client.ask("SET x 1");
    let token = client.ask("LSN");
    assert!(token > of_nothing, "{token}");
    client.ask("GET x");
    assert_eq!(client.ask("LSN"), token, "a read moves nothing");
    let token = token.split(' ').next_back().expect("a token");
    client.follow_on(&[
        (&format!("WAITLSN {token} 0"), ":1"),
        ("WAITLSN 0000000000000000000000000000000f:1 0", {
            "-NOHISTORY the token is of a history that this server does not have"
        }),
        (
            "WAITLSN nothing 0",
            "-ERR a token is 32 hexadecimal digits, a colon and a position, as LSN answers",
        ),
        ("MULTI", "+OK"),
        (&format!("WAITLSN {}:999999999 0", client_history(token)), "+QUEUED"),
        ("EXEC", "*1 :0"),
    ]);
}

fn client_history(token: &str) -> &str {
    token.split(':').next().expect("a history")
}

#[test]
fn a_push_tells_the_token_before_the_replies_to_writes() {
    let (mut client, _upstream) = replicating();
    let refusal = "-ERR CLIENT TRACKLSN needs RESP3: send HELLO 3 first, or ask with LSN";
    client.follow_on(&[("CLIENT TRACKLSN on", refusal), ("CLIENT TRACKLSN maybe", "-ERR syntax error")]);
    client.speak_resp3();
    client.follow_on(&[("CLIENT TRACKLSN ON", "+OK"), ("GET x", "_"), ("PING", "+PONG")]);
    let answered = client.ask_together(&["GET x", "SET x 1", "INCR x", "GET x"]);
    let token = client.ask("LSN");
    assert_eq!(answered, format!(">2 $3 lsn {token} _ +OK :2 $1 2"));
    client.follow_on(&[("CLIENT TRACKLSN OFF", "+OK"), ("SET x 1", "+OK")]);
}

#[test]
fn failover_is_refused_in_redis_order() {
    let (mut client, upstream) = replicating();
    let both =
        "-ERR FAILOVER with force option requires both a timeout and target HOST and IP to be specified.";
    client.follow_on(&[
        ("FAILOVER ABORT", "-ERR No failover in progress."),
        ("FAILOVER", "-ERR FAILOVER requires connected replicas."),
    ]);
    let _coming = attach(&client, 7001, Feeding::Snapshot);
    let _online = attach(&client, 7002, Feeding::Log);
    client.follow_on(&[
        ("FAILOVER FORCE", both),
        ("FAILOVER TO 10.0.0.7 7002 FORCE", both),
        ("FAILOVER TO 10.0.0.7 7003", "-ERR FAILOVER target HOST and PORT is not a replica."),
        ("FAILOVER TO 10.0.0.7 7001", "-ERR FAILOVER target replica is not online."),
        ("FAILOVER TO 10.0.0.7 7002 TIMEOUT 100 FORCE", "+OK"),
        ("FAILOVER", "-ERR FAILOVER already in progress."),
        ("REPLICAOF NO ONE", "-ERR REPLICAOF not allowed while failing over."),
        ("FAILOVER ABORT", "+OK"),
        ("REPLICAOF h 1", "+OK"),
        ("FAILOVER", "-ERR FAILOVER is not valid when server is a replica."),
    ]);
    assert!(upstream.asked()[0].contains("7002") && field(&mut client, "role").as_deref() == Some("slave"));
}

#[test]
fn a_replica_of_redis_is_told_that_it_is_at_the_wrong_place() {
    let mut client = Client::new();
    for line in ["REPLCONF listening-port 1", "PSYNC ? -1", "SYNC"] {
        assert!(
            client.ask(line).starts_with("-ERR this server feeds only replicas of its own kind"),
            "{line}"
        );
    }
}
