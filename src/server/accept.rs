//! From a listener's next client to a served connection, or a refusal.

use super::connection::Connection;
use super::listen::is_loopback;
use super::stream::Stream;
use crate::clock::Millis;
use crate::command::clients::Endpoint;
use crate::command::context::Context;
use crate::command::stats::Counter;
use crate::settings::Settings;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Pause after a failure to accept that will not pass at once, such as no more file descriptors.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// What a client from elsewhere is told while the server is open to everybody.
const PROTECTED: &[u8] = b"-DENIED This server is in protected mode: it has no password, so it serves clients of \
its own machine only. To let others in, set a password (CONFIG SET requirepass, from the same machine), or, where \
only trusted machines can reach the port, switch protected mode off (CONFIG SET protected-mode no, or start with \
--protected-mode no).\r\n";

/// Accepts clients until the task is aborted.
pub(super) async fn accept_tcp(listener: Arc<TcpListener>, context: Arc<Context>) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => admit_tcp(socket, peer, &context),
            Err(error) => wait_after(&error).await,
        }
    }
}

/// Accepts clients until the task is aborted.
pub(super) async fn accept_unix(listener: UnixListener, path: &Path, context: Arc<Context>) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => admit_unix(socket, path, &context),
            Err(error) => wait_after(&error).await,
        }
    }
}

/// A client that gave up before it was accepted is nothing; anything else is given time to pass.
async fn wait_after(error: &io::Error) {
    if error.kind() != io::ErrorKind::ConnectionAborted {
        tracing::warn!(%error, "can't accept a client");
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

fn admit_tcp(socket: TcpStream, peer: SocketAddr, context: &Arc<Context>) {
    if let Err(error) = configure(&socket, context.settings.tcp_keepalive()) {
        // Why: a client that went at once; there is nobody to tell.
        tracing::debug!(%peer, %error, "client went before it was served");
        return;
    }
    let local = socket.local_addr().map(|local| local.to_string()).unwrap_or_default();
    let endpoint = Endpoint { peer: peer.to_string(), local, fd: socket.as_raw_fd(), unix: false };
    let stream = Stream::Tcp(socket);
    if is_denied(&context.settings, peer.ip()) {
        let stats = context.stats.local();
        stats.add(Counter::ConnectionsReceived, 1);
        stats.add(Counter::ConnectionsRejected, 1);
        tracing::debug!(%peer, "refused: protected mode");
        return stream.try_send(PROTECTED);
    }
    admit(stream, endpoint, context);
}

fn admit_unix(socket: UnixStream, path: &Path, context: &Arc<Context>) {
    let local = format!("{}:0", path.display());
    let endpoint = Endpoint { peer: local.clone(), local, fd: socket.as_raw_fd(), unix: true };
    admit(Stream::Unix(socket), endpoint, context);
}

fn configure(socket: &TcpStream, keepalive_seconds: u32) -> io::Result<()> {
    socket.set_nodelay(true)?;
    if keepalive_seconds > 0 {
        let time = Duration::from_secs(u64::from(keepalive_seconds));
        // Why: as in Redis, a dead client is found after about twice the time: three probes, a third of it apart.
        let interval = (time / 3).max(Duration::from_secs(1));
        let keepalive = TcpKeepalive::new().with_time(time).with_interval(interval).with_retries(3);
        SockRef::from(socket).set_tcp_keepalive(&keepalive)?;
    }
    Ok(())
}

/// Whether protected mode refuses a client from this address.
fn is_denied(settings: &Settings, peer: IpAddr) -> bool {
    settings.protected_mode() && !is_loopback(peer) && settings.requirepass().is_empty()
}

/// Serves the client, unless there are too many.
fn admit(stream: Stream, endpoint: Endpoint, context: &Arc<Context>) {
    let clients_max = context.settings.maxclients() as usize;
    match context.clients.register(endpoint, Millis::now(), clients_max) {
        Ok(registration) => {
            context.stats.local().add(Counter::ConnectionsReceived, 1);
            tokio::spawn(Connection::new(stream, Arc::clone(context), registration).serve());
        }
        Err(limit) => {
            context.stats.local().add(Counter::ConnectionsRejected, 1);
            stream.try_send(format!("-{limit}\r\n").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(settings: &[(&str, &str)], peer: &str) -> bool {
        is_denied(&Settings::with(settings).expect("settings"), peer.parse().expect("an address"))
    }

    #[test]
    fn without_a_password_only_this_machine_is_served() {
        for own in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(!denied(&[], own), "{own}");
        }
        for other in ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert!(denied(&[], other), "{other}");
            assert!(!denied(&[("requirepass", "secret")], other), "{other}");
            assert!(!denied(&[("protected-mode", "no")], other), "{other}");
        }
    }

    #[test]
    fn the_refusal_is_one_line_with_its_code() {
        assert!(PROTECTED.starts_with(b"-DENIED ") && PROTECTED.ends_with(b"\r\n"));
        assert_eq!(PROTECTED.split(|byte| *byte == b'\n').count(), 2);
    }
}
