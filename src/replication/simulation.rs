//! A few servers, many histories: writes, kills, restarts, promotions, changes of primaries and lost machines, chosen by
//! a seed, one step at a time.
//!
//! What decides, copies, rewinds and installs is the code of the servers; only their sockets and threads are left out,
//! so that a seed repeats what happened. The checker looks from outside: whenever one server is to go on in the log of
//! another, the two logs must be the same byte for byte up to there; and whenever it has all that the other has, their
//! databases must hold the same.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::MmapRaw;

use crate::clock::Millis;
use crate::command::context::Context;
use crate::engine::{CompactionOptions, Engine, EngineOptions};
use crate::log::{
    Chunk, FsyncPolicy, HistoryName, Location, LogOptions, LogReader, OsStorage, ReadError, Storage,
};
use crate::lsn::Lsn;
use crate::replication::copy::take_log;
use crate::replication::decide::{Decision, Line, decide};
use crate::replication::frame::{self, Frame};
use crate::replication::incoming::Incoming;
use crate::replication::source::OpenSnapshot;
use crate::replication::tail::own;
use crate::replication::{OpenWish, Opener, install};
use crate::settings::Settings;
use crate::store::version::Value;

const SERVERS: usize = 3;
const STEPS: usize = 150;
const SEEDS: u64 = 8;
const PIECE_BYTES: usize = 3000;
const KEYS: u64 = 30;

/// The system without its syncs, and with a boot id that changes when the machine is lost.
#[derive(Debug, Default)]
struct Machine(AtomicU64);

impl Storage for Machine {
    fn boot_id(&self) -> u128 {
        // Why of the real one: what is received is marked with that.
        OsStorage.boot_id().wrapping_add(u128::from(self.0.load(Ordering::Relaxed)))
    }
    fn allocate(&self, file: &File, path: &Path, bytes: u64) -> std::io::Result<()> {
        OsStorage.allocate(file, path, bytes)
    }
    fn sync_file(&self, _: &File, _: &Path) -> std::io::Result<()> {
        Ok(())
    }
    fn sync_range(&self, _: &MmapRaw, _: &Path, _: usize, _: usize) -> std::io::Result<()> {
        Ok(())
    }
    fn sync_dir(&self, _: &Path) -> std::io::Result<()> {
        Ok(())
    }
    fn remove(&self, path: &Path) -> std::io::Result<()> {
        OsStorage.remove(path)
    }
}

/// Numbers that a seed repeats (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

/// A link on which the log comes.
struct Link {
    /// What it comes from: the link ends with it.
    from: Arc<Engine>,
    at: Lsn,
    told: Option<Chunk>,
    pending: Vec<u8>,
    reader: LogReader,
}

struct Server {
    folder: tempfile::TempDir,
    machine: Arc<Machine>,
    context: Arc<Context>,
    opener: Opener,
    follows: Option<usize>,
    accepts: Option<HistoryName>,
    link: Option<Link>,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (dbfile, machine) = (folder.path().join("data.db"), Arc::<Machine>::default());
        let storage = Arc::clone(&machine);
        let opener: Opener = Box::new(move |wish: OpenWish| {
            let log = LogOptions {
                segment_bytes: 64 << 10,
                blob_bytes: 4 << 10,
                payload_bytes_max: 1 << 19,
                window_bytes: 16 << 10,
                fsync: FsyncPolicy::No,
                spare_segments_max: 0,
                storage: Arc::clone(&storage) as Arc<dyn Storage>,
                ..LogOptions::new(Location::Files { dbfile: dbfile.clone() })
            };
            let options = EngineOptions {
                databases: 1,
                compaction: CompactionOptions { percentage: 0, bytes_min: 0 },
                hash_seed: wish.hash_seed,
                follows: wish.follows,
                ..EngineOptions::new(log)
            };
            Engine::open(options, &|_| {}).map(|(engine, _)| engine)
        });
        let engine = opener(OpenWish::default()).expect("a database");
        let context = Arc::new(Context::new(engine, Arc::new(Settings::default())));
        Self { folder, machine, context, opener, follows: None, accepts: None, link: None }
    }

    fn engine(&self) -> Arc<Engine> {
        self.context.database()
    }

    fn files(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.folder.path()).expect("the folder");
        let mut files: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
        files.retain(|path| !path.to_string_lossy().ends_with(".lock"));
        files
    }

    fn reopen(&mut self) {
        self.link = None;
        let follows = self.follows.is_some();
        let engine = (self.opener)(OpenWish { follows, ..OpenWish::default() }).expect("it opens");
        self.context.replace_database(engine);
    }

    fn restart(&mut self) {
        self.engine().stop().expect("it closes");
        self.reopen();
    }

    /// Dies where it is; files keep their inodes, so that recovery takes them for its own.
    fn kill(&mut self) {
        // Why some may be gone: a file may be renamed or removed between its listing and its reading.
        let read = |path: PathBuf| Some((path.clone(), std::fs::read(&path).ok()?));
        let image: Vec<_> = self.files().into_iter().filter_map(read).collect();
        self.engine().stop().expect("it closes");
        for path in self.files() {
            if !image.iter().any(|(kept, _)| *kept == path) {
                std::fs::remove_file(path).expect("removed");
            }
        }
        for (path, bytes) in image {
            let file = File::options().write(true).create(true).truncate(false).open(path).expect("a file");
            file.set_len(bytes.len() as u64).expect("cut");
            file.write_all_at(&bytes, 0).expect("written");
        }
        self.reopen();
    }

    fn promote(&mut self) {
        (self.link, self.accepts) = (None, None);
        if self.follows.take().is_some() {
            let engine = self.engine();
            engine.begin_history().expect("room");
            engine.log().set_tailing(false).expect("a log");
            engine.set_follows(false).expect("a log");
        }
    }

    fn follow(&mut self, whom: usize) {
        (self.link, self.follows) = (None, Some(whom));
        let engine = self.engine();
        engine.set_follows(true).expect("a log");
        engine.log().set_tailing(true).expect("a log");
    }

    fn contents(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let engine = self.engine();
        let mut found = BTreeMap::new();
        engine.walk_keys(0, b"", &mut |key| {
            found.insert(key.to_vec(), Vec::new());
            true
        });
        let mut batch = engine.batch(Millis::now(), false);
        for (key, value) in &mut found {
            let read = batch.run(|txn| {
                let live = txn.peek_string(0, key).expect("a string").expect("a key");
                Ok::<_, Infallible>(live.value.bytes(&mut itoa::Buffer::new()).to_vec())
            });
            let Ok(read) = read.expect("it reads");
            *value = read;
        }
        found
    }
}

/// All of them, and what happened.
struct World {
    servers: Vec<Server>,
    dice: Dice,
    counts: BTreeMap<&'static str, u32>,
}

impl World {
    fn new(seed: u64) -> Self {
        let servers = (0..SERVERS).map(|_| Server::new()).collect();
        let mut world = Self { servers, dice: Dice(seed), counts: BTreeMap::new() };
        for replica in 1..SERVERS {
            world.servers[replica].follow(0);
        }
        world
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn step(&mut self) {
        let who = self.dice.below(SERVERS as u64) as usize;
        match self.dice.below(100) {
            0..35 => self.write(who),
            35..75 => self.copy(who),
            75..79 => self.servers[who].kill(),
            79..82 => self.servers[who].restart(),
            82..84 => {
                println!("{who} loses its machine");
                self.servers[who].machine.0.fetch_add(1, Ordering::Relaxed);
                self.servers[who].kill();
            }
            84..88 => {
                println!("{who} is promoted");
                self.servers[who].promote();
            }
            88..92 => {
                let whom = (who + 1 + self.dice.below(SERVERS as u64 - 1) as usize) % SERVERS;
                if !self.is_above(who, whom) {
                    self.servers[who].follow(whom);
                }
            }
            92..95 => self.servers[who].engine().snapshot_blocking().expect("room"),
            _ => self.servers[who].link = None,
        }
    }

    /// Whether `who` is among those that `whom` follows: then a link between them would close a loop.
    fn is_above(&self, who: usize, whom: usize) -> bool {
        std::iter::successors(Some(whom), |at| self.servers[*at].follows).any(|at| at == who)
    }

    fn write(&mut self, who: usize) {
        if self.servers[who].follows.is_some() {
            return;
        }
        let engine = self.servers[who].engine();
        for _ in 0..=self.dice.below(6) {
            let (key, what, size) = (self.dice.below(KEYS), self.dice.below(10), self.dice.below(40));
            let key = format!("key:{key}");
            let value = format!("{who}:{}", self.dice.below(1 << 40))
                .repeat(1 + size as usize * usize::from(what == 9) * 50);
            let mut batch = engine.batch(Millis::now(), false);
            let wrote = batch.run(|txn| {
                match what {
                    0 => drop(txn.delete(0, key.as_bytes())),
                    1..4 => drop(txn.append(0, key.as_bytes(), value.as_bytes())),
                    _ => txn.put(0, key.as_bytes(), Value::Str(value.as_bytes()), None),
                }
                Ok::<_, Infallible>(())
            });
            let Ok(()) = wrote.expect("a primary writes");
        }
    }

    /// One step of the link of `who`: where to go on, or some more of the log.
    fn copy(&mut self, who: usize) {
        let Some(whom) = self.servers[who].follows else { return };
        if self.servers[who].link.is_none() {
            return self.greet(who, whom);
        }
        let (mine, theirs) = (self.servers[who].engine(), self.servers[whom].engine());
        let link = self.servers[who].link.as_mut().filter(|link| Arc::ptr_eq(&link.from, &theirs));
        let Some(link) = link else {
            self.servers[who].link = None;
            return;
        };
        let mut bytes = Vec::new();
        match link.reader.read(theirs.log(), link.at, PIECE_BYTES, &mut bytes) {
            Ok(Some(chunk)) => {
                if link.told != Some(chunk) {
                    link.told = Some(chunk);
                    let (first, end) = (chunk.first, chunk.end);
                    let (capacity, history) = (theirs.log().tail_segment().capacity, chunk.history);
                    let lineage = theirs.log().lineage_of(history);
                    let segment = Frame::Segment { first, end, capacity, history, lineage };
                    pass(&segment, |frame| take_log(&mine, &mut link.pending, frame).expect("it goes on"));
                }
                let log = Frame::Log { at: link.at, bytes: &bytes };
                pass(&log, |frame| take_log(&mine, &mut link.pending, frame).expect("it goes on"));
                link.at = Lsn::new(link.at.get() + bytes.len() as u64);
            }
            Ok(None) => {}
            Err(ReadError::Gone { .. }) => self.servers[who].link = None,
            Err(error) => panic!("{error}"),
        }
        let is_in_step = self.servers[who].link.as_ref().is_some_and(|link| link.pending.is_empty())
            && mine.log().head() == theirs.log().head();
        if is_in_step {
            self.count("in step");
            assert_eq!(self.servers[who].contents(), self.servers[whom].contents(), "{who} follows {whom}");
        }
    }

    fn greet(&mut self, who: usize, whom: usize) {
        let (mine, theirs) = (self.servers[who].engine(), self.servers[whom].engine());
        let log = theirs.log();
        let line = Line { history: log.history(), end: log.resolved(), lineage: log.lineage() };
        let own = own(&mine);
        let decision = decide(&own, &line, log.start(), self.servers[who].accepts);
        println!("{who} is to follow {whom}: {decision:?}");
        match decision {
            Decision::Continue => {
                self.count("gone on");
                same_logs(&mine, &theirs, own.line.end);
                self.servers[who].link = Some(Link {
                    from: Arc::clone(&theirs),
                    at: own.line.end,
                    told: None,
                    pending: Vec::new(),
                    reader: LogReader::default(),
                });
            }
            Decision::Rewind(to) => {
                self.count("rewound");
                same_logs(&mine, &theirs, to);
                let server = &self.servers[who];
                install::rewind((&server.context, &server.opener), to, &mut None).expect("it rewinds");
                assert_eq!(server.engine().log().head(), to);
            }
            Decision::Snapshot => {
                self.count("copied");
                self.servers[who].accepts = None;
                self.take_snapshot(who, whom);
            }
            Decision::Refuse(_) => {
                self.count("refused");
                if self.dice.below(2) == 0 {
                    self.servers[who].accepts = Some(line.history.name());
                }
            }
        }
    }

    fn take_snapshot(&mut self, who: usize, whom: usize) {
        let (mine, theirs) = (self.servers[who].engine(), self.servers[whom].engine());
        let (log, mut reader, mut bytes) = (theirs.log(), LogReader::default(), Vec::new());
        let is_whole = log.start() == Lsn::FIRST && theirs.snapshot_bounds().0 == Lsn::ZERO;
        let (mut incoming, mut at) = if is_whole {
            let mut incoming = Incoming::begin(&mine, frame::SnapshotId::default(), 0).expect("room");
            incoming.log_begins(Lsn::FIRST, Lsn::FIRST).expect("room");
            (incoming, Lsn::FIRST)
        } else {
            let dbfile = self.servers[whom].folder.path().join("data.db");
            let snapshot = OpenSnapshot::open(&dbfile).expect("a snapshot");
            let chunk = reader.read(log, snapshot.floor, 0, &mut bytes).expect("kept").expect("a segment");
            let mut incoming = Incoming::begin(&mine, snapshot.id, snapshot.bytes).expect("room");
            incoming.log_begins(chunk.first, snapshot.until).expect("room");
            let mut all = vec![0; snapshot.bytes as usize];
            snapshot.file.read_exact_at(&mut all, 0).expect("the snapshot");
            incoming.snapshot_bytes(&all).expect("room");
            (incoming, chunk.first)
        };
        let mut told = None;
        while !incoming.is_whole() {
            bytes.clear();
            let chunk = reader.read(log, at, PIECE_BYTES, &mut bytes).expect("kept").expect("a segment");
            if told != Some(chunk) {
                told = Some(chunk);
                let lineage = log.lineage_of(chunk.history);
                incoming.segment(chunk.first, chunk.end, chunk.history, lineage).expect("room");
            }
            incoming.log_bytes(at, &bytes).expect("in order");
            at = Lsn::new(at.get() + bytes.len() as u64);
        }
        let server = &self.servers[who];
        install::install((&server.context, &server.opener), incoming, theirs.hash_seed(), &mut None)
            .expect("it installs");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for (number, server) in self.servers.iter().enumerate() {
            let (engine, link) =
                (server.engine(), server.link.as_ref().map(|link| (link.at, link.pending.len())));
            let (start, own) = (engine.log().start(), own(&engine));
            eprintln!("{number}: follows {:?}, link {link:?}, log from {start}, {own:?}", server.follows);
        }
    }
}

/// Passes a frame as bytes.
fn pass(frame: &Frame<'_>, take: impl FnOnce(Frame<'_>) -> Option<crate::replication::tail::Ended>) {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    let (decoded, len) = frame::decode(&bytes).expect("whole").expect("all of it");
    assert_eq!(len, bytes.len());
    assert_eq!(take(decoded), None);
}

/// Looks whether two logs are the same up to a place, from where both are still there.
fn same_logs(a: &Engine, b: &Engine, to: Lsn) {
    let from = a.log().start().max(b.log().start());
    let read = |engine: &Engine| {
        let (mut reader, mut bytes, mut at) = (LogReader::default(), Vec::new(), from);
        while at < to {
            let most = (to.get() - at.get()) as usize;
            reader.read(engine.log(), at, most, &mut bytes).expect("it is there").expect("a segment");
            at = Lsn::new(from.get() + bytes.len() as u64);
        }
        bytes
    };
    if from < to {
        let (ours, theirs) = (read(a), read(b));
        let differs = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
        assert_eq!(differs, None, "the logs differ from {from} on, up to {to}");
    }
}

fn live(seed: u64) -> BTreeMap<&'static str, u32> {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    // In the end all follow one of them, whatever they had alone.
    let chosen = world.dice.below(SERVERS as u64) as usize;
    world.servers[chosen].promote();
    world.write(chosen);
    for replica in (0..SERVERS).filter(|other| *other != chosen) {
        world.servers[replica].follow(chosen);
        let end = world.servers[chosen].engine().log().head();
        let mut turns = 0;
        while world.servers[replica].link.is_none() || world.servers[replica].engine().log().head() < end {
            world.copy(replica);
            turns += 1;
            assert!(turns < 500, "{replica} does not catch up with {chosen}");
        }
        world.copy(replica);
        assert_eq!(world.servers[replica].contents(), world.servers[chosen].contents());
    }
    std::mem::take(&mut world.counts)
}

#[test]
fn whatever_becomes_of_a_few_servers_no_two_logs_differ_where_one_goes_on_in_the_other() {
    let named = std::env::var("GOREDIS_TEST_SEED").map(|text| text.parse().expect("a number"));
    // Why the same each time: each seed is a case that has passed, and others are for who looks for more.
    let seed = named.unwrap_or(0);
    for seed in seed..seed + SEEDS {
        println!("to repeat: GOREDIS_TEST_SEED={seed}");
        println!("{:?}", live(seed));
    }
}
