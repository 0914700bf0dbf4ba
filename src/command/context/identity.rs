//! Who this server is, and since when.

use crate::clock::Millis;
use crate::command::lineup::ServerId;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The version of Redis whose documented behaviour this server has, which clients read to know what they may use.
pub const REDIS_VERSION: &str = "7.2.4";

/// The version of this server.
pub const GOREDIS_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Who this server is, and since when.
#[derive(Debug)]
pub struct Identity {
    /// 40 hexadecimal digits, different for every run.
    pub run_id: String,
    /// When the server started, for durations.
    pub started: Instant,
    /// When the server started, for people.
    pub started_at: Millis,
    /// The running program.
    pub executable: PathBuf,
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

impl Identity {
    /// The identity of a server that starts now.
    pub fn new() -> Self {
        Self {
            run_id: random_hex_40(),
            started: Instant::now(),
            started_at: Millis::now(),
            executable: std::env::current_exe().unwrap_or_default(),
        }
    }

    /// What other servers know it by: the first 32 digits of `run_id`.
    pub fn server(&self) -> ServerId {
        ServerId::new(u128::from_str_radix(&self.run_id[..32], 16).unwrap_or_default())
    }

    /// How long the server has been running.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// 160 bits from the standard library's randomly keyed hasher: ids that differ, not secrets.
fn random_hex_40() -> String {
    let word = |at: u64| {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(at);
        hasher.finish()
    };
    let digits = [0, 1, 2].map(|at| format!("{:016x}", word(at))).concat();
    digits[..40].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_are_40_hexadecimal_digits_and_differ() {
        let (one, other) = (Identity::new(), Identity::new());
        assert_eq!(one.run_id.len(), 40);
        assert!(one.run_id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one.run_id, other.run_id);
        assert_eq!(one.server().to_string(), one.run_id[..32]);
    }
}
