//! Commands that wait for replicas or for a position, and blocked clients of a server that begins to follow.

use super::*;
use crate::clock::Millis;
use crate::command::clients::ClientType;
use crate::command::replicas::{Attached, Feeding, Introduction};
use crate::command::replication::release_blocked;
use crate::lsn::Lsn;
use std::time::Instant;

impl Running {
    fn attach(&self) -> Attached {
        let introduction = Introduction { server: None, client_id: 1, ip: "127.0.0.1".into(), port: 7001 };
        let attached = self.context.replicas.attach(introduction, Millis::now());
        attached.replica().set_feeding(Feeding::Log);
        attached
    }

    fn resolved(&self) -> Lsn {
        self.context.engine().resolved()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wait_ends_with_the_last_acknowledgement_or_its_time() {
    let server = Running::start(&[]);
    let replica = server.attach();
    let mut client = server.client().await;
    client.send(b"SET x 1\r\nWAIT 1 0\r\nPING\r\n").await;
    client.expect(b"+OK\r\n").await;
    server.until_blocked(1).await;
    replica.acknowledged(server.resolved(), Lsn::ZERO, Millis::now());
    client.expect(b":1\r\n+PONG\r\n").await;
    let begun = Instant::now();
    client.send(b"WAIT 2 50\r\n").await;
    client.expect(b":1\r\n").await;
    assert!(begun.elapsed() >= Duration::from_millis(50));
    client.send(b"WAITAOF 0 1 20\r\n").await;
    client.expect(b"*2\r\n:0\r\n:0\r\n").await;
    client.send(b"WAITAOF 0 1 0\r\n").await;
    server.until_blocked(1).await;
    replica.acknowledged(server.resolved(), server.resolved(), Millis::now());
    client.expect(b"*2\r\n:0\r\n:1\r\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waitaof_waits_for_stable_storage_here() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().to_str().expect("text");
    let server = Running::start(&[("persist", "yes"), ("dir", dir), ("fsync", "everysec")]);
    let mut client = server.client().await;
    client.send(b"SET x 1\r\nWAITAOF 1 0 0\r\n").await;
    client.expect(b"+OK\r\n*2\r\n:1\r\n:0\r\n").await;
    let (durable, resolved) = (server.context.engine().durable(), server.resolved());
    assert!(durable >= resolved, "{durable} {resolved}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_replicas_can_be_let_go_and_closed() {
    let server = Running::start(&[]);
    let mut admin = server.client().await;
    let mut waiting = Vec::new();
    for blocked in 1..=3 {
        let mut client = server.client().await;
        client.send(b"SET x 1\r\nCLIENT ID\r\nWAIT 1 0\r\n").await;
        client.expect(format!("+OK\r\n:{}\r\n", blocked + 1).as_bytes()).await;
        server.until_blocked(blocked).await;
        waiting.push(client);
    }
    admin.send(b"CLIENT UNBLOCK 2\r\nCLIENT UNBLOCK 3 ERROR\r\nCLIENT KILL ID 4\r\n").await;
    admin.expect(b":1\r\n:1\r\n:1\r\n").await;
    waiting[0].expect(b":0\r\n").await;
    waiting[1].expect(b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n").await;
    waiting[2].gone().await;
    server.until_blocked(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waitlsn_ends_when_the_position_is_applied() {
    let server = Running::start(&[]);
    let (mut waiting, mut other) = (server.client().await, server.client().await);
    let token = format!("{}:{}", server.context.engine().history(), server.resolved().get() + 1);
    waiting.send(format!("WAITLSN {token} 20\r\nWAITLSN {token} 0\r\n").as_bytes()).await;
    waiting.expect(b":0\r\n").await;
    server.until_blocked(1).await;
    other.send(b"SET x 1\r\n").await;
    other.expect(b"+OK\r\n").await;
    waiting.expect(b":1\r\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocked_clients_are_let_go_and_closed_when_the_server_begins_to_follow() {
    let server = Running::start(&[]);
    let (mut popping, mut waiting) = (server.client().await, server.client().await);
    popping.send(b"BLPOP l 0\r\n").await;
    server.until_blocked(1).await;
    waiting.send(b"WAIT 1 0\r\n").await;
    server.until_blocked(2).await;
    server.context.engine().set_follows(true).expect("the log is whole");
    assert_eq!(release_blocked(&server.context), 2);
    let text =
        "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n";
    assert_eq!(popping.rest().await, text);
    assert_eq!(waiting.rest().await, text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_replicas_are_listed_and_closed_as_such() {
    let server = Running::start(&[]);
    let (mut admin, mut replica) = (server.client().await, server.client().await);
    replica.ping().await;
    let handle = server.context.clients.list().into_iter().last().expect("two clients");
    handle.set_peer(ClientType::Replica);
    admin.send(b"CLIENT KILL TYPE normal\r\nCLIENT KILL TYPE master\r\nCLIENT KILL TYPE replica\r\n").await;
    admin.expect(b":0\r\n:0\r\n:1\r\n").await;
    replica.gone().await;
}
