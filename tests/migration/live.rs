//! A whole move, as it is done: a server of ours follows Redis while that is written to, catches up, and takes over.
//! Then every key is compared by what DUMP says of it on both sides.
//!
//! `GOREDIS_TEST_MIGRATION_KEYS` sets how many keys there are.

use crate::contents::{DATABASES, LIMITS, comparable};
use crate::redis::{Redis, run};
use crate::writes::{clients, write_anything};
use bytes::Bytes;
use goredis::client::{Client, Command, Pipeline};
use goredis::rdb;
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const KEYS: u64 = 20_000;
/// The database that they are in; the others are flushed now and then.
const HOME: u32 = 5;
/// Commands that are sent at once.
const BATCH: u64 = 1000;

/// Our server, in a process of its own.
struct Mover {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Mover {
    async fn start(primary: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let door = TcpListener::bind("127.0.0.1:0").and_then(|door| door.local_addr());
        let port = door.expect("a port").port();
        let child = std::process::Command::new(env!("CARGO_BIN_EXE_goredis"))
            .args(["-persist", "-dbfile", "data.db", "-port", &port.to_string()])
            .args(["-replicaof", &format!("127.0.0.1:{primary}")])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("the server's program");
        let mover = Self { child, port, _folder: folder };
        wait("our server to answer", async || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())
            .await;
        mover
    }

    async fn client(&self, db: u32) -> Client {
        let builder = Client::builder(&format!("127.0.0.1:{}", self.port)).expect("an address");
        builder.db(db).connect().await.expect("a connection")
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        // Why not looked at: it may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn wait(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(300);
    while !done().await {
        assert!(Instant::now() < until, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Key number `n`: of every type there is one in so many.
fn fill(many: Pipeline, n: u64) -> Pipeline {
    let key = format!("key:{n}");
    let (digits, word) =
        ((n * 1_000_003).to_string(), format!("word {n} {}", "and more ".repeat(n as usize % 9)));
    match n % 8 {
        0 => many.command(&["SET", &key, &digits]),
        1 => many.command(&["SET", &key, &word]),
        2 => many.command(&["SET", &key, &word, "PX", &(3_600_000 + n).to_string()]),
        3 => many.command(&["RPUSH", &key, &digits, &word, "a", "b"]),
        4 => many.command(&["SADD", &key, &digits, "1", "2", "300000"]),
        5 => many.command(&["SADD", &key, &word, "a", &digits]),
        6 => many.command(&["HSET", &key, "name", &word, "number", &digits, &digits, "x"]),
        _ => many.command(&["ZADD", &key, "1", "a", "2.5", &word, "-inf", &digits]),
    }
}

async fn populate(client: &Client, keys: u64) {
    for first in (0..keys).step_by(BATCH as usize) {
        let many = (first..keys.min(first + BATCH)).fold(Pipeline::new(), fill);
        client.run(many).await.expect("replies");
    }
}

/// Changes keys of the data set, all over it, until `until`; tells how many commands that were.
async fn change(client: Client, keys: u64, until: Instant) -> u64 {
    let (mut n, mut sent) = (7, 0);
    while Instant::now() < until {
        let mut many = Pipeline::new();
        for _ in 0..50 {
            n = (n * 6_364_136_223_846_793_005_u64.wrapping_rem(keys).max(1) + 12_345) % keys;
            let key = format!("key:{n}");
            many = match n % 8 {
                0 => many.command(&["INCRBY", &key, "3"]),
                1 => many.command(&["APPEND", &key, "!"]),
                2 => many.command(&["GETEX", &key, "PX", "7200000"]),
                3 => many.command(&["LMOVE", &key, &key, "LEFT", "RIGHT"]),
                4 => many.command(&["SADD", &key, &(n + sent).to_string()]),
                5 => many.command(&["SPOP", &key]),
                6 => many.command(&["HINCRBY", &key, "count", "1"]),
                _ => many.command(&["ZINCRBY", &key, "0.5", "a"]),
            };
            sent += 1;
        }
        client.run(many).await.expect("replies");
    }
    sent
}

/// What of a payload is the value: the rest is the format's version and a checksum.
fn body(payload: &[u8]) -> &[u8] {
    &payload[..payload.len() - 10]
}

/// Every key of one database: what DUMP and PEXPIRETIME tell there and here.
async fn compare(db: u16, theirs: &Client, ours: &Client) -> (u64, u64) {
    let (mut cursor, mut same, mut equal) = (Bytes::from_static(b"0"), 0, 0);
    loop {
        let scan = Command::new("SCAN").arg(&cursor[..]).arg("COUNT").arg("1000");
        let (next, keys): (Bytes, Vec<Bytes>) = theirs.query(&scan).await.expect("SCAN");
        let ask = |asked: Pipeline, key: &Bytes| {
            asked.command(&[&b"DUMP"[..], key]).command(&[&b"PEXPIRETIME"[..], key])
        };
        let asked = || keys.iter().fold(Pipeline::new(), ask);
        let mut there = theirs.run(asked()).await.expect("replies");
        let mut here = ours.run(asked()).await.expect("replies");
        for key in &keys {
            let (their, our): (Option<Bytes>, Option<Bytes>) =
                (there.next().expect("a payload"), here.next().expect("a payload"));
            let ends: (i64, i64) = (there.next().expect("a time"), here.next().expect("a time"));
            let read = |payload: &Bytes| comparable(rdb::restore(payload, &LIMITS).expect("a payload"));
            let name = key.escape_ascii();
            match (&their, &our) {
                // Why without the ends: they tell the version of the format, which is not the same.
                (Some(their), Some(our)) if body(their) == body(our) => same += 1,
                (Some(their), Some(our)) => {
                    assert_eq!(read(their), read(our), "{name} of database {db}");
                    equal += 1;
                }
                (None, None) => {}
                _ => panic!("{name} of database {db} is on one side only: there {their:?}, here {our:?}"),
            }
            assert_eq!(ends.0, ends.1, "the end of {name} of database {db}");
        }
        cursor = next;
        if &cursor[..] == b"0" {
            return (same, equal);
        }
    }
}

/// Looks for keys that are here and not there.
async fn nothing_more(db: u16, theirs: &Client, ours: &Client) {
    let mut cursor = Bytes::from_static(b"0");
    loop {
        let scan = Command::new("SCAN").arg(&cursor[..]).arg("COUNT").arg("1000");
        let (next, keys): (Bytes, Vec<Bytes>) = ours.query(&scan).await.expect("SCAN");
        let ask = |asked: Pipeline, key: &Bytes| asked.command(&[&b"EXISTS"[..], key]);
        let mut there = theirs.run(keys.iter().fold(Pipeline::new(), ask)).await.expect("replies");
        for key in &keys {
            let found: i64 = there.next().expect("a number");
            assert_eq!(found, 1, "{} of database {db} is here only", key.escape_ascii());
        }
        cursor = next;
        if &cursor[..] == b"0" {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_set_moves_under_load_and_every_key_is_the_same() {
    let keys =
        std::env::var("GOREDIS_TEST_MIGRATION_KEYS").map_or(KEYS, |text| text.parse().expect("a number"));
    let redis = Redis::start(&["--client-output-buffer-limit", "replica 0 0 0"]).await;
    let begun = Instant::now();
    populate(&redis.client(HOME).await, keys).await;
    println!("{keys} keys in Redis after {:?}", begun.elapsed());
    let begun = Instant::now();
    let load = Duration::from_secs(3 + keys / 40_000);
    let changing = tokio::spawn(change(redis.client(HOME).await, keys, begun + load));
    let writing = tokio::spawn(write_anything(clients(&redis).await, 5, load));
    let mover = Mover::start(redis.port()).await;
    let ours = mover.client(0).await;
    wait("the data set", async || {
        let info: String = ours.query(&Command::new("INFO").arg("replication")).await.expect("INFO");
        info.contains("master_link_status:up")
    })
    .await;
    println!("the data set is here after {:?}", begun.elapsed());
    let sent = (changing.await.expect("no panic"), writing.await.expect("no panic"));
    println!("{sent:?} commands changed it meanwhile and after, in {:?}", begun.elapsed());
    assert!(sent.0 > 1000 && sent.1 > 1000, "too little happened to show anything");
    let stopped = Instant::now();
    run(&redis.client(0).await, "SET the:last word").await;
    wait("the last write", async || {
        let found: Option<String> = ours.query(&Command::new("GET").arg("the:last")).await.expect("GET");
        found.is_some()
    })
    .await;
    println!("the last write is here {:?} after it", stopped.elapsed());
    run(&ours, "REPLICAOF NO ONE").await;
    // Why: what has ended by now is over on both sides.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (mut same, mut equal) = (0, 0);
    for db in 0..DATABASES {
        let (theirs, ours) = (redis.client(u32::from(db)).await, mover.client(u32::from(db)).await);
        let counted = compare(db, &theirs, &ours).await;
        (same, equal) = (same + counted.0, equal + counted.1);
        nothing_more(db, &theirs, &ours).await;
    }
    println!("{} keys are the same: {same} byte for byte, {equal} in what they hold", same + equal);
    assert!(same + equal > keys / 2, "{same} and {equal} of {keys}");
    run(&ours, "SET ours 1").await;
}
