//! A data set: all of it, at once, or nothing.

use crate::contents::{assert_same, of_engine};
use crate::redis::{Redis, run};
use crate::replica::{Following, in_folder, in_memory};
use goredis::client::{Client, Pipeline};
use goredis::clock::Millis;
use goredis::engine::Engine;
use goredis::replication::broken::LinkError;
use goredis::replication::redis::{FollowError, Progress};
use goredis::store::version::Value;
use std::convert::Infallible;

/// Keys of all types, small and large, with every form of elements.
pub(crate) async fn populate(client: &Client, tag: &str) {
    let mut many = Pipeline::new();
    let long = "a string that repeats itself ".repeat(200);
    for n in 0..300_i64 {
        let digits = (n * n * n * 1_000_003).to_string();
        many = many
            .command(&["SET", &format!("{tag}:int:{n}"), &digits])
            .command(&["SET", &format!("{tag}:raw:{n}"), &long[..n as usize * 10]])
            .command(&["PSETEX", &format!("{tag}:ttl:{n}"), &(1_000_000 + n).to_string(), "v"]);
        for size in [3, 20, 1000] {
            let (list, set, hash, zset) = (
                format!("{tag}:list:{size}"),
                format!("{tag}:set:{size}"),
                format!("{tag}:hash:{size}"),
                format!("{tag}:zset:{size}"),
            );
            let member = if n % 2 == 0 { digits.clone() } else { format!("m{n}{}", &long[..n as usize]) };
            if n < size {
                many = many
                    .command(&["RPUSH", &list, &member])
                    .command(&["SADD", &set, &member])
                    .command(&["SADD", &format!("{tag}:ints:{size}"), &digits])
                    .command(&["HSET", &hash, &member, &digits])
                    .command(&["ZADD", &zset, &(n as f64 / 7.0).to_string(), &member]);
            }
        }
    }
    many = many
        .command(&["RPUSH", &format!("{tag}:biglist"), &long.repeat(40), "small", &long.repeat(3)])
        .command(&["ZADD", &format!("{tag}:infinite"), "inf", "a", "-inf", "b", "0", "c"])
        .command(&["SET", &format!("{tag}:\x01\"key\\"), ""])
        .command(&["PEXPIRE", &format!("{tag}:list:20"), "5000000"]);
    for value in client.run(many).await.expect("replies").into_values() {
        assert!(!matches!(value, goredis::resp::Value::Error(_)), "{value:?}");
    }
}

async fn everything_arrives(diskless: &str) {
    let redis = Redis::start(&["--repl-diskless-sync", diskless]).await;
    populate(&redis.client(0).await, "zero").await;
    populate(&redis.client(11).await, "eleven").await;
    let library = "#!lua name=lib\nredis.register_function('f', function() return 1 end)";
    redis.client(0).await.command(&["FUNCTION", "LOAD", library]).await.expect("a library");
    let folder = tempfile::tempdir().expect("a folder");
    let mut following = Following::start(&in_folder(folder.path()), redis.port(), None).await;
    following.catches_up_with(&redis).await;
    assert!(!following.told().contains(&Progress::Continued));
    let context = std::sync::Arc::clone(&following.context);
    let before = of_engine(&context.engine());
    following.stop().await.0.expect("it was told to stop");
    context.engine().stop().expect("it closes");
    drop(context);
    let again = in_folder(folder.path());
    assert_same(&before, &of_engine(&again.engine()));
    assert!(!again.engine().follows());
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_from_a_file_and_is_there_after_a_restart() {
    everything_arrives("no").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_without_a_file() {
    everything_arrives("yes").await;
}

fn put(engine: &Engine, key: &[u8]) {
    let put = engine.batch(Millis::now(), false).run(|txn| {
        txn.put(0, key, Value::Str(b"old"), None);
        Ok::<_, Infallible>(())
    });
    assert!(matches!(put, Ok(Ok(()))));
}

fn len(engine: &Engine) -> u64 {
    let len = engine.batch(Millis::now(), false).run(|txn| Ok::<_, Infallible>(txn.len(0)));
    let Ok(Ok(len)) = len else { panic!("it reads") };
    len
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_the_old_data_or_the_new() {
    const KEYS: u64 = 100_000;
    let redis = Redis::start(&[]).await;
    run(&redis.client(0).await, &format!("DEBUG POPULATE {KEYS} key 50")).await;
    let context = in_memory();
    put(&context.engine(), b"old");
    let mut following = Following::start(&context, redis.port(), None).await;
    let (mut seen, engine) = (Vec::new(), context.database());
    while seen.last() != Some(&KEYS) {
        let now = len(&engine);
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(seen, [1, KEYS]);
    following.hears(|told| matches!(told, Progress::Live { .. } | Progress::Installed { .. })).await;
    following.stop().await.0.expect("it was told to stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_killed_while_it_sends_its_data_changes_nothing() {
    let mut redis = Redis::start(&["--repl-diskless-sync", "yes", "--rdb-key-save-delay", "20"]).await;
    run(&redis.client(0).await, "DEBUG POPULATE 200000 key 100").await;
    let context = in_memory();
    put(&context.engine(), b"old");
    let mut following = Following::start(&context, redis.port(), None).await;
    following.hears(|told| matches!(told, Progress::DataSet { done: 1.., .. })).await;
    redis.kill();
    let (ended, place) = following.end().await;
    let error = ended.expect_err("the primary is gone");
    assert!(!error.is_lasting(), "{error}");
    assert_eq!((place, len(&context.engine())), (None, 1));
    // What was staged is gone as well: another data set does not meet it.
    let redis = Redis::start(&[]).await;
    run(&redis.client(0).await, "SET only one").await;
    let mut following = Following::start(&context, redis.port(), None).await;
    following.hears(|told| *told == Progress::Installed { keys: 1 }).await;
    following.catches_up_with(&redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_is_not_there_is_told_and_nothing_changes() {
    let redis = Redis::start(&[]).await;
    let client = redis.client(3).await;
    run(&client, "SET before 1").await;
    run(&client, "XADD a:stream * field value").await;
    let context = in_memory();
    put(&context.engine(), b"old");
    let (ended, _) = Following::start(&context, redis.port(), None).await.end().await;
    let error = ended.expect_err("there are no streams here");
    assert!(error.is_lasting());
    assert!(error.to_string().contains("key \"a:stream\" of database 3 holds a stream"), "{error}");
    assert_eq!(len(&context.engine()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_given_and_a_wrong_one_told() {
    let redis =
        Redis::start(&["--requirepass", "secret", "--user", "copier", "on", ">other", "~*", "&*", "+@all"])
            .await;
    for (user, password, is_right) in [
        ("", "secret", true),
        ("copier", "other", true),
        ("", "wrong", false),
        ("copier", "secret", false),
        ("", "", false),
    ] {
        let context = in_memory();
        let mut following =
            Following::start_as(&context, redis.port(), None, user.as_bytes(), password.as_bytes()).await;
        if is_right {
            following.hears(|told| matches!(told, Progress::Installed { .. })).await;
            following.stop().await.0.expect("it was told to stop");
        } else {
            let error = following.end().await.0.expect_err("a wrong password");
            assert!(matches!(error, FollowError::Link(LinkError::Refused { .. })), "{error}");
        }
    }
}
