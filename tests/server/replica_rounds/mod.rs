//! A primary and its replica under write load, a hundred times killed, cut off, deceived or told to exchange their
//! roles. No second snapshot is taken, what WAIT has confirmed is never lost, and in the end both hold the same: as
//! clients see it, and record by record in their logs.
//!
//! `GOREDIS_TEST_SEED` repeats the choices (the moments stay the machine's), `GOREDIS_TEST_REPLICA_ROUNDS` sets how many
//! there are.

mod writers;

use crate::harness::{Cable, Launch, Reply, Server, until};
use crate::kill_rounds::random::Random;
use crate::kill_rounds::{fresh_seed, variable};
use crate::replication::pair::{contents, field, follow, in_step};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;
use writers::{Field, Writer, make_noise};

const ROUNDS: u64 = 100;
const WRITERS: u64 = 2;
/// How much of the ends of the two logs is compared record by record.
const COMPARED_BYTES: u64 = 4 << 20;

/// What happens to the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    PrimaryKilled,
    ReplicaKilled,
    BothKilled,
    Cut,
    Silent,
    Delayed,
    ByteChanged,
    LinkKilled,
    HandedOver,
    Promoted,
    PromotedAfterAKill,
}

impl Event {
    fn choose(random: &mut Random) -> Self {
        match random.below(24) {
            0..3 => Self::PrimaryKilled,
            3..6 => Self::ReplicaKilled,
            6 => Self::BothKilled,
            7..10 => Self::Cut,
            10 => Self::Silent,
            11..13 => Self::Delayed,
            13..16 => Self::ByteChanged,
            16..18 => Self::LinkKilled,
            18..20 => Self::HandedOver,
            20..22 => Self::Promoted,
            _ => Self::PromotedAfterAKill,
        }
    }
}

/// A server that is started again and again in its folder.
struct Node {
    launch: Launch,
    server: Server,
}

impl Node {
    fn start(launch: Launch, role: &[&str]) -> Self {
        let server = launch.clone().with(role).start();
        Self { launch, server }
    }

    fn restart(&mut self, role: &[&str]) {
        self.server.kill();
        self.server = self.launch.clone().with(role).start();
    }
}

/// The two, and what lies between them: the replica reaches its primary only through the cable.
struct Pair<'f> {
    primary: Node,
    replica: Node,
    cable: Cable,
    field: &'f Field,
    follows: String,
}

impl<'f> Pair<'f> {
    fn start(field: &'f Field) -> Self {
        // Why small segments: their ends are met often.
        let launch = || {
            Launch::persistent(&["-segment-bytes", "4mb", "-repl-timeout", "2", "-repl-backlog-size", "1gb"])
        };
        let primary = Node::start(launch(), &[]);
        let cable = Cable::to(primary.server.port());
        let follows = format!("127.0.0.1:{}", cable.port());
        let replica = Node::start(launch(), &["-replicaof", &follows]);
        in_step(&primary.server, &replica.server, "both");
        let mut pair = Self { primary, replica, cable, field, follows };
        // Why: from here on not one snapshot is taken, so that every count is 0.
        pair.restart_primary();
        pair
    }

    fn restart_primary(&mut self) {
        self.primary.restart(&[]);
        self.lead_to_primary();
    }

    fn restart_replica(&mut self) {
        let follows = self.follows.clone();
        self.replica.restart(&["-replicaof", &follows]);
    }

    fn lead_to_primary(&mut self) {
        let port = self.primary.server.port();
        self.cable.lead_to(port);
        self.field.port.store(port, Ordering::Relaxed);
    }

    fn suffer(&mut self, event: Event, random: &mut Random) {
        match event {
            Event::PrimaryKilled => self.restart_primary(),
            Event::ReplicaKilled => self.restart_replica(),
            Event::BothKilled => {
                self.replica.server.kill();
                self.restart_primary();
                self.restart_replica();
            }
            Event::Cut => self.cable.cut(),
            Event::Silent => self.cable.silence(),
            Event::Delayed => self.cable.delay(Duration::from_millis(1 + random.below(30))),
            Event::ByteChanged => {
                self.cable.change_a_byte(random.next());
                until("a byte that is changed", || self.cable.has_changed_it());
            }
            Event::LinkKilled => {
                self.primary.server.connect().ask("CLIENT KILL TYPE replica");
            }
            Event::HandedOver => self.hand_over(),
            Event::Promoted => {
                self.promote();
                follow(&self.replica.server, self.cable.port());
            }
            Event::PromotedAfterAKill => {
                self.primary.server.kill();
                self.promote();
                self.restart_replica();
            }
        }
    }

    /// Makes the replica the primary, and gives the old one its role.
    fn promote(&mut self) {
        self.replica.server.connect().talk(&[("REPLICAOF NO ONE", "+OK\r\n")]);
        std::mem::swap(&mut self.primary, &mut self.replica);
        self.lead_to_primary();
    }

    fn hand_over(&mut self) {
        let role = |node: &Node| field(&mut node.server.connect(), "replication", "role");
        until("a failover", || {
            let mut wire = self.primary.server.connect();
            if field(&mut wire, "replication", "master_failover_state") == "no-failover" {
                wire.ask("FAILOVER TIMEOUT 2000");
            }
            role(&self.replica) == "master"
        });
        until("the end of the failover", || role(&self.primary) == "slave");
        std::mem::swap(&mut self.primary, &mut self.replica);
        self.lead_to_primary();
        follow(&self.replica.server, self.cable.port());
    }

    /// Waits until WAIT confirms again, and looks that nothing was copied as a whole.
    fn recover(&self) {
        let before = self.field.confirmations.load(Ordering::Relaxed);
        until("a write that a replica has", || {
            self.field.confirmations.load(Ordering::Relaxed) > before + WRITERS
        });
        for node in [&self.primary, &self.replica] {
            assert_eq!(
                field(&mut node.server.connect(), "stats", "sync_full"),
                "0",
                "{}",
                node.server.messages()
            );
        }
        self.cable.delay(Duration::ZERO);
    }
}

impl Drop for Pair<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for node in [&self.primary, &self.replica] {
            let info = node.server.try_connect().map(|mut wire| wire.ask("INFO replication").text());
            eprintln!("{}\n{}", node.server.messages(), info.unwrap_or_default());
        }
    }
}

#[test]
fn a_hundred_kills_cuts_and_changes_of_roles_lose_nothing_and_copy_nothing_twice() {
    let seed = variable("GOREDIS_TEST_SEED").unwrap_or_else(fresh_seed);
    let rounds = variable("GOREDIS_TEST_REPLICA_ROUNDS").unwrap_or(ROUNDS);
    println!("{rounds} rounds of replication: GOREDIS_TEST_SEED={seed}");
    let mut random = Random::new(seed);
    let shared = Field::default();
    let mut pair = Pair::start(&shared);
    let mut writers: Vec<Writer> = (0..WRITERS).map(Writer::new).collect();
    let mut events = BTreeMap::<Event, u32>::new();
    std::thread::scope(|scope| {
        let _over = Over(&shared);
        let shared = &shared;
        for writer in &mut writers {
            scope.spawn(|| writer.work(shared));
        }
        let noise = random.next();
        scope.spawn(move || make_noise(shared, noise));
        for round in 0..rounds {
            std::thread::sleep(Duration::from_millis(random.below(60)));
            let event = Event::choose(&mut random);
            println!("{round}: {event:?}");
            *events.entry(event).or_default() += 1;
            pair.suffer(event, &mut random);
            pair.recover();
        }
    });
    let confirmed: usize = writers.iter().map(Writer::confirmed).sum();
    println!("{confirmed} writes were confirmed by WAIT, through {events:?}");
    assert!(confirmed as u64 > 8 * rounds, "too little happened to show anything");
    compare(pair, &writers);
}

/// Ends the clients, also when something fails.
struct Over<'f>(&'f Field);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// Looks from outside whether both hold the same, and all that was confirmed.
fn compare(mut pair: Pair<'_>, writers: &[Writer]) {
    let (primary, replica) = (&pair.primary.server, &pair.replica.server);
    let mut wire = primary.connect();
    until("keys whose time has come to be gone", || wire.ask("KEYS brief:*") == Reply::Array(Vec::new()));
    in_step(primary, replica, "over");
    assert_eq!(contents(primary), contents(replica));
    for writer in writers {
        writer.check(primary);
        writer.check(replica);
    }
    let end: u64 = field(&mut wire, "replication", "master_repl_offset").parse().expect("a number");
    for node in [&mut pair.replica, &mut pair.primary] {
        node.server.kill();
    }
    let from = end.saturating_sub(COMPARED_BYTES);
    let [theirs, ours] = [&pair.primary, &pair.replica].map(|node| records(&node.launch, from, end));
    let differs = theirs.iter().zip(&ours).find(|(theirs, ours)| theirs != ours);
    assert!(differs.is_none(), "the logs differ: {differs:?}");
    assert_eq!(theirs.len(), ours.len());
    println!("{} records of both logs are the same", theirs.len());
}

/// The committed records of a log in a range, with what is in them.
fn records(launch: &Launch, from: u64, to: u64) -> Vec<String> {
    let program = env!("CARGO_BIN_EXE_goredis-log");
    let (from, to) = (from.to_string(), to.to_string());
    let output = Command::new(program)
        .args(["dump", "--payload-bytes", "64", "--from", &from, "--to", &to])
        .arg(launch.dbfile())
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter(|line| line.contains(" committed ")).map(str::to_owned).collect()
}
