//! What clients may make the server hold, and how many of them there may be.

use super::*;
use crate::command::clients::ClientHandle;

fn handles(server: &Running) -> Vec<Arc<ClientHandle>> {
    server.context.clients.list()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_no_replies_is_not_read_from_and_others_are_served() {
    let server = Running::start(&[]);
    let value = vec![b'v'; 100_000];
    let request = [format!("*2\r\n$4\r\nECHO\r\n${}\r\n", value.len()).as_bytes(), &value, b"\r\n"].concat();
    let mut slow = server.client().await;
    let mut sent_bytes = 0;
    // Why: sending stalls once the server has stopped reading and the kernel's buffers are full.
    while sent_bytes < 512 << 20 {
        let rest = &request[sent_bytes % request.len()..];
        match timeout(Duration::from_millis(300), slow.socket.write(rest)).await {
            Ok(written) => sent_bytes += written.expect("written"),
            Err(_stalled) => break,
        }
    }
    assert!(sent_bytes < 128 << 20, "{sent_bytes} bytes were taken from a client that reads nothing");
    let buffers = handles(&server)[0].buffers();
    assert!(buffers.output_bytes > 0);
    assert!(buffers.memory_bytes() < 1 << 20, "{buffers:?}");
    server.client().await.ping().await;
    // Reading at last, it gets every reply: the stalled request may be cut anywhere, all before it are whole.
    let whole = sent_bytes / request.len();
    let mut got = vec![0; whole * (value.len() + 11)];
    timeout(PATIENCE, slow.socket.read_exact(&mut got)).await.expect("in time").expect("replies");
    assert!(got.starts_with(b"$100000\r\nvvvv") && got.ends_with(b"vvvv\r\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_and_half_finished_clients_own_no_buffers() {
    let server = Running::start(&[]);
    let mut clients = Vec::new();
    for number in 0..1000 {
        let mut client = server.client().await;
        client.ping().await;
        if number % 2 == 0 {
            client.send(b"*2\r\n$4\r\nECHO\r\n$900\r\nxxxx").await;
        }
        clients.push(client);
    }
    let mut last = server.client().await;
    last.ping().await;
    for handle in handles(&server) {
        let buffers = handle.buffers();
        assert!(buffers.output_bytes == 0 && buffers.query_bytes < 100, "{buffers:?}");
    }
    for client in clients.iter_mut().step_by(2) {
        client.send(&[&[b'y'; 896][..], b"\r\n"].concat()).await;
        client.expect(&[b"$900\r\nxxxx", &[b'y'; 896][..], b"\r\n"].concat()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_too_many_is_told_so() {
    let server = Running::start(&[("maxclients", "3")]);
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = server.client().await;
        client.ping().await;
        clients.push(client);
    }
    assert_eq!(server.client().await.rest().await, "-ERR max number of clients reached\r\n");
    clients.pop();
    server.until_connected(2).await;
    server.client().await.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_of_requests_are_those_of_the_settings() {
    let settings = [
        ("proto-max-bulk-len", "1mb"),
        ("proto-inline-max-len", "1024"),
        ("proto-max-args", "16"),
        ("client-query-buffer-limit", "1mb"),
    ];
    let server = Running::start(&settings);
    for (request, error) in [
        (b"*2\r\n$4\r\nECHO\r\n$1048577\r\n".to_vec(), "-ERR Protocol error: invalid bulk length\r\n"),
        (b"*17\r\n".to_vec(), "-ERR Protocol error: invalid multibulk length\r\n"),
        (vec![b'x'; 1025], "-ERR Protocol error: too big inline request\r\n"),
    ] {
        let mut client = server.client().await;
        client.send(&request).await;
        assert_eq!(client.rest().await, error);
    }
    let mut client = server.client().await;
    let half = [&b"$600000\r\n"[..], &vec![b'x'; 600_000], b"\r\n"].concat();
    client.send(&[b"*3\r\n$4\r\nECHO\r\n", &half[..], b"$600000\r\n"].concat()).await;
    assert!(client.rest().await.starts_with("-ERR Protocol error: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_authentication_requests_are_small_and_authentication_counts_at_once() {
    let server = Running::start(&[("requirepass", "secret")]);
    let mut client = server.client().await;
    client.send(b"*1\r\n$20000\r\n").await;
    assert_eq!(client.rest().await, "-ERR Protocol error: unauthenticated bulk length\r\n");
    let mut client = server.client().await;
    let value = "v".repeat(20_000);
    client.send(format!("AUTH secret\r\n*2\r\n$4\r\nECHO\r\n$20000\r\n{value}\r\n").as_bytes()).await;
    client.expect(format!("+OK\r\n$20000\r\n{value}\r\n").as_bytes()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_beyond_the_hard_output_limit_closes_the_connection() {
    let server = Running::start(&[("client-output-buffer-limit", "normal 10000 0 0")]);
    let mut client = server.client().await;
    client.send(format!("ECHO {}\r\n", "v".repeat(20_000)).as_bytes()).await;
    client.gone().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_above_the_soft_output_limit_for_too_long_is_closed() {
    let server = Running::start(&[("client-output-buffer-limit", "normal 0 1000 1")]);
    let (mut reading, mut stalled) = (server.client().await, server.client().await);
    reading.send(format!("ECHO {}\r\n", "v".repeat(20_000)).as_bytes()).await;
    reading.expect(format!("$20000\r\n{}\r\n", "v".repeat(20_000)).as_bytes()).await;
    let started = Instant::now();
    stalled.ask_until_stalled().await;
    server.until_connected(1).await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    reading.ping().await;
}
