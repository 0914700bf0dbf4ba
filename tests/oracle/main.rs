//! The same commands to this server and to the redis-server that is installed, and every reply compared.
//!
//! Random sequences over all types are played to both, over protocol 2 or 3, in pipelines and one by one, on keys so
//! few that types collide and with settings so small that collections change their form all the time. Replies must be
//! the same byte for byte, errors too, but for what has no order, tells the time or throws dice; [`exceptions`] lists
//! what is meant to differ. After each sequence both must hold the same; now and then this server is killed, started again
//! from its files and looked at once more. A difference is told with the shortest sequence that shows it.
//!
//! `GOREDIS_TEST_SEED` begins with a certain sequence, `GOREDIS_TEST_ORACLE_SECONDS` sets how long new ones are tried.
//! A redis-server that is missing fails the test: `tools/test` installs it.
//!
//! | module | |
//! |---|---|
//! | `commands`, `grammar`, `words`, `generate` | what is asked |
//! | `servers`, `frame`, `play` | how it is asked |
//! | `compare`, `exceptions`, `contents`, `events` | what counts as the same |
//! | `shrink` | what is told |

mod commands;
mod compare;
mod contents;
mod events;
mod exceptions;
mod frame;
mod generate;
mod grammar;
#[path = "../server/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the scenarios of another test need more of it")]
mod harness;
mod play;
#[path = "../server/kill_rounds/random.rs"]
mod random;
#[path = "../migration/redis.rs"]
#[expect(dead_code, reason = "the scenarios of another test need more of it")]
mod redis;
mod servers;
mod shrink;
mod words;

use generate::{Generator, Sequence, Step};
use play::{Ending, Tally, play};
use servers::Pair;
use std::collections::BTreeMap;
use std::env;
use std::fmt::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const SECONDS_DEFAULT: u64 = 25;
/// Two sequences in so many end with a restart.
const RESTARTED_TWO_IN: u64 = 30;
/// After so many differences of different kinds no more are looked for.
const TOLD_MAX: usize = 20;

/// A number from the environment.
fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

fn fresh_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64
}

/// Tells the sequence in which a server stopped to answer.
struct Playing<'a>(u64, &'a Sequence);

impl Drop for Playing<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("while playing {}", told(self.0, self.1));
        }
    }
}

/// A sequence as text.
fn told(seed: u64, sequence: &Sequence) -> String {
    let mut text = format!("GOREDIS_TEST_SEED={seed}, protocol {}:\n", sequence.version);
    for step in &sequence.steps {
        let marks = if step.waits { ", then time passes" } else { "" };
        writeln!(text, "  client {}: {}{marks}", step.client, play::line(&step.args)).expect("a string");
    }
    text
}

/// A sequence of lines for the first client.
fn lines(lines: &[&str]) -> Sequence {
    let words = |line: &&str| line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
    let step = |line| Step { client: 0, args: words(line), ends_batch: false, waits: false };
    Sequence { version: 2, steps: lines.iter().map(step).collect() }
}

#[test]
fn a_difference_is_found_and_told_with_the_commands_that_it_needs() {
    // Another setting than that of the server beside it makes the difference.
    let mut pair = Pair::start(&["--proto-max-bulk-len", "1mb"]);
    let play_it =
        |pair: &mut Pair, sequence: &Sequence| play(pair, sequence, Ending::Look, &mut Tally::default());
    let largest = "SETRANGE s0 1048575 x";
    assert!(play_it(&mut pair, &lines(&["SET s1 a", largest, "STRLEN s0"])).is_none());
    let sequence = lines(&[
        "SET s1 a",
        "HSET h1 a 1",
        largest,
        "GET s1",
        "HDEL h0 c",
        "STRLEN s0",
        "APPEND s0 y",
        "DEL h1",
    ]);
    let difference = play_it(&mut pair, &sequence).expect("a difference");
    assert_eq!((difference.theirs.as_str(), &difference.ours[..4]), (":1048577", "-ERR"));
    let (shortest, _) = shrink::shrink(&mut pair, sequence, Ending::Look, difference);
    let told: Vec<String> = shortest.steps.iter().map(|step| play::line(&step.args)).collect();
    assert_eq!(told, [largest, "APPEND s0 y"]);
}

#[test]
fn every_reply_is_that_of_redis() {
    let first = variable("GOREDIS_TEST_SEED").unwrap_or_else(fresh_seed);
    let time = Duration::from_secs(variable("GOREDIS_TEST_ORACLE_SECONDS").unwrap_or(SECONDS_DEFAULT));
    println!("beside redis-server for {time:?}: GOREDIS_TEST_SEED={first}");
    let mut pair = Pair::start(&[]);
    let mut unknown = Vec::new();
    let is_young = pair.is_young();
    let generator = Generator::new(is_young, |name| {
        let known = pair.know(name);
        if !known {
            unknown.push(name.to_owned());
        }
        known
    });
    println!("not played, as one of them lacks it: {}", unknown.join(" "));
    let (mut tally, mut sequences) = (Tally::default(), 0);
    let mut parted: BTreeMap<String, String> = BTreeMap::new();
    let started = Instant::now();
    while (started.elapsed() < time || sequences == 0) && parted.len() < TOLD_MAX {
        let seed = first.wrapping_add(sequences);
        let sequence = generator.sequence(seed);
        let ending = match seed % RESTARTED_TWO_IN {
            0 => Ending::Restart,
            1 => Ending::SaveAndRestart,
            _ => Ending::Look,
        };
        sequences += 1;
        let _playing = Playing(seed, &sequence);
        let Some(difference) = play(&mut pair, &sequence, ending, &mut tally) else { continue };
        if parted.contains_key(&difference.signature) {
            continue;
        }
        let signature = difference.signature.clone();
        let (shortest, difference) = shrink::shrink(&mut pair, sequence.clone(), ending, difference);
        let text = format!("{}  differs: {difference}", told(seed, &shortest));
        println!("{text}\n");
        parted.insert(signature, text);
    }
    println!(
        "{} commands in {sequences} sequences compared, {} of them answered with errors; {} events",
        tally.commands, tally.errors, tally.events
    );
    for (reason, times) in &tally.excepted {
        println!("meant, {times} times: {reason}");
    }
    assert!(parted.is_empty(), "{} differences", parted.len());
    assert!(
        tally.commands > 1000 && tally.errors < tally.commands / 2 && tally.events > 100,
        "too little happened to show anything"
    );
}
