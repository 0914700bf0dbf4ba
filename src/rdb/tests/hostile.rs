//! Payloads that are nearly right: cut, changed, mixed. Each is refused, or holds a value that could have been made.

use std::time::{Duration, Instant};

use quickcheck::quickcheck;

use super::*;

/// How long payloads are mutilated at least.
const TIME_MIN: Duration = Duration::from_secs(1);

/// Restores the payload of `body`, and checks that what it may hold is a value, by that it survives another payload.
fn attempt(body: &[u8], version: u16) -> bool {
    let payload = sealed_as(body, version);
    let Ok(mut value) = restore(&payload, &ROOMY) else { return false };
    if let Value::Hash(entries) = &mut value {
        // Why: Valkey's fields may end later than can be told.
        for entry in entries {
            entry.expiry = entry.expiry.map(|at| at.clamp(Millis(1), EXPIRY_MAX));
        }
    }
    assert_eq!(restore(&dump(&value), &ROOMY).as_ref(), Ok(&value), "{body:x?}");
    true
}

#[test]
fn a_value_cut_anywhere_is_none() {
    for Fixture { name, payload, .. } in fixtures() {
        let (body, version) = opened(payload);
        for len in 0..body.len() {
            assert!(!attempt(&body[..len], version), "{name}, {len} bytes of it");
        }
        assert!(attempt(body, version), "{name}");
    }
}

#[test]
fn a_byte_changed_anywhere_gives_a_value_or_an_error() {
    for Fixture { payload, .. } in fixtures() {
        let (body, version) = opened(payload);
        let mut body = body.to_vec();
        for at in 0..body.len() {
            let byte = body[at];
            let flipped = (0..8).map(|bit| byte ^ (1 << bit));
            for other in flipped.chain([!byte, byte.wrapping_add(1), byte.wrapping_sub(1), 0, 0xff]) {
                body[at] = other;
                attempt(&body, version);
            }
            body[at] = byte;
        }
    }
}

quickcheck! {
    fn random_bytes_give_a_value_or_an_error(kind: u8, body: Vec<u8>, valkey: bool) -> bool {
        let body = [&[kind % 28], &body[..]].concat();
        attempt(&body, if valkey { 80 } else { 12 });
        true
    }

    fn random_payloads_are_not_whole(payload: Vec<u8>) -> bool {
        matches!(restore(&payload, &ROOMY), Err(Error::Trailer(_)))
    }

    fn random_bytes_in_a_packed_collection_give_a_value_or_an_error(kind: u8, pack: Vec<u8>) -> bool {
        let pack: Vec<u8> = pack.into_iter().chain([0xff]).collect();
        let mut body = vec![9 + kind % 16, pack.len().min(63) as u8];
        body.extend_from_slice(&pack[pack.len().saturating_sub(63)..]);
        attempt(&body, 12);
        true
    }
}

/// A small generator of random numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below
    }

    /// One more thing wrong with `body`.
    fn mutilate(&mut self, body: &mut Vec<u8>, others: &[&Fixture]) {
        let at = self.next(body.len());
        match self.next(6) {
            0 => body[at] = self.next(256) as u8,
            1 => body[at] ^= 1 << self.next(8),
            2 => body.insert(at, self.next(256) as u8),
            3 if body.len() > 1 => drop(body.remove(at)),
            4 => {
                let end = at + self.next(body.len() - at + 1);
                body.extend_from_within(at..end);
            }
            _ => {
                let other = others[self.next(others.len())].payload;
                body.truncate(at + 1);
                body.extend_from_slice(&other[self.next(other.len())..]);
            }
        }
    }
}

#[test]
fn mutilated_payloads_give_a_value_or_an_error() {
    let fresh = || std::time::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos() as u64);
    let seed = std::env::var("GOREDIS_TEST_SEED").map_or_else(|_| fresh(), |text| text.parse().unwrap());
    println!("to repeat: GOREDIS_TEST_SEED={seed}");
    let mut dice = Dice(seed | 1);
    let fixtures: Vec<&Fixture> = fixtures().collect();
    let start = Instant::now();
    while start.elapsed() < TIME_MIN {
        for _ in 0..1000 {
            let (body, version) = opened(fixtures[dice.next(fixtures.len())].payload);
            let mut body = body.to_vec();
            for _ in 0..=dice.next(4) {
                dice.mutilate(&mut body, &fixtures);
            }
            attempt(&body, version);
        }
    }
}
