//! Plays a sequence to both servers and compares what they say.

use crate::compare::Mode;
use crate::contents;
use crate::events::{self, Event};
use crate::exceptions;
use crate::frame::{Connection, Frame, shown};
use crate::generate::{CLIENTS, Sequence, Step};
use crate::harness::request;
use crate::servers::{Pair, Side};
use crate::words::{DAMAGED, PAYLOAD};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// After it, what was to live for two or three milliseconds is dead, whichever moment began its last one.
const SHORT_LIFE: Duration = Duration::from_millis(8);

/// What is done when all commands were played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Both hold the same.
    Look,
    /// The same, and again after this server was killed and started again.
    Restart,
    /// The same with a snapshot before.
    SaveAndRestart,
}

/// Where the servers part.
#[derive(Debug)]
pub struct Difference {
    /// What was asked, or what was looked at.
    pub question: String,
    pub theirs: String,
    pub ours: String,
    /// The same for differences of one cause, if possible.
    pub signature: String,
    /// Commands up to and with this one matter; those after it were not looked at.
    pub steps: usize,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n    redis-server: {}\n    goredis:      {}", self.question, self.theirs, self.ours)
    }
}

/// A command as text.
pub fn line(args: &[Vec<u8>]) -> String {
    let quoted = |arg: &Vec<u8>| {
        let plain = !arg.is_empty() && arg.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'"');
        if plain && arg.len() <= 80 { shown(arg) } else { format!("\"{}\"", shown(arg)) }
    };
    args.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// What was seen while playing.
#[derive(Debug, Default)]
pub struct Tally {
    pub commands: u64,
    pub errors: u64,
    pub events: u64,
    /// How often each reason made a difference a meant one.
    pub excepted: BTreeMap<&'static str, u64>,
}

struct Player<'a> {
    pair: &'a mut Pair,
    tally: &'a mut Tally,
    /// What each client has queued since its MULTI.
    queued: [Vec<Vec<Vec<u8>>>; CLIENTS],
    /// Keys may have died. Either server counts them until it has removed them, which each does at another time.
    has_waited: bool,
    /// What follows means nothing.
    part_ways: bool,
}

/// Plays a sequence up to the first difference.
pub fn play(pair: &mut Pair, sequence: &Sequence, ending: Ending, tally: &mut Tally) -> Option<Difference> {
    pair.clear(sequence.version);
    let mut player = Player { pair, tally, queued: Default::default(), has_waited: false, part_ways: false };
    let mut at = 0;
    while at < sequence.steps.len() {
        let batch = batch_from(&sequence.steps[at..]);
        if let Some(difference) = player.batch(batch, at) {
            return Some(difference);
        }
        if player.part_ways {
            return None;
        }
        at += batch.len();
    }
    player.end(ending, at)
}

/// The steps that are sent together.
fn batch_from(steps: &[Step]) -> &[Step] {
    let mut length = 1;
    while length < steps.len()
        && steps[length].client == steps[0].client
        && !steps[length - 1].ends_batch
        && !is_alone(&steps[length - 1])
        && !is_alone(&steps[length])
    {
        length += 1;
    }
    &steps[..length]
}

/// Whether a step needs more than to be sent.
fn is_alone(step: &Step) -> bool {
    is_scan(step) || step.args.iter().any(|arg| payload_key(arg).is_some())
}

fn is_scan(step: &Step) -> bool {
    matches!(Mode::of(&step.args), Mode::Scan | Mode::ScanPairs)
}

/// The key whose payload an argument stands for.
fn payload_key(arg: &[u8]) -> Option<&[u8]> {
    arg.strip_prefix(PAYLOAD).or_else(|| arg.strip_prefix(DAMAGED))
}

impl Player<'_> {
    fn batch(&mut self, batch: &[Step], first: usize) -> Option<Difference> {
        let client = batch[0].client;
        if batch.len() == 1 && is_scan(&batch[0]) {
            let step = &batch[0];
            let theirs = whole_scan(&mut self.pair.theirs.clients[client], &step.args);
            let ours = whole_scan(&mut self.pair.ours.clients[client], &step.args);
            return self.judge(step, first, &theirs, &ours);
        }
        let (mut to_theirs, mut to_ours) = (Vec::new(), Vec::new());
        for step in batch {
            to_theirs.extend(request(&with_payloads(&step.args, &mut self.pair.ours)));
            to_ours.extend(request(&with_payloads(&step.args, &mut self.pair.theirs)));
        }
        self.pair.theirs.clients[client].send(&to_theirs);
        self.pair.ours.clients[client].send(&to_ours);
        let mut difference = None;
        for (at, step) in batch.iter().enumerate() {
            let theirs = self.pair.theirs.clients[client].reply();
            let ours = self.pair.ours.clients[client].reply();
            // Why all are read: the connections go on being used.
            if difference.is_none() && !self.part_ways {
                difference = self.judge(step, first + at, &theirs, &ours);
            }
        }
        if batch.iter().any(|step| step.waits) {
            std::thread::sleep(SHORT_LIFE);
            self.has_waited = true;
        }
        difference
    }

    /// What is wrong with a pair of replies.
    fn judge(&mut self, step: &Step, at: usize, theirs: &Frame, ours: &Frame) -> Option<Difference> {
        self.tally.commands += 1;
        self.tally.errors += u64::from(theirs.error().is_some());
        if theirs.is_queued() && ours.is_queued() {
            self.queued[step.client].push(step.args.clone());
            return None;
        }
        let name = step.args[0].to_ascii_lowercase();
        let ends_multi = step.args.len() == 1 && matches!(name.as_slice(), b"exec" | b"discard" | b"reset");
        let queued = if ends_multi { std::mem::take(&mut self.queued[step.client]) } else { Vec::new() };
        let (inner, our_inner) = (theirs.parts(), ours.parts());
        if !inner.is_empty() && inner.len() == queued.len() && our_inner.len() == queued.len() {
            let mut replies = queued.iter().zip(inner.iter().zip(our_inner));
            return replies
                .find_map(|(args, (theirs, ours))| self.parting(args, " in EXEC", theirs, ours, at));
        }
        self.parting(&step.args, "", theirs, ours, at)
    }

    fn parting(
        &mut self,
        args: &[Vec<u8>],
        where_to: &str,
        theirs: &Frame,
        ours: &Frame,
        at: usize,
    ) -> Option<Difference> {
        let counts_dead = self.has_waited && args[0].eq_ignore_ascii_case(b"dbsize");
        let mode = if counts_dead { Mode::Kind } else { Mode::of(args) };
        if mode.agree(theirs, ours) {
            return None;
        }
        if let Some(exception) = exceptions::cover(args, theirs, ours) {
            *self.tally.excepted.entry(exception.reason).or_default() += 1;
            self.part_ways |= exception.parts_ways;
            return None;
        }
        let name = String::from_utf8_lossy(&args[0]).to_uppercase();
        Some(Difference {
            question: format!("{}{where_to}", line(args)),
            theirs: theirs.to_string(),
            ours: ours.to_string(),
            signature: format!("{name} {} {}", theirs.sketch(), ours.sketch()),
            steps: at + 1,
        })
    }

    /// Compares what both hold when all was played.
    fn end(&mut self, ending: Ending, steps: usize) -> Option<Difference> {
        let theirs = contents::of(&mut self.pair.theirs.onlooker);
        let ours = contents::of(&mut self.pair.ours.onlooker);
        let parted = |after: &str, (key, theirs, ours): (String, String, String)| Difference {
            question: format!("{key}{after}"),
            signature: format!("contents{after} {} {}", first_word(&theirs), first_word(&ours)),
            theirs,
            ours,
            steps,
        };
        let told = events::heard(&mut self.pair.theirs);
        self.tally.events += told.len() as u64;
        if let Some((number, theirs, ours)) = events::difference(&told, &events::heard(&mut self.pair.ours)) {
            let word = |event: Option<&Event>| event.map_or("none", |event| &event.name).to_owned();
            let told = |event: Option<&Event>| event.map_or("none".to_owned(), ToString::to_string);
            return Some(Difference {
                question: format!("event {number}"),
                signature: format!("events {} {}", word(theirs), word(ours)),
                theirs: told(theirs),
                ours: told(ours),
                steps,
            });
        }
        let difference = contents::difference(&theirs, &ours, true).map(|found| parted("", found));
        if difference.is_some() || ending == Ending::Look {
            return difference;
        }
        if ending == Ending::SaveAndRestart {
            let saved = self.pair.ours.onlooker.ask("SAVE");
            assert!(saved.error().is_none(), "SAVE: {saved}");
        }
        self.pair.kill_and_restart();
        let found = contents::of(&mut self.pair.ours.onlooker);
        // Why without encodings: what has shrunk is kept as small when it is loaded, and here only then.
        contents::difference(&theirs, &found, false).map(|found| parted(" after a restart", found))
    }
}

fn first_word(text: &str) -> &str {
    text.split(',').next().unwrap_or_default()
}

/// Asks until the cursor comes back to its start; answers all that was found.
fn whole_scan(client: &mut Connection, args: &[Vec<u8>]) -> Frame {
    let cursor_at = if args[0].eq_ignore_ascii_case(b"scan") { 1 } else { 2 };
    let mut args = args.to_vec();
    let mut all = Vec::new();
    loop {
        let reply = client.call(&args);
        let [cursor, found] = reply.parts() else { return reply };
        all.extend_from_slice(found.parts());
        if cursor.bytes() == b"0" {
            return Frame::Many(b'*', vec![cursor.clone(), Frame::Many(b'*', all)]);
        }
        args[cursor_at] = cursor.bytes().to_vec();
    }
}

/// The arguments with what they stand for, payloads by the server that is not asked.
fn with_payloads(args: &[Vec<u8>], from: &mut Side) -> Vec<Vec<u8>> {
    let mut args = args.to_vec();
    for arg in &mut args {
        let Some(key) = payload_key(arg) else { continue };
        let mut payload = from.onlooker.call(&[&b"DUMP"[..], key]).bytes().to_vec();
        if arg.starts_with(DAMAGED) && !payload.is_empty() {
            let middle = payload.len() / 2;
            payload[middle] ^= 1;
        }
        *arg = payload;
    }
    args
}
