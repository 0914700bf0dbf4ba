//! How long ago, or how often, a key was used: the access word of its version.
//!
//! The word has 24 bits that count, as Redis keeps them: under an LRU policy seconds since the epoch modulo 2^24; under
//! an LFU policy 16 bits of minutes and 8 bits of a logarithmic counter, which decays as minutes pass. Readers touch
//! it with plain relaxed stores: a lost touch loses nothing but precision.

use crate::clock::Millis;
use crate::store::version::VersionPtr;
use crate::sync::{AtomicU8, AtomicU32, Ordering};

const CLOCK: u64 = (1 << 24) - 1;
/// Where a fresh key's counter starts, so that it is not the first to be evicted.
const FREQUENCY_FRESH: u8 = 5;

/// What is known of how a key was used before it came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Seconds since the last use.
    IdleSeconds(u64),
    /// The logarithmic counter of uses.
    Frequency(u8),
}

/// How use is told, and by which parameters; changed at run time by settings.
#[derive(Debug)]
pub struct Usage {
    /// 0: idle time; 1: frequency.
    mode: AtomicU8,
    log_factor: AtomicU32,
    decay_minutes: AtomicU32,
}

impl Default for Usage {
    fn default() -> Self {
        Self { mode: AtomicU8::new(0), log_factor: AtomicU32::new(10), decay_minutes: AtomicU32::new(1) }
    }
}

impl Usage {
    /// Counts frequency instead of idle time, or back.
    pub fn count_frequency(&self, on: bool, log_factor: u32, decay_minutes: u32) {
        // Relaxed: independent parameters; a mix of old and new ones lasts a moment.
        self.mode.store(u8::from(on), Ordering::Relaxed);
        self.log_factor.store(log_factor, Ordering::Relaxed);
        self.decay_minutes.store(decay_minutes, Ordering::Relaxed);
    }

    /// Whether frequency is counted.
    #[inline]
    pub fn counts_frequency(&self) -> bool {
        self.mode.load(Ordering::Relaxed) == 1
    }

    /// The word of a key that is written now; `old` is its word before, if it was there.
    #[inline]
    pub fn fresh(&self, old: Option<u32>, now: Millis) -> u32 {
        if !self.counts_frequency() {
            return (now.seconds() & CLOCK) as u32;
        }
        let frequency = old.map_or(FREQUENCY_FRESH, |word| self.raised(word, now));
        minutes(now) << 8 | u32::from(frequency)
    }

    /// The word of a key of which it is known how it was used; none if what is known is not what is counted.
    pub fn known(&self, used: Use, now: Millis) -> Option<u32> {
        match (used, self.counts_frequency()) {
            (Use::IdleSeconds(idle), false) => Some((now.seconds().saturating_sub(idle) & CLOCK) as u32),
            (Use::Frequency(frequency), true) => Some(minutes(now) << 8 | u32::from(frequency)),
            _ => None,
        }
    }

    /// Counts a use of a version.
    #[inline]
    pub fn touch(&self, version: VersionPtr, now: Millis) {
        // Relaxed: a hint, as all of this.
        let word = version.access().load(Ordering::Relaxed);
        let touched = self.fresh(Some(word), now);
        if touched != word {
            version.access().store(touched, Ordering::Relaxed);
        }
    }

    /// Seconds since the last use.
    pub fn idle_seconds(version: VersionPtr, now: Millis) -> u64 {
        let word = u64::from(version.access().load(Ordering::Relaxed));
        (now.seconds() & CLOCK).wrapping_sub(word) & CLOCK
    }

    /// The counter of uses, decayed until now.
    pub fn frequency(&self, version: VersionPtr, now: Millis) -> u8 {
        self.decayed(version.access().load(Ordering::Relaxed), now)
    }

    fn decayed(&self, word: u32, now: Millis) -> u8 {
        let frequency = (word & 0xFF) as u8;
        let passed = minutes(now).wrapping_sub(word >> 8) & 0xFFFF;
        match self.decay_minutes.load(Ordering::Relaxed) {
            0 => frequency,
            period => frequency.saturating_sub((passed / period).min(255) as u8),
        }
    }

    fn raised(&self, word: u32, now: Millis) -> u8 {
        let frequency = self.decayed(word, now);
        let above = u32::from(frequency.saturating_sub(FREQUENCY_FRESH));
        let odds = above.saturating_mul(self.log_factor.load(Ordering::Relaxed)).saturating_add(1);
        // Why a hash of the word and the time: one use in `odds` counts, and that needs no generator's state.
        let dice = (u64::from(word) ^ now.0).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        if dice % u64::from(odds) == 0 { frequency.saturating_add(1) } else { frequency }
    }
}

fn minutes(now: Millis) -> u32 {
    ((now.seconds() / 60) & 0xFFFF) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::version::OwnedVersion;

    #[test]
    fn idle_time_counts_from_the_last_touch() {
        let usage = Usage::default();
        let version = OwnedVersion::new(b"k", None, None, usage.fresh(None, Millis(1_000_000)));
        assert_eq!(Usage::idle_seconds(version.as_ptr(), Millis(1_007_000)), 7);
        usage.touch(version.as_ptr(), Millis(1_007_000));
        assert_eq!(Usage::idle_seconds(version.as_ptr(), Millis(1_008_999)), 1);
    }

    #[test]
    fn idle_time_survives_the_wrap_of_the_clock() {
        let usage = Usage::default();
        let before = Millis(CLOCK * 1000);
        let version = OwnedVersion::new(b"k", None, None, usage.fresh(None, before));
        assert_eq!(Usage::idle_seconds(version.as_ptr(), Millis((CLOCK + 3) * 1000)), 3);
    }

    #[test]
    fn what_is_known_of_a_key_counts_only_if_that_is_counted() {
        let (usage, now) = (Usage::default(), Millis(100_000_000));
        let idle = usage.known(Use::IdleSeconds(70), now).expect("idle time is counted");
        let version = OwnedVersion::new(b"k", None, None, idle);
        assert_eq!(Usage::idle_seconds(version.as_ptr(), now), 70);
        assert_eq!(usage.known(Use::Frequency(9), now), None);
        usage.count_frequency(true, 10, 1);
        let often = usage.known(Use::Frequency(9), now).expect("frequency is counted");
        let version = OwnedVersion::new(b"k", None, None, often);
        assert_eq!(usage.frequency(version.as_ptr(), now), 9);
        assert_eq!(usage.known(Use::IdleSeconds(70), now), None);
    }

    #[test]
    fn frequency_rises_with_use_and_decays_with_time() {
        let usage = Usage::default();
        usage.count_frequency(true, 10, 1);
        let version = OwnedVersion::new(b"k", None, None, usage.fresh(None, Millis(0)));
        for use_ in 0..10_000 {
            usage.touch(version.as_ptr(), Millis(use_));
        }
        let risen = usage.frequency(version.as_ptr(), Millis(10_000));
        assert!(risen > FREQUENCY_FRESH, "{risen}");
        assert!(usage.frequency(version.as_ptr(), Millis(10_000 + 3 * 60_000)) <= risen - 3);
    }
}
