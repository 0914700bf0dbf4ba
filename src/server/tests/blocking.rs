//! Commands that wait, over sockets.

use super::*;
use crate::clock::Millis;
use crate::engine::WrongType;

impl Running {
    /// Waits until so many clients wait.
    pub(super) async fn until_blocked(&self, clients: usize) {
        let reached = async {
            while self.context.clients.blocked() != clients {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, reached).await.expect("the number of blocked clients");
    }

    /// Adds members with these scores to a sorted set.
    fn add(&self, key: &str, members: &[(&str, f64)]) {
        let added = self.context.engine().batch(Millis::now(), true).run(|txn| {
            txn.edit_sorted_set(0, key.as_bytes(), |set| {
                for (member, score) in members {
                    set.put(member.as_bytes(), *score);
                }
                Ok::<_, WrongType>(())
            })
        });
        assert!(matches!(added, Ok(Ok(()))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_clients_are_served_in_the_order_in_which_they_came() {
    let server = Running::start(&[]);
    let mut waiting = Vec::new();
    for blocked in 1..=3 {
        let mut client = server.client().await;
        client.send(b"BLPOP a b 0\r\n").await;
        server.until_blocked(blocked).await;
        waiting.push(client);
    }
    let mut pushing = server.client().await;
    // In one go: who waits is served between the two all the same.
    pushing.send(b"RPUSH b 1\r\nRPUSH a 2 3\r\n").await;
    pushing.expect(b":1\r\n:2\r\n").await;
    waiting[0].expect(b"*2\r\n$1\r\nb\r\n$1\r\n1\r\n").await;
    waiting[1].expect(b"*2\r\n$1\r\na\r\n$1\r\n2\r\n").await;
    waiting[2].expect(b"*2\r\n$1\r\na\r\n$1\r\n3\r\n").await;
    server.until_blocked(0).await;
    assert_eq!(server.context.engine().waited_keys(), 0);
}

/// Every BLPOP whose time was up stood in the slow log, and in the times of INFO.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_waits_is_not_slow() {
    let server = Running::start(&[("slowlog-log-slower-than", "400000")]);
    let mut client = server.client().await;
    client.send(b"BLPOP a 0.5\r\nSLOWLOG LEN\r\n").await;
    client.expect(b"*-1\r\n:0\r\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_sorted_sets_are_waited_for_by_their_scores() {
    let server = Running::start(&[]);
    let (mut highest, mut lowest, mut listing) =
        (server.client().await, server.client().await, server.client().await);
    listing.send(b"BLPOP z 0\r\n").await;
    server.until_blocked(1).await;
    highest.send(b"HELLO 3\r\nBZPOPMAX a z 0\r\n").await;
    server.until_blocked(2).await;
    lowest.send(b"BZMPOP 0 2 a z MIN COUNT 2\r\n").await;
    server.until_blocked(3).await;
    server.add("z", &[("one", 1.0), ("two", 2.5), ("three", 3.0), ("four", 4.5)]);
    let mut got = Vec::new();
    while !got.ends_with(b"*3\r\n$1\r\nz\r\n$4\r\nfour\r\n,4.5\r\n") {
        let read = timeout(PATIENCE, highest.socket.read_buf(&mut got)).await;
        assert!(read.expect("in time").expect("read") > 0);
    }
    let two = b"*2\r\n$1\r\nz\r\n*2\r\n*2\r\n$3\r\none\r\n$1\r\n1\r\n*2\r\n$3\r\ntwo\r\n$3\r\n2.5\r\n";
    lowest.expect(two).await;
    lowest.send(b"BZPOPMIN z 0\r\nEXISTS z\r\n").await;
    lowest.expect(b"*3\r\n$1\r\nz\r\n$5\r\nthree\r\n$1\r\n3\r\n:0\r\n").await;
    server.until_blocked(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_with_an_element_does_not_overtake_who_waits_for_one() {
    let server = Running::start(&[]);
    let (mut first, mut second) = (server.client().await, server.client().await);
    first.send(b"BLPOP l 0\r\n").await;
    server.until_blocked(1).await;
    second.send(b"RPUSH l 1\r\nBLPOP l 0\r\n").await;
    first.expect(b"*2\r\n$1\r\nl\r\n$1\r\n1\r\n").await;
    second.expect(b":1\r\n").await;
    first.send(b"RPUSH l 2\r\n").await;
    second.expect(b"*2\r\n$1\r\nl\r\n$1\r\n2\r\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_element_moves_on_to_who_waits_at_its_destination() {
    let server = Running::start(&[]);
    let (mut first, mut second, mut pushing) =
        (server.client().await, server.client().await, server.client().await);
    first.send(b"BLMOVE a b LEFT RIGHT 0\r\n").await;
    server.until_blocked(1).await;
    second.send(b"BRPOPLPUSH b c 0\r\n").await;
    server.until_blocked(2).await;
    pushing.send(b"RPUSH a x\r\n").await;
    first.expect(b"$1\r\nx\r\n").await;
    second.expect(b"$1\r\nx\r\n").await;
    pushing.send(b"LRANGE c 0 -1\r\nEXISTS a b\r\n").await;
    pushing.expect(b":1\r\n*1\r\n$1\r\nx\r\n:0\r\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_ends_when_its_time_is_up() {
    let server = Running::start(&[]);
    let mut client = server.client().await;
    let started = Instant::now();
    client.send(b"BLPOP l 0.05\r\nBLMOVE l m LEFT LEFT 0.05\r\nHELLO 3\r\n").await;
    client.expect(b"*-1\r\n*-1\r\n%7\r\n").await;
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert_eq!(server.context.engine().waited_keys(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_while_waiting_runs_afterwards() {
    let server = Running::start(&[]);
    let (mut waiting, mut pushing) = (server.client().await, server.client().await);
    waiting.send(b"BLPOP l 0\r\nECHO first\r\n").await;
    server.until_blocked(1).await;
    waiting.send(b"ECHO second\r\nECHO thi").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    pushing.send(b"RPUSH l x\r\n").await;
    waiting.expect(b"*2\r\n$1\r\nl\r\n$1\r\nx\r\n$5\r\nfirst\r\n$6\r\nsecond\r\n").await;
    waiting.send(b"rd\r\n").await;
    waiting.expect(b"$5\r\nthird\r\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_away_or_is_killed_while_waiting_leaves_nothing() {
    let server = Running::start(&[]);
    let (mut gone, mut killed, mut last) =
        (server.client().await, server.client().await, server.client().await);
    gone.send(b"BLPOP l 0\r\n").await;
    server.until_blocked(1).await;
    killed.send(b"CLIENT ID\r\nBLPOP l m 0\r\n").await;
    killed.expect(b":2\r\n").await;
    server.until_blocked(2).await;
    last.send(b"BLPOP l 0\r\n").await;
    server.until_blocked(3).await;
    drop(gone);
    server.until_blocked(2).await;
    let mut other = server.client().await;
    other.send(b"CLIENT KILL ID 2\r\n").await;
    other.expect(b":1\r\n").await;
    killed.gone().await;
    server.until_blocked(1).await;
    assert_eq!(server.context.engine().waited_keys(), 1);
    other.send(b"RPUSH l x\r\n").await;
    last.expect(b"*2\r\n$1\r\nl\r\n$1\r\nx\r\n").await;
    assert_eq!(server.context.engine().waited_keys(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_unblock_lets_a_waiting_client_go() {
    let server = Running::start(&[]);
    let (mut waiting, mut other) = (server.client().await, server.client().await);
    for (how, reply) in [
        ("", &b"*-1\r\n"[..]),
        (" TIMEOUT", b"*-1\r\n"),
        (" error", b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"),
    ] {
        waiting.send(b"BZPOPMIN z 0\r\n").await;
        server.until_blocked(1).await;
        other.send(format!("CLIENT UNBLOCK 1{how}\r\n").as_bytes()).await;
        other.expect(b":1\r\n").await;
        waiting.expect(reply).await;
        server.until_blocked(0).await;
        other.send(b"CLIENT UNBLOCK 1\r\nCLIENT UNBLOCK 99\r\n").await;
        other.expect(b":0\r\n:0\r\n").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_type_is_an_error_at_first_and_nothing_later() {
    const WRONG: &[u8] = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    let server = Running::start(&[]);
    let (mut waiting, mut other) = (server.client().await, server.client().await);
    other.send(b"SET s x\r\n").await;
    other.expect(b"+OK\r\n").await;
    waiting.send(b"BLPOP l s 0\r\n").await;
    waiting.expect(WRONG).await;
    waiting.send(b"BLMOVE l s LEFT LEFT 0\r\n").await;
    server.until_blocked(1).await;
    other.send(b"SET l x\r\nDEL l\r\nRPUSH l x\r\n").await;
    other.expect(b"+OK\r\n:1\r\n:1\r\n").await;
    waiting.expect(WRONG).await;
    other.send(b"LRANGE l 0 -1\r\n").await;
    other.expect(b"*1\r\n$1\r\nx\r\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_served_during_a_pause() {
    let server = Running::start(&[]);
    let (mut waiting, mut other) = (server.client().await, server.client().await);
    waiting.send(b"BLPOP l 0\r\n").await;
    server.until_blocked(1).await;
    other.send(b"MULTI\r\nCLIENT PAUSE 300 WRITE\r\nRPUSH l x\r\nEXEC\r\n").await;
    other.expect(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n").await;
    let started = Instant::now();
    waiting.expect(b"*2\r\n$1\r\nl\r\n$1\r\nx\r\n").await;
    assert!(started.elapsed() >= Duration::from_millis(100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_subscriber_hears_what_is_published() {
    let server = Running::start(&[]);
    let (mut waiting, mut other) = (server.client().await, server.client().await);
    waiting.send(b"HELLO 3\r\nSUBSCRIBE news\r\n").await;
    while server.context.hub.clients() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    waiting.send(b"BLPOP l 0\r\n").await;
    server.until_blocked(1).await;
    other.send(b"PUBLISH news hi\r\nRPUSH l x\r\n").await;
    other.expect(b":1\r\n:1\r\n").await;
    let mut got = Vec::new();
    let ends = b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n*2\r\n$1\r\nl\r\n$1\r\nx\r\n";
    while !got.ends_with(ends) {
        let read = timeout(PATIENCE, waiting.socket.read_buf(&mut got)).await;
        assert!(read.expect("in time").expect("read") > 0);
    }
}
