//! CLIENT PAUSE, as the connections that it holds up live through it.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_wait_for_the_end_of_a_pause_in_their_order_and_reads_do_not() {
    let server = Running::start(&[]);
    let (mut pausing, mut writing, mut reading) =
        (server.client().await, server.client().await, server.client().await);
    let started = Instant::now();
    pausing.send(b"CLIENT PAUSE 1500 WRITE\r\n").await;
    pausing.expect(b"+OK\r\n").await;
    writing.send(b"PING\r\nSET key new\r\nGET key\r\n").await;
    writing.expect(b"+PONG\r\n").await;
    reading.send(b"GET key\r\n").await;
    reading.expect(b"$-1\r\n").await;
    assert!(started.elapsed() < Duration::from_millis(1500), "too slow to tell anything");
    writing.expect(b"+OK\r\n$3\r\nnew\r\n").await;
    assert!(started.elapsed() >= Duration::from_millis(1500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unpause_lets_writes_go_on_at_once() {
    let server = Running::start(&[]);
    let (mut pausing, mut waiting) = (server.client().await, server.client().await);
    pausing.send(b"CLIENT PAUSE 60000 WRITE\r\n").await;
    pausing.expect(b"+OK\r\n").await;
    waiting.send(b"SET key value\r\n").await;
    while server.context.clients.blocked() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    pausing.send(b"CLIENT UNPAUSE\r\n").await;
    pausing.expect(b"+OK\r\n").await;
    waiting.expect(b"+OK\r\n").await;
    assert_eq!(server.context.clients.blocked(), 0);
}
