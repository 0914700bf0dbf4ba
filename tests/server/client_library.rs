//! The README's examples, for real: as a client, and in the same process.

use crate::harness::{Launch, Server};
use goredis::client::{Client, Pipeline, SetOptions};
use std::time::Duration;

async fn visit(address: &str) -> Result<i64, goredis::client::Error> {
    let client = Client::connect(address).await?;
    client.set("name", "John Doe").await?;
    let name: Option<String> = client.get("name").await?;
    assert_eq!(name.as_deref(), Some("John Doe"));

    let options = SetOptions::new().only_if_absent().expire_in(Duration::from_secs(60));
    let _fresh: bool = client.set_with("lock", "me", options).await?;

    let mut replies = client.run(Pipeline::new().incr("visits").ttl("lock")).await?;
    replies.next()
}

#[test]
fn the_example_is_the_readmes_to_the_letter() {
    let this = include_str!("client_library.rs");
    let example = &this[this.find("async fn visit").expect("it is above")..];
    let example = &example[..example.find("\n}\n").expect("it ends") + 3];
    assert!(example.contains("replies.next()") && include_str!("../../README.md").contains(example));
}

#[test]
fn the_clients_example_visits_a_server() {
    let server = Server::start(&[]);
    let address = format!("127.0.0.1:{}", server.port());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for visits in 1..=2 {
        assert_eq!(runtime.block_on(visit(&address)).expect("visited"), visits);
    }
    server.connect().talk(&[("GET name", "$8\r\nJohn Doe\r\n"), ("GET lock", "$2\r\nme\r\n")]);
}

#[test]
fn a_program_and_a_server_take_turns_with_the_same_files() {
    let launch = Launch::persistent(&[]);
    let db = goredis::Db::open(launch.dbfile()).expect("opened");
    db.set(b"name", b"John Doe").expect("written");
    launch.refusal().says(&["another server", &std::process::id().to_string()]);
    db.close().expect("closed");
    let server = launch.start();
    server.connect().talk(&[("GET name", "$8\r\nJohn Doe\r\n"), ("SET name Jane", "+OK\r\n")]);
    assert!(server.stop().success());
    let db = goredis::Db::open(launch.dbfile()).expect("opened again");
    assert_eq!(db.get(b"name").expect("read").as_deref(), Some(&b"Jane"[..]));
}
