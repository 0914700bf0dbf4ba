//! What lies between two servers: a relay that can be cut, go silent, be slow, or change a byte.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Most bytes that are passed on at once.
const PIECE_BYTES: usize = 64 << 10;

/// A door of its own, behind which is another server.
#[derive(Debug)]
pub struct Cable {
    shared: Arc<Shared>,
    port: u16,
}

#[derive(Debug, Default)]
struct Shared {
    target: AtomicU16,
    delay_ms: AtomicU64,
    /// Which byte of the replication stream is to be changed next; 0: none.
    change: AtomicU64,
    /// Also the connections to come are silent.
    is_dead: AtomicBool,
    is_gone: AtomicBool,
    links: Mutex<Vec<Link>>,
}

#[derive(Debug)]
struct Link {
    ends: [TcpStream; 2],
    is_silent: Arc<AtomicBool>,
}

/// What one direction passes on.
struct Direction {
    from: TcpStream,
    to: TcpStream,
    /// The lines behind which frames come.
    opens: &'static [&'static [u8]],
    /// Which direction: picked by the lowest bit of a change.
    bit: u64,
}

impl Cable {
    /// A cable to the server on `target`.
    pub fn to(target: u16) -> Self {
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = door.local_addr().expect("its address").port();
        let shared = Arc::new(Shared::default());
        shared.target.store(target, Ordering::Relaxed);
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in door.incoming() {
                if serving.is_gone.load(Ordering::Relaxed) {
                    return;
                }
                client.and_then(|client| join(&serving, client)).unwrap_or_default();
            }
        });
        Self { shared, port }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connections to come lead to another server.
    pub fn lead_to(&self, target: u16) {
        self.shared.target.store(target, Ordering::Relaxed);
    }

    /// Ends all connections; others may be made.
    pub fn cut(&self) {
        for link in self.shared.links.lock().expect("no panic").drain(..) {
            for end in &link.ends {
                // Why not looked at: it may have ended by itself.
                let _ = end.shutdown(Shutdown::Both);
            }
        }
    }

    /// Swallows what is sent on the connections that there are, for good; nobody is told. Others may be made.
    pub fn silence(&self) {
        for link in self.shared.links.lock().expect("no panic").iter() {
            link.is_silent.store(true, Ordering::Relaxed);
        }
    }

    /// Swallows what is sent on all connections, also those to come, or takes that back for those.
    pub fn set_dead(&self, is_dead: bool) {
        self.shared.is_dead.store(is_dead, Ordering::Relaxed);
        if is_dead {
            self.silence();
        }
    }

    /// Holds up every piece that is passed on.
    pub fn delay(&self, by: Duration) {
        self.shared.delay_ms.store(by.as_millis() as u64, Ordering::Relaxed);
    }

    /// Changes one byte of what the two say behind their greeting; `choice` picks the direction and the byte.
    pub fn change_a_byte(&self, choice: u64) {
        self.shared.change.store(choice | 1 << 63, Ordering::Relaxed);
    }

    /// Whether the byte was changed.
    pub fn has_changed_it(&self) -> bool {
        self.shared.change.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.shared.is_gone.store(true, Ordering::Relaxed);
        self.cut();
        // Why: who waits for a connection sees only then that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

/// Joins a client with the server.
fn join(shared: &Arc<Shared>, client: TcpStream) -> std::io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.target.load(Ordering::Relaxed)))?;
    let is_silent = Arc::new(AtomicBool::new(shared.is_dead.load(Ordering::Relaxed)));
    let link = Link { ends: [client.try_clone()?, server.try_clone()?], is_silent: Arc::clone(&is_silent) };
    shared.links.lock().expect("no panic").push(link);
    for end in [&client, &server] {
        end.set_nodelay(true)?;
    }
    let there = Direction {
        from: client.try_clone()?,
        to: server.try_clone()?,
        opens: &[b"CONTINUE ", b"SNAPSHOT "],
        bit: 0,
    };
    let back = Direction { from: server, to: client, opens: &[b"+FOLLOW "], bit: 1 };
    for direction in [there, back] {
        let (shared, is_silent) = (Arc::clone(shared), Arc::clone(&is_silent));
        thread::spawn(move || direction.run(&shared, &is_silent));
    }
    Ok(())
}

impl Direction {
    fn run(mut self, shared: &Shared, is_silent: &AtomicBool) {
        let mut bytes = vec![0; PIECE_BYTES];
        let mut in_frames = false;
        loop {
            let len = match self.from.read(&mut bytes) {
                Ok(0) | Err(_) => break,
                Ok(len) => len,
            };
            let delay = shared.delay_ms.load(Ordering::Relaxed);
            if delay > 0 {
                thread::sleep(Duration::from_millis(delay));
            }
            if is_silent.load(Ordering::Relaxed) {
                continue;
            }
            let piece = &mut bytes[..len];
            if in_frames {
                self.change(shared, piece);
            } else if let Some(frames) = self.frames_in(piece) {
                in_frames = true;
                self.change(shared, &mut piece[frames..]);
            }
            if self.to.write_all(piece).is_err() {
                break;
            }
        }
        for end in [&self.from, &self.to] {
            // Why not looked at: the other direction may have ended first.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Where in a piece the lines end and frames begin.
    fn frames_in(&self, piece: &[u8]) -> Option<usize> {
        let position = |word: &[u8]| piece.windows(word.len()).position(|part| part == word);
        let line = self.opens.iter().find_map(|word| position(word))?;
        piece[line..].iter().position(|byte| *byte == b'\n').map(|end| line + end + 1)
    }

    fn change(&self, shared: &Shared, frames: &mut [u8]) {
        let choice = shared.change.load(Ordering::Relaxed);
        if choice == 0 || choice & 1 != self.bit || frames.is_empty() {
            return;
        }
        let at = (choice >> 8 & 0xff_ffff) as usize % frames.len();
        frames[at] ^= (choice >> 32) as u8 | 1;
        shared.change.store(0, Ordering::Relaxed);
    }
}
