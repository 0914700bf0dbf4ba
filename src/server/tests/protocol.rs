//! Requests in all the ways in which bytes can arrive.

use super::*;

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

fn echo(value: &[u8]) -> Vec<u8> {
    let mut request = format!("*2\r\n$4\r\nECHO\r\n${}\r\n", value.len()).into_bytes();
    request.extend_from_slice(value);
    request.extend_from_slice(b"\r\n");
    request
}

fn bulk(value: &[u8]) -> Vec<u8> {
    let mut reply = format!("${}\r\n", value.len()).into_bytes();
    reply.extend_from_slice(value);
    reply.extend_from_slice(b"\r\n");
    reply
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_split_at_every_byte_are_answered_once_whole() {
    let server = Running::start(&[]);
    let requests = [PING, &echo(b"split\r\nme"), b"PING\r\n", b"echo \"a b\"\r\n", PING].concat();
    let replies =
        [b"+PONG\r\n", &bulk(b"split\r\nme")[..], b"+PONG\r\n", &bulk(b"a b"), b"+PONG\r\n"].concat();
    let mut client = server.client().await;
    for at in 1..requests.len() {
        client.send(&requests[..at]).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        client.send(&requests[at..]).await;
        client.expect(&replies).await;
    }
    for byte in &requests {
        client.send(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    client.expect(&replies).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deep_pipeline_is_answered_in_order() {
    let server = Running::start(&[]);
    let (mut requests, mut replies) = (Vec::new(), Vec::new());
    for number in 0..20_000 {
        let value = format!("value {number}");
        requests.extend_from_slice(&echo(value.as_bytes()));
        replies.extend_from_slice(&bulk(value.as_bytes()));
    }
    let Client { socket } = server.client().await;
    let (mut from, mut to) = socket.into_split();
    let sent = tokio::spawn(async move { to.write_all(&requests).await.map(|()| to) });
    let mut got = vec![0; replies.len()];
    timeout(PATIENCE, from.read_exact(&mut got)).await.expect("in time").expect("replies");
    assert!(got == replies);
    sent.await.expect("the task ends").expect("sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_value_goes_through_and_leaves_nothing_behind() {
    let server = Running::start(&[]);
    let value: Vec<u8> =
        (0..32 << 20).map(|at: u32| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let Client { socket } = server.client().await;
    let (mut from, mut to) = socket.into_split();
    let (request, reply) =
        ([PING, &echo(&value), PING].concat(), [b"+PONG\r\n", &bulk(&value)[..], b"+PONG\r\n"].concat());
    let sent = tokio::spawn(async move { to.write_all(&request).await.map(|()| to) });
    let mut got = vec![0; reply.len()];
    timeout(PATIENCE, from.read_exact(&mut got)).await.expect("in time").expect("reply");
    assert!(got == reply);
    let _to = sent.await.expect("the task ends").expect("sent");
    let client = &server.context.clients.list()[0];
    let idle = async {
        while client.buffers().memory_bytes() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, idle).await.expect("an idle client owns no buffers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_answered_after_what_came_before_it_and_the_connection_closes() {
    let server = Running::start(&[]);
    for (garbage, error) in [
        (&b"*1\r\n+PING\r\n"[..], "-ERR Protocol error: expected '$', got '+'\r\n"),
        (b"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*1\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
        (b"ECHO \"open\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
    ] {
        let mut client = server.client().await;
        client.send(&[PING, garbage].concat()).await;
        assert_eq!(client.rest().await, format!("+PONG\r\n{error}"));
    }
    server.until_connected(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_after_a_large_one_on_the_same_thread_sees_none_of_its_bytes() {
    let server = Running::start(&[]);
    for round in 0..50 {
        let mut client = server.client().await;
        client
            .send(&[&echo(&vec![b'x'; 3000 * round])[..], b"*2\r\n$4\r\nECHO\r\n$9\r\nhalf"].concat())
            .await;
        client.expect(&bulk(&vec![b'x'; 3000 * round])).await;
        drop(client);
        server.client().await.ping().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_behind_a_command_that_takes_long_wait_for_it() {
    let server = Running::start(&[]);
    let mut client = server.client().await;
    client.send(b"PING\r\nKEYS *\r\nECHO after\r\n").await;
    client.expect(b"+PONG\r\n*0\r\n$5\r\nafter\r\n").await;
}

/// KEYS and the like answer from another thread, and once did so to clients that wanted no reply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_is_not_wanted_does_not_come_from_a_command_that_takes_long_either() {
    let server = Running::start(&[]);
    let mut client = server.client().await;
    client.send(b"CLIENT REPLY SKIP\r\nCONFIG REWRITE\r\nPING\r\n").await;
    client.expect(b"+PONG\r\n").await;
    client.send(b"CLIENT REPLY OFF\r\nCONFIG REWRITE\r\nCLIENT REPLY ON\r\n").await;
    client.expect(b"+OK\r\n").await;
}
