//! What is written while the replica follows, whatever breaks.

use crate::data_set::populate;
use crate::redis::{Redis, run};
use crate::replica::{Following, in_memory};
use goredis::client::{Client, Pipeline};
use goredis::clock::Millis;
use goredis::command::context::Context;
use goredis::engine::EngineError;
use goredis::replication::redis::Progress;
use goredis::store::version::Value;
use std::convert::Infallible;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Numbers that look random (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

/// A command that may write, on one of few keys, so that it meets keys of all types and ends.
fn command(dice: &mut Dice) -> Vec<String> {
    const COMMANDS: &[&str] = &[
        "SET K V",
        "SET K V PX T",
        "SET K V EX 100",
        "SETEX K 90 V",
        "GETSET K V",
        "SETNX K V",
        "APPEND K V",
        "INCR N",
        "INCRBYFLOAT N 1.5",
        "DECRBY N 7",
        "SETRANGE K 5 V",
        "MSET K V K V",
        "MSETNX K V K V",
        "GETDEL K",
        "GETEX K PX T",
        "GETEX K PERSIST",
        "DEL K K",
        "UNLINK K",
        "EXPIRE K 100",
        "PEXPIRE K T",
        "PEXPIREAT K 1",
        "PERSIST K",
        "RENAME K K",
        "RENAMENX K K",
        "COPY K K REPLACE",
        "COPY K K DB 2 REPLACE",
        "MOVE K 2",
        "RPUSH L V V",
        "LPUSH L V V V",
        "LPUSHX L V",
        "RPOP L",
        "LPOP L 2",
        "LSET L 0 V",
        "LREM L 1 V",
        "LTRIM L 0 30",
        "LINSERT L BEFORE V V",
        "LMOVE L L LEFT RIGHT",
        "RPOPLPUSH L L",
        "LMPOP 2 L L LEFT COUNT 2",
        "SADD S V V V",
        "SREM S V",
        "SPOP S",
        "SPOP S 3",
        "SMOVE S S V",
        "SUNIONSTORE S S S",
        "SINTERSTORE S S S",
        "SDIFFSTORE S S S",
        "SORT S ALPHA STORE L",
        "HSET H V V V V",
        "HDEL H V",
        "HINCRBY H n 3",
        "HINCRBYFLOAT H n 0.5",
        "HSETNX H V V",
        "ZADD Z 1 V 2.5 V",
        "ZADD Z GT CH 7 V",
        "ZINCRBY Z 1.25 V",
        "ZREM Z V",
        "ZPOPMIN Z",
        "ZPOPMAX Z 2",
        "ZRANGESTORE Z Z 0 5",
        "ZUNIONSTORE Z 2 Z S WEIGHTS 2 3",
        "ZREMRANGEBYRANK Z 0 1",
        "ZREMRANGEBYSCORE Z 1 2",
        "BLPOP L L 0.001",
        "BZPOPMIN Z 0.001",
        "RESTORE K T payload REPLACE",
        "PUBLISH K V",
    ];
    let form = COMMANDS[dice.below(COMMANDS.len() as u64) as usize];
    let word = |word: &str, dice: &mut Dice| match word {
        "K" => format!("{}{}", ["k", "n", "l", "s", "h", "z"][dice.below(6) as usize], dice.below(8)),
        "N" | "L" | "S" | "H" | "Z" => format!("{}{}", word.to_ascii_lowercase(), dice.below(8)),
        "V" if dice.below(20) == 0 => "a longer value ".repeat(1 + dice.below(40) as usize),
        "V" => dice.below(60).to_string(),
        // Why so short: many are over while the replica still applies what came before.
        "T" => (1 + dice.below(30)).to_string(),
        other => other.to_owned(),
    };
    form.split(' ').map(|part| word(part, dice)).collect()
}

/// Writes whatever comes into its mind for so long; errors are part of it.
pub(crate) async fn write_anything(clients: Vec<Client>, seed: u64, time: Duration) -> usize {
    let (mut dice, until, mut sent) = (Dice(seed), Instant::now() + time, 0);
    while Instant::now() < until {
        let client = &clients[dice.below(clients.len() as u64) as usize];
        let mut pipeline = Pipeline::new();
        let several = dice.below(4) == 0;
        if several {
            pipeline = pipeline.command(&["MULTI"]);
        }
        for _ in 0..=dice.below(20) {
            pipeline = pipeline.command(&command(&mut dice));
            sent += 1;
        }
        if several {
            pipeline = pipeline.command(&["EXEC"]);
        }
        match dice.below(400) {
            0 => pipeline = pipeline.command(&["FLUSHDB"]),
            1 => pipeline = pipeline.command(&["SWAPDB", "0", "2"]),
            2 => {
                let script = "redis.call('set','k1','s') return redis.call('incr','n1')";
                pipeline = pipeline.command(&["EVAL", script, "0"]);
            }
            _ => {}
        }
        client.run(pipeline).await.expect("replies");
    }
    sent
}

pub(crate) async fn clients(redis: &Redis) -> Vec<Client> {
    let mut clients = Vec::new();
    for db in [0, 0, 2, 9] {
        clients.push(redis.client(db).await);
    }
    clients
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_all_kinds_arrive_while_the_data_set_does_and_after() {
    let redis = Redis::start(&["--rdb-key-save-delay", "100"]).await;
    populate(&redis.client(0).await, "zero").await;
    let mut writers = Vec::new();
    for seed in [1, 2] {
        writers.push(tokio::spawn(write_anything(clients(&redis).await, seed, Duration::from_secs(4))));
    }
    let mut following = Following::start(&in_memory(), redis.port(), None).await;
    for writer in writers {
        let sent = writer.await.expect("no panic");
        assert!(sent > 100, "{sent} commands");
    }
    // Why: what has ended by now is over on both sides.
    tokio::time::sleep(Duration::from_millis(100)).await;
    following.catches_up_with(&redis).await;
    benchmark(&redis).await;
    following.catches_up_with(&redis).await;
    following.stop().await.0.expect("it was told to stop");
}

/// Lets redis-benchmark write.
async fn benchmark(redis: &Redis) {
    let port = redis.port().to_string();
    let run = tokio::task::spawn_blocking(move || {
        std::process::Command::new("redis-benchmark")
            .args(["-p", &port, "-t", "set,incr,lpush,rpop,sadd,hset,zadd,mset", "-n", "20000", "-r", "5000"])
            .args(["-P", "16", "-q"])
            .stdout(Stdio::null())
            .status()
    });
    let ended = run.await.expect("no panic");
    let ended = ended
        .unwrap_or_else(|error| panic!("redis-benchmark does not run ({error}); tools/test installs it"));
    assert!(ended.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_link_goes_on_where_it_was() {
    let redis = Redis::start(&["--repl-backlog-size", "64mb"]).await;
    let client = redis.client(0).await;
    let context = in_memory();
    let mut following = Following::start(&context, redis.port(), None).await;
    following.hears(|told| matches!(told, Progress::Live { .. } | Progress::Installed { .. })).await;
    for seed in 0..8 {
        let writer = tokio::spawn(write_anything(clients(&redis).await, seed, Duration::from_millis(400)));
        tokio::time::sleep(Duration::from_millis(100)).await;
        run(&client, "CLIENT KILL TYPE replica").await;
        let (ended, place) = following.end().await;
        let error = ended.expect_err("it was cut");
        assert!(!error.is_lasting() && place.is_some(), "{error}");
        following = Following::start(&context, redis.port(), place).await;
        following.hears(|told| matches!(told, Progress::Continued | Progress::Installed { .. })).await;
        assert!(following.told().contains(&Progress::Continued), "{:?}", following.told());
        writer.await.expect("no panic");
        tokio::time::sleep(Duration::from_millis(50)).await;
        run(&client, "SET last word").await;
        following.catches_up_with(&redis).await;
    }
    // A primary that began anew does not know the place: all comes again.
    let place = following.stop().await.1;
    let fresh = Redis::start(&[]).await;
    run(&fresh.client(5).await, "SET other server").await;
    let mut following = Following::start(&context, fresh.port(), place).await;
    following.hears(|told| *told == Progress::Installed { keys: 1 }).await;
    following.catches_up_with(&fresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_not_known_ends_the_link_and_is_named() {
    let redis = Redis::start(&[]).await;
    let client = redis.client(0).await;
    let context = in_memory();
    let mut following = Following::start(&context, redis.port(), None).await;
    following.hears(|told| matches!(told, Progress::Installed { .. })).await;
    run(&client, "SET before 1").await;
    run(&client, "XADD a:stream * field value").await;
    run(&client, "SET after 1").await;
    let (ended, place) = following.end().await;
    let error = ended.expect_err("there are no streams here");
    assert!(error.is_lasting());
    assert_eq!(
        error.to_string(),
        "the primary sent the command XADD \"a:stream\", which this server does not have"
    );
    // It is before the command, and comes to the same again.
    assert!(has(&context, b"before") && !has(&context, b"after"));
    let (ended, _) = Following::start(&context, redis.port(), place).await.end().await;
    assert!(ended.expect_err("the same").to_string().contains("XADD"));
}

fn has(context: &Context, key: &[u8]) -> bool {
    let found = context
        .engine()
        .batch(Millis::now(), false)
        .run(|txn| Ok::<_, Infallible>(txn.peek(0, key).is_some()));
    matches!(found, Ok(Ok(true)))
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_write_only_when_it_follows_no_more() {
    let redis = Redis::start(&[]).await;
    run(&redis.client(0).await, "SET theirs 1").await;
    let context = in_memory();
    let mut following = Following::start(&context, redis.port(), None).await;
    following.hears(|told| matches!(told, Progress::Installed { .. })).await;
    let write = || {
        let engine = context.engine();
        engine.batch(Millis::now(), false).run(|txn| {
            txn.put(0, b"ours", Value::Str(b"1"), None);
            Ok::<_, Infallible>(())
        })
    };
    assert!(matches!(write(), Err(EngineError::Follows)));
    following.stop().await.0.expect("it was told to stop");
    assert!(matches!(write(), Err(EngineError::Follows)), "that is for who stopped it to change");
    context.engine().set_follows(false).expect("nothing is under way");
    assert!(matches!(write(), Ok(Ok(()))));
    assert!(has(&context, b"theirs") && has(&context, b"ours"));
}
