//! Listeners that change while the server runs.

use super::*;

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    socket.local_addr().expect("its address").port()
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

async fn pings(port: u16) -> bool {
    match TcpStream::connect(local(port)).await {
        Ok(socket) => {
            Client { socket }.ping().await;
            true
        }
        Err(_) => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_port_takes_the_place_of_the_old_one_and_clients_stay() {
    let server = Running::start(&[("bind", "127.0.0.1")]);
    let mut client = server.client().await;
    let port = free_port();
    client.send(format!("CONFIG SET port {port}\r\n").as_bytes()).await;
    client.expect(b"+OK\r\n").await;
    assert!(pings(port).await);
    assert!(!pings(server.address.port()).await);
    client.ping().await;
    client.send(b"CONFIG SET port 0\r\n").await;
    client.expect(b"+OK\r\n").await;
    assert!(!pings(port).await);
    client.ping().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_cannot_be_had_changes_nothing() {
    let server = Running::start(&[("bind", "127.0.0.1")]);
    let mut client = server.client().await;
    let port = free_port();
    client.send(format!("CONFIG SET port {port}\r\n").as_bytes()).await;
    client.expect(b"+OK\r\n").await;
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let taken_port = taken.local_addr().expect("its address").port();
    client.send(format!("CONFIG SET port {taken_port}\r\n").as_bytes()).await;
    client
        .expect(
            b"-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port",
        )
        .await;
    assert!(pings(port).await);
    let mut other = Client { socket: TcpStream::connect(local(port)).await.expect("connected") };
    let text = port.to_string();
    other.send(b"CONFIG GET port\r\n").await;
    other.expect(format!("*2\r\n$4\r\nport\r\n${}\r\n{text}\r\n", text.len()).as_bytes()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_gives_way_to_one_that_includes_it_and_back() {
    let port = free_port();
    let server = Running::start(&[("bind", "127.0.0.1"), ("port", &port.to_string())]);
    let mut client = server.client().await;
    for bind in ["*", "127.0.0.1", "127.0.0.2 127.0.0.1", "*"] {
        client.send(format!("CONFIG SET bind \"{bind}\"\r\n").as_bytes()).await;
        client.expect(b"+OK\r\n").await;
        assert!(pings(port).await, "{bind}");
    }
    client.send(b"CONFIG SET bind 192.0.2.1\r\n").await;
    client.expect(b"-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind").await;
    assert!(pings(port).await);
    server.stop().await;
    assert!(!pings(port).await);
}
