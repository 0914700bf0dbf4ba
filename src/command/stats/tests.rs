//! What the counters promise together.

use super::stripe::{ERROR_CODES_MAX, ERROR_OVERFLOW};
use super::*;

fn index_of(name: &str) -> usize {
    crate::command::table::by_full_name(name.as_bytes()).expect("the command is in the table").index()
}

#[test]
fn threads_add_up() {
    let stats = Stats::new();
    let get = index_of("get");
    let count = || {
        for _ in 0..1_000 {
            let local = stats.local();
            local.add(Counter::NetInputBytes, 3);
            local.call(get, 500, false);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(count);
        }
    });
    let totals = stats.totals();
    assert_eq!(totals.get(Counter::NetInputBytes), 24_000);
    assert_eq!(totals.commands[get].calls, 8_000);
    assert_eq!(totals.commands[get].nanos, 4_000_000);
    assert_eq!(totals.commands_processed(), 8_000);
}

#[test]
fn more_threads_than_stripes_still_add_up() {
    let stats = Stats::new();
    let barrier = std::sync::Barrier::new(OWN_STRIPES + 20);
    let count = || {
        barrier.wait();
        for _ in 0..200 {
            stats.local().add(Counter::Reads, 1);
        }
        barrier.wait();
    };
    std::thread::scope(|scope| {
        for _ in 0..OWN_STRIPES + 20 {
            scope.spawn(count);
        }
    });
    assert_eq!(stats.totals().get(Counter::Reads), 200 * (OWN_STRIPES as u64 + 20));
}

#[test]
fn a_reset_shows_only_what_came_after() {
    let stats = Stats::new();
    let (set, local) = (index_of("set"), stats.local());
    local.call(set, 1_000, true);
    local.latency(set, 1_000);
    local.rejected(set);
    local.error("WRONGTYPE Operation");
    stats.reset();
    assert_eq!(
        stats.totals().commands[set],
        CommandTotals { latency: stats.totals().commands[set].latency.clone(), ..CommandTotals::default() }
    );
    assert_eq!(stats.totals().commands[set].latency.count(), 0);
    assert_eq!(stats.totals().error_replies(), 0);
    local.error("ERR no such key");
    local.call(set, 2_000, false);
    let totals = stats.totals();
    assert_eq!(totals.errors.into_iter().collect::<Vec<_>>(), [("ERR".into(), 1)]);
    assert_eq!((totals.commands[set].calls, totals.commands[set].nanos), (1, 2_000));
}

#[test]
fn error_codes_are_bounded() {
    let stats = Stats::new();
    for at in 0..ERROR_CODES_MAX + 10 {
        stats.local().error(&format!("CODE{at} text"));
    }
    let totals = stats.totals();
    assert_eq!(totals.errors.len(), ERROR_CODES_MAX + 1);
    assert_eq!(totals.errors[ERROR_OVERFLOW], 10);
    assert_eq!(totals.error_replies(), ERROR_CODES_MAX as u64 + 10);
}

#[test]
fn the_peak_is_the_largest_sample() {
    let stats = Stats::new();
    for bytes in [5, 9, 7] {
        stats.sample(Instant::now(), bytes);
    }
    assert_eq!(stats.peak_memory_bytes(), 9);
}
