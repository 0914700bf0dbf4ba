//! All the ways in which a connection, or the server, comes to its end.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quit_is_answered_and_what_follows_it_is_not() {
    let server = Running::start(&[]);
    let mut client = server.client().await;
    client.send(b"PING\r\nQUIT\r\nPING\r\n").await;
    assert_eq!(client.rest().await, "+PONG\r\n+OK\r\n");
    server.until_connected(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_client_is_closed_whether_it_idles_or_waits() {
    let server = Running::start(&[("enable-debug-command", "yes")]);
    let (mut idle, mut waiting) = (server.client().await, server.client().await);
    idle.ping().await;
    waiting.ping().await;
    waiting.send(b"DEBUG SLEEP 20\r\n").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    for client in server.context.clients.list() {
        client.kill(KillState::Now);
    }
    idle.gone().await;
    waiting.gone().await;
    server.until_connected(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_client_that_reads_nothing_is_closed_too() {
    let server = Running::start(&[]);
    let mut client = server.client().await;
    client.ask_until_stalled().await;
    let handles = server.context.clients.list();
    assert!(handles[0].buffers().output_bytes > 0);
    handles[0].kill(KillState::Now);
    server.until_connected(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_idles_longer_than_the_timeout_is_closed() {
    let server = Running::start(&[("timeout", "1")]);
    let (mut idle, mut busy) = (server.client().await, server.client().await);
    idle.ping().await;
    let started = Instant::now();
    while server.context.clients.count() > 1 && started.elapsed() < PATIENCE {
        busy.ping().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(started.elapsed() >= Duration::from_millis(900));
    idle.gone().await;
    busy.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_sends_the_replies_of_running_commands_and_closes_everybody() {
    let server = Running::start(&[]);
    let (mut idle, mut busy) = (server.client().await, server.client().await);
    idle.ping().await;
    busy.ping().await;
    busy.send(b"KEYS *\r\n").await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let address = server.address;
    server.stop().await;
    assert_eq!(busy.rest().await, "*0\r\n");
    idle.gone().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_ever_for_a_client_that_reads_nothing() {
    let server = Running::start(&[]);
    let mut client = server.client().await;
    client.ask_until_stalled().await;
    let started = Instant::now();
    server.stop().await;
    assert!(started.elapsed() < STOP_GRACE + Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_answers_nothing_and_stops_the_server() {
    let server = Running::start(&[]);
    let (mut idle, mut asking) = (server.client().await, server.client().await);
    idle.ping().await;
    asking.send(b"PING\r\nSHUTDOWN\r\nPING\r\n").await;
    asking.expect(b"+PONG\r\n").await;
    asking.gone().await;
    idle.gone().await;
    timeout(PATIENCE, server.served).await.expect("stopped in time").expect("stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_in_the_middle_of_a_request_leaves_nothing() {
    let server = Running::start(&[]);
    for _ in 0..20 {
        let mut client = server.client().await;
        client.send(b"*2\r\n$4\r\nECHO\r\n$1000\r\nhalf").await;
    }
    server.until_connected(0).await;
}
