//! From a file, with the servers at rest.

use crate::contents::{assert_same, of_engine, of_redis};
use crate::data_set::populate;
use crate::redis::{Redis, run};
use crate::replica::in_folder;
use std::path::Path;
use std::process::{Command, Output};

fn load(rdb: &Path, dbfile: &Path, more: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_goredis-load-rdb");
    Command::new(program).arg(rdb).arg(dbfile).args(more).output().expect("it runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_redis_is_loaded_into_a_database_file() {
    let redis = Redis::start(&[]).await;
    populate(&redis.client(0).await, "zero").await;
    populate(&redis.client(4).await, "four").await;
    run(&redis.client(0).await, "SAVE").await;
    let folder = tempfile::tempdir().expect("a folder");
    let (rdb, dbfile) = (redis.folder().join("dump.rdb"), folder.path().join("data.db"));
    let output = load(&rdb, &dbfile, &[]);
    assert!(output.status.success(), "{}", told(&output));
    let theirs = of_redis(&redis).await;
    assert_eq!(told(&output), format!("{} keys loaded\n", theirs.len()));
    let context = in_folder(folder.path());
    assert_same(&theirs, &of_engine(&context.engine()));
    context.engine().stop().expect("it closes");
    drop(context);
    // Another time only if it is wanted.
    let refused = load(&rdb, &dbfile, &[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(told(&refused).contains("--replace"), "{}", told(&refused));
    assert!(load(&rdb, &dbfile, &["--replace"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_loaded_is_told_in_one_line_and_nothing_is() {
    let redis = Redis::start(&[]).await;
    let client = redis.client(0).await;
    run(&client, "SET a 1").await;
    run(&client, "XADD a:stream * field value").await;
    run(&client, "SAVE").await;
    let folder = tempfile::tempdir().expect("a folder");
    let dbfile = folder.path().join("data.db");
    let rdb = redis.folder().join("dump.rdb");
    let whole = std::fs::read(&rdb).expect("the file");
    let cut = folder.path().join("cut.rdb");
    std::fs::write(&cut, &whole[..40]).expect("written");
    let other = folder.path().join("other.rdb");
    std::fs::write(&other, "not one at all").expect("written");
    for (rdb, expected) in [
        (&rdb, "holds a stream, which this server does not have"),
        (&cut, "before their end"),
        (&other, "no RDB data"),
        (&folder.path().join("none.rdb"), "cannot be read"),
    ] {
        let output = load(rdb, &dbfile, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        assert!(told(&output).contains(expected), "{}", told(&output));
        assert_eq!(told(&output).lines().count(), 1, "{}", told(&output));
        let context = in_folder(folder.path());
        assert!(of_engine(&context.engine()).is_empty());
        context.engine().stop().expect("it closes");
    }
}
