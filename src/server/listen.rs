//! Where the server listens: addresses from the settings to sockets.
//!
//! In two steps, so that a taken port is found before the database is opened, and no client is let in before it
//! is: [`bind`] claims the addresses, [`Bound::listen`] opens them. The Unix socket's file is removed again when
//! its listener is dropped.

use crate::settings::{BindAddress, Settings};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::{TcpListener, UnixListener};

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program listens there.
    #[error("can't listen on {address}: another program does already; stop it, or choose another -port")]
    Taken {
        /// Address and port.
        address: SocketAddr,
    },
    /// This user may not.
    #[error("can't listen on {address}: not permitted; choose a -port above 1023, or run as a user who may")]
    NotPermitted {
        /// Address and port.
        address: SocketAddr,
    },
    /// This machine does not have that address.
    #[error(
        "can't listen on {address}: this machine has no such address; change -bind, or put - before it to forgive that"
    )]
    NoSuchAddress {
        /// Address and port.
        address: SocketAddr,
    },
    /// Any other refusal of an address.
    #[error("can't listen on {address}: {source}; check -bind and -port")]
    Address {
        /// Address and port.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A name that stands for no address.
    #[error("can't listen on '{name}': {source}; check -bind")]
    Name {
        /// What the setting says.
        name: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// A server listens on the Unix socket.
    #[error("can't listen on Unix socket {}: another program does already; stop it, or choose another -unixsocket", .path.display())]
    SocketTaken {
        /// The socket's path.
        path: PathBuf,
    },
    /// The path of the Unix socket is something else.
    #[error("can't listen on Unix socket {}: there is a file of another kind; remove it, or choose another -unixsocket", .path.display())]
    NotASocket {
        /// The socket's path.
        path: PathBuf,
    },
    /// Any other refusal of the Unix socket.
    #[error("can't listen on Unix socket {}: {source}; check -unixsocket and -unixsocketperm", .path.display())]
    UnixSocket {
        /// The socket's path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Sockets that have their addresses and let nobody in yet.
#[derive(Debug, Default)]
pub struct Bound {
    tcp: Vec<(SocketAddr, Socket)>,
    unix: Option<(SocketFile, Socket)>,
}

/// Sockets that clients can connect to.
#[derive(Debug, Default)]
pub struct Listeners {
    /// Each with the address that was asked for.
    pub(super) tcp: Vec<(SocketAddr, TcpListener)>,
    pub(super) unix: Option<(SocketFile, UnixListener)>,
}

/// The file of a Unix socket; dropping it removes the file.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
}

impl SocketFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Why: a file that is gone already, or cannot be removed, is found and replaced at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// An address to listen on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) address: SocketAddr,
    /// This machine may lack it.
    optional: bool,
}

impl Wanted {
    /// An address that must be there.
    pub(super) fn required(address: SocketAddr) -> Self {
        Self { address, optional: false }
    }
}

/// Claims the addresses of `bind` and `port`, and the Unix socket.
///
/// # Errors
/// The first address that cannot be had. An address with a leading `-` that this machine lacks is passed over.
pub fn bind(settings: &Settings) -> Result<Bound, ListenError> {
    let mut bound = claim_all(&wanted(settings)?)?;
    if let Some(path) = settings.unixsocket_path() {
        bound.unix = Some(claim_unix(&path, settings.unixsocketperm())?);
    }
    Ok(bound)
}

/// The addresses that `bind` and `port` stand for.
pub(super) fn wanted(settings: &Settings) -> Result<Vec<Wanted>, ListenError> {
    let mut wanted = Vec::new();
    if settings.port() != 0 {
        for word in settings.bind() {
            let resolved = resolve(&word, settings.port())?;
            wanted.extend(resolved.into_iter().map(|address| Wanted { address, optional: word.optional }));
        }
    }
    Ok(wanted)
}

/// The addresses that a word of `bind` stands for.
fn resolve(word: &BindAddress, port: u16) -> Result<Vec<SocketAddr>, ListenError> {
    match word.address.as_str() {
        "*" => Ok(vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))]),
        "::*" => Ok(vec![SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))]),
        name => match (name, port).to_socket_addrs() {
            Ok(addresses) => Ok(addresses.collect()),
            Err(_) if word.optional => Ok(Vec::new()),
            Err(source) => Err(ListenError::Name { name: name.to_owned(), source }),
        },
    }
}

/// Claims TCP addresses.
pub(super) fn claim_all(wanted: &[Wanted]) -> Result<Bound, ListenError> {
    let mut bound = Bound::default();
    for wanted in wanted {
        bound.tcp.extend(claim(*wanted)?);
    }
    Ok(bound)
}

/// Claims one address; none if it may be missing and is.
fn claim(Wanted { address, optional }: Wanted) -> Result<Option<(SocketAddr, Socket)>, ListenError> {
    match tcp_socket(address) {
        Ok(socket) => Ok(Some((address, socket))),
        Err(source) if optional && is_absent(&source) => {
            tracing::debug!(%address, %source, "not listening on an optional address");
            Ok(None)
        }
        Err(source) => Err(refused(address, source)),
    }
}

fn tcp_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Why: `*` and `::*` are bound side by side, so neither may take the other's clients.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Whether this machine lacks the address or its whole family.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable
        || matches!(
            error.raw_os_error(),
            Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::ESOCKTNOSUPPORT | libc::EPFNOSUPPORT)
        )
}

fn refused(address: SocketAddr, source: io::Error) -> ListenError {
    match source.kind() {
        ErrorKind::AddrInUse => ListenError::Taken { address },
        ErrorKind::PermissionDenied => ListenError::NotPermitted { address },
        ErrorKind::AddrNotAvailable => ListenError::NoSuchAddress { address },
        _ => ListenError::Address { address, source },
    }
}

/// Claims the path of a Unix socket, in place of one that nobody listens on any more.
fn claim_unix(path: &Path, permissions: u32) -> Result<(SocketFile, Socket), ListenError> {
    remove_stale(path)?;
    let failed = |source| ListenError::UnixSocket { path: path.to_owned(), source };
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    let address = SockAddr::unix(path).map_err(failed)?;
    socket.bind(&address).map_err(failed)?;
    let file = SocketFile { path: path.to_owned() };
    if permissions != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(permissions)).map_err(failed)?;
    }
    Ok((file, socket))
}

fn remove_stale(path: &Path) -> Result<(), ListenError> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    let path = || path.to_owned();
    if !found.file_type().is_socket() {
        return Err(ListenError::NotASocket { path: path() });
    }
    if std::os::unix::net::UnixStream::connect(path()).is_ok() {
        return Err(ListenError::SocketTaken { path: path() });
    }
    fs::remove_file(path()).map_err(|source| ListenError::UnixSocket { path: path(), source })
}

impl Bound {
    /// Claims one TCP address; port 0 is any free one. For tests and embedders; servers use [`bind`].
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn tcp(address: SocketAddr) -> Result<Self, ListenError> {
        claim_all(&[Wanted::required(address)])
    }

    /// Lets clients in, `backlog` of them at a time before they are accepted. Called inside a tokio runtime.
    ///
    /// # Errors
    /// Another program began to listen on an address since it was claimed, or the system refuses.
    pub fn listen(self, backlog: u32) -> Result<Listeners, ListenError> {
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        let mut listeners = Listeners::default();
        for (address, socket) in self.tcp {
            let listener = socket.listen(backlog).and_then(|()| TcpListener::from_std(socket.into()));
            listeners.tcp.push((address, listener.map_err(|source| refused(address, source))?));
        }
        if let Some((file, socket)) = self.unix {
            let listener = socket.listen(backlog).and_then(|()| UnixListener::from_std(socket.into()));
            let failed = |source| ListenError::UnixSocket { path: file.path.clone(), source };
            listeners.unix = Some((listener.map_err(failed)?, file)).map(|(listener, file)| (file, listener));
        }
        Ok(listeners)
    }
}

impl Listeners {
    /// The TCP addresses, with the ports that were found where 0 was asked for.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.tcp.iter().filter_map(|(_, listener)| listener.local_addr().ok()).collect()
    }
}

impl fmt::Display for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tcp = self.addresses().into_iter().map(|address| address.to_string());
        let unix = self.unix.iter().map(|(file, _)| file.path.display().to_string());
        f.write_str(&tcp.chain(unix).collect::<Vec<_>>().join(", "))
    }
}

/// Whether an address is this machine's own, also where IPv6 carries it.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(values: &[(&str, &str)]) -> Settings {
        Settings::with(values).expect("settings")
    }

    /// A port that was free a moment ago.
    fn free_port() -> String {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        socket.local_addr().expect("its address").port().to_string()
    }

    #[tokio::test]
    async fn a_taken_port_is_named_before_anything_is_served() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("its address");
        let port = address.port().to_string();
        let error = bind(&settings(&[("bind", "127.0.0.1"), ("port", &port)])).expect_err("taken");
        assert!(matches!(error, ListenError::Taken { address: found } if found == address));
        assert!(error.to_string().contains(&port));
    }

    #[tokio::test]
    async fn a_claimed_port_lets_nobody_in_before_it_listens() {
        let port = free_port();
        let bound = bind(&settings(&[("bind", "127.0.0.1"), ("port", &port)])).expect("bound");
        let connect = || std::net::TcpStream::connect(format!("127.0.0.1:{port}"));
        assert_eq!(connect().expect_err("closed").kind(), ErrorKind::ConnectionRefused);
        let _listeners = bound.listen(16).expect("listening");
        assert!(connect().is_ok());
    }

    #[tokio::test]
    async fn an_optional_address_that_is_missing_is_passed_over() {
        let port = free_port();
        let bound = bind(&settings(&[("bind", "127.0.0.1 -192.0.2.1"), ("port", &port)])).expect("bound");
        assert_eq!(bound.tcp.len(), 1);
        let error = bind(&settings(&[("bind", "192.0.2.1"), ("port", &port)])).expect_err("missing");
        assert!(matches!(error, ListenError::NoSuchAddress { .. }));
    }

    #[tokio::test]
    async fn port_0_is_no_tcp_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sock");
        let settings = settings(&[("port", "0"), ("unixsocket", path.to_str().expect("text"))]);
        let listeners = bind(&settings).and_then(|bound| bound.listen(16)).expect("listening");
        assert!(listeners.addresses().is_empty());
        assert!(listeners.unix.is_some());
    }

    #[tokio::test]
    async fn a_unix_socket_has_its_permissions_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sock");
        let text = path.to_str().expect("text");
        let settings = settings(&[("port", "0"), ("unixsocket", text), ("unixsocketperm", "700")]);
        let listeners = bind(&settings).and_then(|bound| bound.listen(16)).expect("listening");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o700);
        assert!(matches!(bind(&settings), Err(ListenError::SocketTaken { .. })));
        drop(listeners);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_stale_unix_socket_is_replaced_and_any_other_file_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.sock");
        let settings = settings(&[("port", "0"), ("unixsocket", path.to_str().expect("text"))]);
        drop(std::os::unix::net::UnixListener::bind(&path).expect("a stale socket"));
        assert!(path.exists());
        drop(bind(&settings).expect("replaced"));
        fs::write(&path, "precious").expect("a file");
        assert!(matches!(bind(&settings), Err(ListenError::NotASocket { .. })));
        assert_eq!(fs::read(&path).expect("still there"), b"precious");
    }
}
