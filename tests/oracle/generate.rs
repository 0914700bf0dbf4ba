//! Sequences of commands: mostly valid, on few keys, so that types collide; some of them mutated.

use crate::commands::{COMMANDS, FILLING, YOUNG};
use crate::grammar::Template;
use crate::random::Random;
use crate::words::{TIMEOUTS, Words};

/// Connections that play a sequence; the second is what makes WATCH fail.
pub const CLIENTS: usize = 2;

/// Never sent, whatever a mutation makes.
const FORBIDDEN: [&str; 4] = ["sync", "psync", "monitor", "watch"];

/// One command of a sequence.
#[derive(Clone, Debug)]
pub struct Step {
    pub client: usize,
    pub args: Vec<Vec<u8>>,
    /// Its reply is read before anything else is sent.
    pub ends_batch: bool,
    /// Time passes after it, in which a short-lived key expires.
    pub waits: bool,
}

/// What is played on servers that hold nothing.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// Version of the protocol.
    pub version: u8,
    pub steps: Vec<Step>,
}

/// Makes sequences.
#[derive(Debug)]
pub struct Generator {
    filling: Vec<Template>,
    others: Vec<Template>,
}

/// What one sequence is made with.
struct Mood<'a> {
    words: Words,
    chosen: Vec<&'a Template>,
    /// One command in so many is mutated.
    mutated_one_in: u64,
    /// One in so many ends its batch.
    batch: u64,
}

impl Generator {
    /// One that makes only commands for which `known` holds, by their names, and what Redis has since 7.2 only for a
    /// server that `is_young`.
    pub fn new(is_young: bool, mut known: impl FnMut(&str) -> bool) -> Self {
        let mut read = |lines: &[&'static str]| -> Vec<Template> {
            lines
                .iter()
                .map(|&line| Template::read(line))
                .filter(|template| known(&template.name()))
                .collect()
        };
        let mut others = read(COMMANDS);
        if is_young {
            others.extend(read(YOUNG));
        }
        Self { filling: read(FILLING), others }
    }

    /// The sequence of a seed.
    pub fn sequence(&self, seed: u64) -> Sequence {
        let random = &mut Random::new(seed);
        let share = 1 + random.below(8);
        let one_score = random.below(4) == 0;
        let members = [4, 12, 30, 3000][random.below(4) as usize];
        let words = Words { keys: 1 + random.below(3), members, one_score };
        let mood = Mood {
            chosen: self
                .others
                .iter()
                .filter(|template| random.below(8) < share && template.suits_one_score() != Some(!one_score))
                .collect(),
            words,
            mutated_one_in: [5, 10, 30, 1000][random.below(4) as usize],
            batch: [1, 6, 30][random.below(3) as usize],
        };
        let version = 2 + random.below(2) as u8;
        let length = 20 + random.below(230) as usize;
        let mut steps = Vec::with_capacity(length);
        let mut in_multi = [false; CLIENTS];
        // Why: what was swapped twice has not changed for this server.
        let may_watch = mood.chosen.iter().all(|template| template.name() != "swapdb");
        while steps.len() < length {
            let client = usize::from(random.below(10) == 0);
            if !in_multi[client] && random.below(40) == 0 {
                steps.extend(if !may_watch || random.below(2) == 0 {
                    short_lived(client, &mood.words, random)
                } else {
                    watch(client, &mood.words, random)
                });
                continue;
            }
            let args = self.command(&mood, in_multi[client], random);
            match args[0].to_ascii_lowercase().as_slice() {
                b"multi" => in_multi[client] = true,
                b"exec" | b"discard" if args.len() == 1 => in_multi[client] = false,
                _ => {}
            }
            let ends_batch = random.below(mood.batch) == 0;
            steps.push(Step { client, args, ends_batch, waits: false });
        }
        Sequence { version, steps }
    }

    fn command(&self, mood: &Mood<'_>, in_multi: bool, random: &mut Random) -> Vec<Vec<u8>> {
        if in_multi && random.below(8) == 0 {
            return vec![if random.below(10) == 0 { b"DISCARD".to_vec() } else { b"EXEC".to_vec() }];
        }
        loop {
            let filling = mood.chosen.is_empty() || random.below(4) == 0;
            let template = if filling {
                &self.filling[random.below(self.filling.len() as u64) as usize]
            } else {
                mood.chosen[random.below(mood.chosen.len() as u64) as usize]
            };
            let mut args = template.command(&mood.words, random);
            if random.below(100) == 0 {
                args.splice(0..0, [b"COMMAND".to_vec(), b"GETKEYS".to_vec()]);
            }
            let is_kept = mood.words.one_score && template.makes_scores();
            if random.below(mood.mutated_one_in) == 0 && !is_kept {
                mutate(&mut args, &mood.words, random);
            }
            let by_name = args.iter().any(|arg| arg.eq_ignore_ascii_case(b"BYLEX"));
            if is_repeatable(&args) && (mood.words.one_score || !by_name) {
                return args;
            }
        }
    }
}

/// A key that expires at once, and the look at it that makes either server notice.
fn short_lived(client: usize, words: &Words, random: &mut Random) -> [Step; 2] {
    let key = words.of_kind("any", random);
    let line: &[&[u8]] = match random.below(3) {
        0 => &[b"SET", &key, b"short", b"PX", b"3"],
        1 => &[b"PEXPIRE", &key, b"3"],
        _ => &[b"PSETEX", &key, b"2", b"short"],
    };
    let step = |line: &[&[u8]], waits| {
        let args = line.iter().map(|arg| arg.to_vec()).collect();
        Step { client, args, ends_batch: waits, waits }
    };
    [step(line, true), step(&[b"EXISTS", &key], false)]
}

/// WATCH of a key that is there: one that was not there, came and went has not changed for this server, but has for Redis.
fn watch(client: usize, words: &Words, random: &mut Random) -> [Step; 2] {
    let key = words.of_kind("any", random);
    let step = |line: &[&[u8]]| {
        let args = line.iter().map(|arg| arg.to_vec()).collect();
        Step { client, args, ends_batch: false, waits: false }
    };
    [step(&[b"SETNX", &key, b"watched"]), step(&[b"WATCH", &key])]
}

fn mutate(args: &mut Vec<Vec<u8>>, words: &Words, random: &mut Random) {
    for _ in 0..=random.below(5) / 3 {
        let at = random.below(args.len() as u64) as usize;
        let later = 1 + random.below(args.len() as u64) as usize;
        match random.below(10) {
            0 if args.len() > 1 => drop(args.remove(at)),
            1 => args.truncate(later),
            2 => args.insert(at, args[at].clone()),
            3 => args.insert(later, words.junk(random)),
            4 => args.push(words.junk(random)),
            5 => args.swap(at, later - 1),
            6 => args.extend_from_within(at..),
            7 => args[at].make_ascii_lowercase(),
            _ if later < args.len() => args[later] = words.junk(random),
            _ => args.push(words.junk(random)),
        }
    }
}

/// Whether a command does the same on both servers, however fast they are and whatever their dice say.
fn is_repeatable(args: &[Vec<u8>]) -> bool {
    let name = String::from_utf8_lossy(&args[0]).to_lowercase();
    let number = |at: usize| args.get(at).and_then(|arg| std::str::from_utf8(arg).ok()?.parse::<i128>().ok());
    let is_timeout = |arg: Option<&Vec<u8>>| {
        arg.is_none_or(|arg| TIMEOUTS.iter().any(|timeout| timeout.as_bytes() == arg))
    };
    // Longer than a sequence takes; what is over is over at once.
    let is_far = |at: usize| number(at).is_none_or(|time| time <= 0 || time > 150_000);
    let has = |word: &str| args.iter().any(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    match name.as_str() {
        "spop" => {
            args.len() > 3 || args.len() == 3 && number(2).is_none_or(|count| count <= 0 || count > 1000)
        }
        "expire" | "pexpire" | "hexpire" | "hpexpire" | "setex" | "psetex" => is_far(2),
        // And what is too far is over for Redis.
        "restore" => is_far(2) && number(2).is_none_or(|time| time < 1 << 60),
        // Now, give or take years, in seconds and in milliseconds.
        "expireat" | "pexpireat" | "hexpireat" | "hpexpireat" => number(2).is_none_or(|time| {
            !(1_500_000_000..3_900_000_000).contains(&time)
                && !(1_500_000_000_000..3_900_000_000_000).contains(&time)
        }),
        "set" => (3..args.len()).all(is_far),
        "getex" => (2..args.len()).all(is_far),
        "hgetex" | "hsetex" => {
            let is_time =
                |word: &[u8]| [&b"EX"[..], b"PX"].iter().any(|time| word.eq_ignore_ascii_case(time));
            (2..args.len()).all(|at| !is_time(&args[at - 1]) || is_far(at))
        }
        "wait" => args.len() != 3 || number(1) == Some(0) && number(2) == Some(1),
        // Beyond what either can hold, and what only this server has.
        "config" => (2..args.len()).all(|at| number(at).is_none_or(|n| n < 1 << 63)) && !has("PERSIST"),
        // An older Redis sets a name before it finds out that what follows is wrong.
        "hello" => args.len() <= 4,
        // And it wants an argument for the command.
        "command" if has("GETKEYS") => args.len() > 3 && !has("ZRANK") && !has("ZREVRANK"),
        // Nobody who is there.
        "client" if has("KILL") => number(3).is_none_or(|client| client > 100_000),
        // Which element that is overflows in Redis.
        "lset" | "lindex" | "lrem" => number(2).is_none_or(|index| index.unsigned_abs() < 1 << 60),
        // A cursor that no server gave.
        "scan" => number(1).is_none_or(|cursor| cursor <= 0),
        "sscan" | "hscan" | "zscan" => number(2).is_none_or(|cursor| cursor <= 0),
        // So much would be made.
        "setrange" | "setbit" => number(2).is_none_or(|offset| !(10_000..(1 << 29) + 1).contains(&offset)),
        "blpop" | "brpop" | "blmove" | "brpoplpush" | "bzpopmin" | "bzpopmax" => is_timeout(args.last()),
        "blmpop" | "bzmpop" => is_timeout(args.get(1)),
        // Which of two equal weights comes first is up to the sorting algorithm.
        "sort" => !(has("STORE") && has("BY") && has("ALPHA")),
        name => !FORBIDDEN.contains(&name),
    }
}
