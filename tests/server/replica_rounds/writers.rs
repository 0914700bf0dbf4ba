//! Clients that write to whoever is the primary, and write down what WAIT has confirmed.

use crate::harness::{Reply, Server, Wire};
use crate::kill_rounds::random::Random;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Fields of a hash that one writer fills before it begins another.
const FIELDS: u64 = 64;
/// Length of every so many-th value, which is more than one record holds.
const LARGE_BYTES: usize = 300_000;

/// What all clients share.
#[derive(Debug, Default)]
pub struct Field {
    /// Where the primary listens; 0: nowhere at the moment.
    pub port: AtomicU16,
    pub is_over: AtomicBool,
    /// Times that WAIT has told of a replica.
    pub confirmations: AtomicU64,
}

impl Field {
    fn connect(&self) -> Option<Wire> {
        let port = self.port.load(Ordering::Relaxed);
        let wire = (port != 0).then(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()).flatten();
        if wire.is_none() {
            thread::sleep(Duration::from_millis(2));
        }
        wire.map(Wire::new)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Writes each number once, into a field of its own, and waits for a replica every few.
#[derive(Debug)]
pub struct Writer {
    id: u64,
    next: u64,
    confirmed: BTreeSet<u64>,
}

impl Writer {
    pub fn new(id: u64) -> Self {
        Self { id, next: 0, confirmed: BTreeSet::new() }
    }

    pub fn confirmed(&self) -> usize {
        self.confirmed.len()
    }

    fn key(&self, number: u64) -> String {
        format!("writer:{}:{}", self.id, number / FIELDS)
    }

    /// Writes until it is over, to one primary after the other.
    pub fn work(&mut self, field: &Field) {
        while !field.is_over() {
            let Some(mut wire) = field.connect() else { continue };
            // Why only those of this connection: that is what WAIT speaks of.
            let mut open = Vec::new();
            while !field.is_over() && self.step(&mut wire, field, &mut open).is_some() {}
        }
    }

    /// A few writes and a WAIT; none when the connection is of no use any more.
    fn step(&mut self, wire: &mut Wire, field: &Field, open: &mut Vec<u64>) -> Option<()> {
        for _ in 0..8 {
            let number = self.next;
            self.next += 1;
            let line = format!("HSET {} {number} value:{number}", self.key(number));
            if ask(wire, &line)? != Reply::Int(1) {
                return None;
            }
            open.push(number);
        }
        match ask(wire, "WAIT 1 100")? {
            Reply::Int(0) => Some(()),
            Reply::Int(1) => {
                self.confirmed.extend(open.drain(..));
                field.confirmations.fetch_add(1, Ordering::Relaxed);
                Some(())
            }
            Reply::Int(count) => panic!("{count} replicas, where there is one"),
            _ => None,
        }
    }

    /// Looks whether everything is there that was confirmed.
    pub fn check(&self, server: &Server) {
        let mut wire = server.connect();
        for number in &self.confirmed {
            let found = wire.ask(&format!("HGET {} {number}", self.key(*number)));
            let expected = Reply::Bulk(format!("value:{number}").into_bytes());
            assert_eq!(found, expected, "writer {}: {number} was confirmed by WAIT and is gone", self.id);
        }
    }
}

/// Asks somebody who may be gone.
fn ask(wire: &mut Wire, line: &str) -> Option<Reply> {
    wire.try_send(format!("{line}\r\n").as_bytes()).ok()?;
    wire.reply().ok()
}

/// Writes all kinds of things, of which nobody keeps account.
pub fn make_noise(field: &Field, seed: u64) {
    let mut random = Random::new(seed);
    while !field.is_over() {
        let Some(mut wire) = field.connect() else { continue };
        // Why the wait: else the replica is ever farther behind on a busy machine, and nothing is confirmed.
        while !field.is_over()
            && (0..20).all(|_| noise(&mut wire, &mut random).is_some())
            && matches!(ask(&mut wire, "WAIT 1 100"), Some(Reply::Int(_)))
        {}
    }
}

fn noise(wire: &mut Wire, random: &mut Random) -> Option<()> {
    let (key, number) = (random.below(40), random.next() % 1000);
    let line = match random.below(40) {
        0..6 => format!("SET string:{key} {number}"),
        6..10 => format!("INCR counter:{key}"),
        10..14 => format!("RPUSH list:{key} {number} {key}"),
        14..17 => format!("LPOP list:{key} 3"),
        17..20 => format!("SADD set:{key} {number}"),
        20..22 => format!("SPOP set:{key}"),
        22..26 => format!("ZADD sorted:{key} {number} member:{}", number % 50),
        26..28 => format!("ZPOPMIN sorted:{key}"),
        28..31 => format!("HSET hash:{key} {} {number}", number % 50),
        31..34 => format!("SET brief:{key} {number} PX {}", 1 + number % 300),
        34 => format!("DEL string:{key} list:{key} set:{key} sorted:{key} hash:{key}"),
        35 => format!("RENAME string:{key} string:{}", (key + 1) % 40),
        36 => format!("MSET string:{key} {number} string:{} {number}", (key + 1) % 40),
        37 => format!("LTRIM list:{key} -50 -1"),
        38 => return transaction(wire, key, number),
        _ if number < 50 => format!("SET large:{} {}", key % 4, "x".repeat(LARGE_BYTES + number as usize)),
        _ => format!("COPY hash:{key} hash:{} REPLACE", (key + 1) % 40),
    };
    match ask(wire, &line)? {
        Reply::Error(error) if error.starts_with("READONLY") => None,
        _ => Some(()),
    }
}

fn transaction(wire: &mut Wire, key: u64, number: u64) -> Option<()> {
    let lines = format!("MULTI\r\nSET string:{key} {number}\r\nSADD set:{key} {number}\r\nEXEC\r\n");
    wire.try_send(lines.as_bytes()).ok()?;
    for _ in 0..4 {
        if matches!(wire.reply().ok()?, Reply::Error(error) if !error.starts_with("WRONGTYPE")) {
            return None;
        }
    }
    Some(())
}
