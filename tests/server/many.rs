//! Ten thousand clients that do nothing.

use crate::harness::{Server, raise_open_files, resident_bytes};

const CLIENTS: usize = 10_000;

/// What one connection may cost the server while it idles, in bytes.
const BYTES_PER_CLIENT_MAX: u64 = 6000;

#[test]
fn ten_thousand_idle_clients_are_ordinary() {
    raise_open_files(CLIENTS as u64 + 500).expect("so many open files");
    let server = Server::start(&["-maxclients", "10010"]);
    let mut busy = server.connect();
    busy.ask("PING");
    let before = resident_bytes(server.id());
    let mut idle = Vec::new();
    for _ in 0..CLIENTS {
        let mut wire = server.connect();
        wire.send(b"PING\r\n");
        wire.expect("+PONG\r\n");
        idle.push(wire);
    }
    let each = resident_bytes(server.id()).saturating_sub(before) / CLIENTS as u64;
    println!("{CLIENTS} idle clients take {each} bytes each");
    assert!(each <= BYTES_PER_CLIENT_MAX, "{each} bytes per idle client");
    assert!(busy.ask("INFO clients").text().contains(&format!("connected_clients:{}", CLIENTS + 1)));
    for wire in idle.iter_mut().step_by(999) {
        wire.talk(&[("SET a 1", "+OK\r\n")]);
    }
    drop(idle);
    crate::harness::until("the clients to be gone", || {
        busy.ask("INFO clients").text().contains("connected_clients:1\r\n")
    });
}
