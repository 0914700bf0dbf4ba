//! The commands that took longest lately (SLOWLOG): a bounded ring.
//!
//! The executor asks [`SlowLog::is_slow`] after a command, which is two comparisons, and adds an entry only if it
//! was. Entries hold trimmed copies, so the ring's memory is bounded whatever clients send; secrets are left out.

mod redact;

pub(super) use redact::is_secret;

use crate::clock::Millis;
use crate::command::clients::ClientHandle;
use crate::resp::Args;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Arguments that an entry keeps; the last place then tells how many were left out.
const ARGS_MAX: usize = 32;
/// Bytes of an argument that an entry keeps.
const ARG_BYTES_MAX: usize = 128;

/// One slow command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowEntry {
    /// Number of the entry; never used again in this process.
    pub id: u64,
    /// When the command ended.
    pub at: Millis,
    /// How long it ran.
    pub elapsed: Duration,
    /// The request, trimmed.
    pub args: Vec<Vec<u8>>,
    /// Address of the client.
    pub peer: String,
    /// Name of the client, empty if it has none.
    pub name: String,
}

#[derive(Debug, Default)]
struct Ring {
    /// Newest first.
    entries: VecDeque<SlowEntry>,
    next_id: u64,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub struct SlowLog {
    ring: Mutex<Ring>,
}

impl SlowLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a command of this duration is to be recorded, by `slowlog-log-slower-than` in microseconds:
    /// negative records nothing, zero everything.
    #[inline]
    pub fn is_slow(nanos: u64, slower_than_micros: i64) -> bool {
        u64::try_from(slower_than_micros).is_ok_and(|least| nanos >= least.saturating_mul(1000))
    }

    /// Records a command, dropping the oldest entries beyond `entries_max` (`slowlog-max-len`).
    ///
    /// Where none may be kept, no number is used up either.
    #[cold]
    pub fn add(
        &self,
        args: Args<'_>,
        elapsed: Duration,
        now: Millis,
        client: &ClientHandle,
        entries_max: usize,
    ) {
        if entries_max == 0 {
            return self.reset();
        }
        let mut entry = SlowEntry {
            id: 0,
            at: now,
            elapsed,
            args: trimmed(args),
            peer: client.endpoint().peer.clone(),
            name: client.labels().name,
        };
        let mut ring = self.lock();
        entry.id = ring.next_id;
        ring.next_id += 1;
        ring.entries.push_front(entry);
        ring.entries.truncate(entries_max);
    }

    /// The newest `count` entries, newest first.
    pub fn latest(&self, count: usize) -> Vec<SlowEntry> {
        self.lock().entries.iter().take(count).cloned().collect()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all entries; numbers go on.
    pub fn reset(&self) {
        let forgotten = std::mem::take(&mut self.lock().entries);
        drop(forgotten);
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The arguments as an entry keeps them.
fn trimmed(args: Args<'_>) -> Vec<Vec<u8>> {
    let kept = if args.len() > ARGS_MAX { ARGS_MAX - 1 } else { args.len() };
    let keep =
        |(at, arg)| if redact::is_secret(args, at) { b"(redacted)".to_vec() } else { trimmed_arg(arg) };
    let mut all: Vec<Vec<u8>> = args.iter().take(kept).enumerate().map(keep).collect();
    if kept < args.len() {
        all.push(format!("... ({} more arguments)", args.len() - kept).into_bytes());
    }
    all
}

fn trimmed_arg(arg: &[u8]) -> Vec<u8> {
    if arg.len() <= ARG_BYTES_MAX {
        return arg.to_vec();
    }
    let mut trimmed = arg[..ARG_BYTES_MAX].to_vec();
    trimmed.extend(format!("... ({} more bytes)", arg.len() - ARG_BYTES_MAX).bytes());
    trimmed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::clients::Endpoint;
    use crate::resp::OwnedRequest;

    fn add(log: &SlowLog, args: &[&str], entries_max: usize) {
        let request: OwnedRequest = args.iter().collect();
        let client =
            ClientHandle::new(1, Endpoint { peer: "peer:1".to_owned(), ..Endpoint::default() }, Millis(0));
        client.relabel(|labels| labels.name = "me".to_owned());
        log.add(request.as_args(), Duration::from_micros(15), Millis(2_000), &client, entries_max);
    }

    fn kept(args: &[&str]) -> Vec<String> {
        let log = SlowLog::new();
        add(&log, args, 1);
        log.latest(1)[0].args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect()
    }

    #[test]
    fn the_threshold_counts_itself_and_a_negative_one_switches_off() {
        let elapsed = 10_000;
        assert!(SlowLog::is_slow(elapsed, 10));
        assert!(SlowLog::is_slow(0, 0));
        assert!(!SlowLog::is_slow(elapsed, 11));
        assert!(!SlowLog::is_slow(elapsed, -1));
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let log = SlowLog::new();
        for name in ["a", "b", "c"] {
            add(&log, &[name], 2);
        }
        let ids: Vec<_> = log.latest(10).iter().map(|entry| entry.id).collect();
        assert_eq!(ids, [2, 1]);
        assert_eq!(log.latest(1)[0].args, [b"c"]);
        assert_eq!((log.latest(1)[0].peer.as_str(), log.latest(1)[0].name.as_str()), ("peer:1", "me"));
        log.reset();
        assert!(log.is_empty());
        add(&log, &["d"], 2);
        assert_eq!(log.latest(1)[0].id, 3);
    }

    #[test]
    fn no_room_keeps_nothing() {
        let log = SlowLog::new();
        add(&log, &["a"], 0);
        assert_eq!(log.len(), 0);
        add(&log, &["b"], 1);
        assert_eq!(log.latest(1)[0].id, 0);
    }

    #[test]
    fn a_request_of_33_arguments_shows_31_and_how_many_more() {
        let args: Vec<String> = (0..33).map(|at| at.to_string()).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let shown = kept(&args);
        assert_eq!(shown.len(), 32);
        assert_eq!(shown[30], "30");
        assert_eq!(shown[31], "... (2 more arguments)");
        assert_eq!(kept(&args[..32])[31], "31");
    }

    #[test]
    fn an_argument_of_129_bytes_shows_128_and_how_many_more() {
        let (long, fits) = ("A".repeat(129), "A".repeat(128));
        assert_eq!(kept(&[&long])[0], format!("{fits}... (1 more bytes)"));
        assert_eq!(kept(&[&fits])[0], fits);
    }
}
