//! Requests that are written once and sent over and over, with new keys put into their places.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use goredis::resp::request::write_request;

/// Bytes of a key: four of its data set's name, the rest its number.
const KEY_BYTES: usize = 16;
const NAME_BYTES: usize = 4;

/// Scatters consecutive numbers: a prime, so that it shares no factor with a data set that is not a multiple of it.
const SCATTERING_PRIME: u64 = 2_654_435_761;

/// What is asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// `GET key`
    Get,
    /// `SET key value`
    Set {
        /// Length of the value.
        value_bytes: usize,
    },
    /// `SET key value EX seconds`
    SetEx {
        /// Length of the value.
        value_bytes: usize,
        /// Time to live.
        seconds: u32,
    },
    /// `SET key 1`, so that the key can be incremented.
    SetOne,
    /// `INCR key`
    Incr,
}

/// A set of keys: its name, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DataSet {
    /// The first bytes of all keys.
    pub(crate) name: &'static [u8; NAME_BYTES],
    /// How many keys.
    pub(crate) keys: u64,
}

/// Which key comes next.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    /// Any, again and again.
    Random(fastrand::Rng),
    /// Each once, in scattered order; all connections take from the same counter.
    Once(Arc<AtomicU64>),
}

/// A pipeline of equal requests, ready to be sent.
#[derive(Debug)]
pub(crate) struct Pipeline {
    bytes: Vec<u8>,
    request_bytes: usize,
    /// Where in a request the number of the key is.
    number: Range<usize>,
    depth: usize,
    keys: u64,
    order: Order,
}

impl Pipeline {
    /// A pipeline of `depth` requests for keys of `data`.
    pub(crate) fn new(command: Command, data: DataSet, depth: usize, order: Order) -> Self {
        let mut random = fastrand::Rng::with_seed(depth as u64);
        let mut bytes = Vec::new();
        for _ in 0..depth {
            write_one(&mut bytes, command, data, &mut random);
        }
        let request_bytes = bytes.len() / depth;
        let name = bytes.windows(NAME_BYTES).position(|window| window == data.name).unwrap_or(0);
        let number = name + NAME_BYTES..name + KEY_BYTES;
        Self { bytes, request_bytes, number, depth, keys: data.keys, order }
    }

    /// The next requests and how many they are; `None`, when each key has had its turn.
    pub(crate) fn next(&mut self) -> Option<(&[u8], usize)> {
        let (first, count) = match &self.order {
            Order::Random(_) => (0, self.depth),
            Order::Once(counter) => {
                // Relaxed: only that no two get the same numbers matters.
                let first = counter.fetch_add(self.depth as u64, Ordering::Relaxed);
                (first, self.keys.saturating_sub(first).min(self.depth as u64) as usize)
            }
        };
        if count == 0 {
            return None;
        }
        for (index, request) in self.bytes.chunks_exact_mut(self.request_bytes).take(count).enumerate() {
            let key = match &mut self.order {
                Order::Random(random) => random.u64(..self.keys),
                Order::Once(_) => scattered(first + index as u64, self.keys),
            };
            write_number(&mut request[self.number.clone()], key);
        }
        Some((&self.bytes[..count * self.request_bytes], count))
    }
}

fn write_one(bytes: &mut Vec<u8>, command: Command, data: DataSet, random: &mut fastrand::Rng) {
    let key = [data.name.as_slice(), &[b'0'; KEY_BYTES - NAME_BYTES]].concat();
    // Why random letters: a server that compresses its file gains nothing, and none takes them for a number.
    let mut value = |length| (0..length).map(|_| random.alphabetic() as u8).collect::<Vec<u8>>();
    match command {
        Command::Get => write_request(bytes, &[b"GET".as_slice(), &key]),
        Command::Set { value_bytes } => write_request(bytes, &[b"SET".as_slice(), &key, &value(value_bytes)]),
        Command::SetEx { value_bytes, seconds } => {
            let seconds = seconds.to_string();
            write_request(bytes, &[b"SET".as_slice(), &key, &value(value_bytes), b"EX", seconds.as_bytes()]);
        }
        Command::SetOne => write_request(bytes, &[b"SET".as_slice(), &key, b"1"]),
        Command::Incr => write_request(bytes, &[b"INCR".as_slice(), &key]),
    }
}

/// A number below `count` for each `index` below it, another for each.
fn scattered(index: u64, count: u64) -> u64 {
    (u128::from(index) * u128::from(SCATTERING_PRIME) % u128::from(count)) as u64
}

fn write_number(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const DATA: DataSet = DataSet { name: b"key:", keys: 1000 };

    fn once() -> Order {
        Order::Once(Arc::default())
    }

    #[test]
    fn the_bytes_are_requests_as_clients_send_them() {
        let mut pipeline = Pipeline::new(Command::Get, DataSet { keys: 1, ..DATA }, 1, once());
        let expected = b"*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n".as_slice();
        assert_eq!(pipeline.next(), Some((expected, 1)));
        assert_eq!(pipeline.next(), None);
        let command = Command::SetEx { value_bytes: 3, seconds: 60 };
        let mut pipeline = Pipeline::new(command, DATA, 2, Order::Random(fastrand::Rng::with_seed(1)));
        let (bytes, count) = pipeline.next().expect("random keys do not end");
        let text = String::from_utf8_lossy(bytes);
        assert_eq!((count, text.matches("*5\r\n$3\r\nSET\r\n$16\r\nkey:").count()), (2, 2));
        assert!(text.ends_with("\r\n$2\r\nEX\r\n$2\r\n60\r\n"), "{text}");
    }

    #[test]
    fn each_key_has_its_turn_once_however_many_connections_there_are() {
        let order = once();
        let mut pipelines = [7, 16].map(|depth| Pipeline::new(Command::Incr, DATA, depth, order.clone()));
        let (mut seen, mut sent) = (HashSet::new(), 0);
        loop {
            let mut idle = true;
            for pipeline in &mut pipelines {
                let number = pipeline.number.clone();
                let length = pipeline.request_bytes;
                if let Some((bytes, count)) = pipeline.next() {
                    idle = false;
                    sent += count;
                    seen.extend(bytes.chunks(length).map(|request| request[number.clone()].to_vec()));
                }
            }
            if idle {
                break;
            }
        }
        assert_eq!((seen.len(), sent), (1000, 1000));
    }
}
