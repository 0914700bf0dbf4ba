//! The engine and the map side by side.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::naive::{Entry, Naive};
use super::replica::Replica;
use super::step::{DATABASES, Key, Op, Reply, Step, Work};
use super::thing::Thing;
use crate::Db;
use crate::clock::Millis;
use crate::engine::tests::lab::{Lab, zero_from};
use crate::engine::{DbIndex, Engine, Txn};
use crate::lsn::Lsn;
use crate::store::version::{Value, canonical_int};

/// The year 2096: the engine's own clock never gets there.
const START: u64 = 4_000_000_000_000;

/// A database and the map that it must equal.
pub(super) struct Run {
    lab: Lab,
    db: Option<Db>,
    naive: Naive,
    now: u64,
    /// The log's head and the state after each step since the database was opened.
    past: Vec<(Lsn, Naive)>,
    /// Follows the database's log, and must equal it too.
    replica: Replica,
}

impl Run {
    pub(super) fn new() -> Self {
        let lab = Lab::new();
        let db = Some(lab.open());
        let naive = Naive::new(usize::from(DATABASES));
        let mut run = Self { lab, db, naive, now: START, past: Vec::new(), replica: Replica::new() };
        run.note();
        run
    }

    fn engine(&self) -> &Engine {
        self.db.as_ref().unwrap().engine()
    }

    fn note(&mut self) {
        self.past.push((self.engine().log.head(), self.naive.clone()));
    }

    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::Work(work) => self.work(&work, false),
            Step::Group(db, key, ops) => self.group(db, key, &ops),
            Step::Alone(work) => self.work(&work, true),
            Step::Wait(millis) => self.now += u64::from(millis),
            Step::Reap(db, key) => self.reap(db, key),
            Step::List(db) => self.list(db),
            Step::Snapshot => self.engine().snapshot_blocking().unwrap(),
            Step::SnapshotDuring(work) => self.snapshot_during(&work),
            Step::Restart => {
                self.db.take().unwrap().close().unwrap();
                self.reopen();
                self.replica.restart();
            }
            Step::Kill => {
                let image = self.lab.image();
                self.db = None;
                self.lab.restore(&image);
                self.reopen();
                self.replica.kill();
            }
            Step::Lose(part) => self.lose(part),
        }
        self.compare();
    }

    fn work(&mut self, work: &[Work], alone: bool) {
        let replies = apply(self.engine(), work, self.now, alone);
        assert_eq!(replies, self.naive.work(work, self.now), "{work:?}");
        self.note();
    }

    fn group(&mut self, db: DbIndex, key: Key, ops: &[Op]) {
        let mut batch = self.engine().batch(Millis(self.now), true);
        let replies = batch.run_group(None, |group| {
            let one = |op| match group.command(|txn| Ok::<_, Infallible>(apply_op(txn, db, key.bytes(), op)))
            {
                Ok(reply) => reply,
            };
            ops.iter().map(one).collect::<Vec<_>>()
        });
        drop(batch);
        let work: Vec<_> = ops.iter().map(|op| Work::Op(db, key, op.clone())).collect();
        assert_eq!(replies.unwrap(), Some(self.naive.work(&work, self.now)), "{work:?}");
        self.note();
    }

    fn reap(&mut self, db: DbIndex, key: Key) {
        let mut batch = self.engine().batch(Millis(self.now), false);
        let reaped = batch.run(|txn| {
            let reaped = txn.expire(db, key.bytes());
            // All of them, however many one write removes.
            let mut fields = std::iter::repeat_with(|| txn.expire_fields(db, key.bytes()).removed);
            Ok::<_, Infallible>(reaped || fields.by_ref().take_while(|&removed| removed > 0).count() > 0)
        });
        drop(batch);
        let Ok(reaped) = reaped.unwrap();
        assert_eq!(reaped, self.naive.reap(db, key, self.now));
        self.note();
    }

    fn snapshot_during(&mut self, work: &[Vec<Work>]) {
        let engine = std::sync::Arc::clone(self.db.as_ref().unwrap().engine());
        std::thread::scope(|scope| {
            let saving = scope.spawn(|| engine.snapshot_blocking());
            for work in work {
                let structural = work.iter().any(|item| !matches!(item, Work::Op(..)));
                self.work(work, structural);
            }
            saving.join().unwrap().unwrap();
        });
    }

    fn list(&mut self, db: DbIndex) {
        let now = self.now;
        let mut batch = self.engine().batch(Millis(now), false);
        let mut scanned = Vec::new();
        let mut cursor = 0;
        loop {
            let slice = batch.run(|txn| {
                let mut keys = Vec::new();
                let next = txn.scan(db, cursor, 2, &mut |key, _| keys.push(key.to_vec()));
                Ok::<_, Infallible>((next, keys))
            });
            let Ok(Ok((next, keys))) = slice else { unreachable!("nothing refuses a read") };
            scanned.extend(keys);
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        scanned.sort();
        assert_eq!(scanned, self.naive.keys(db, b"", now));
        for prefix in [&b""[..], b"a", b"k:", b"LL", b"none"] {
            let mut keys = Vec::new();
            let found = batch.run(|txn| {
                keys.clear();
                txn.keys(db, prefix, usize::MAX, &mut |key, _| {
                    keys.push(key.to_vec());
                    true
                });
                Ok::<_, Infallible>(())
            });
            assert!(matches!(found, Ok(Ok(()))));
            assert_eq!(keys, self.naive.keys(db, prefix, now));
        }
    }

    fn reopen(&mut self) {
        self.db = Some(self.lab.open());
        self.past.clear();
        self.note();
    }

    /// Opens the database on another machine, with the log cut.
    fn lose(&mut self, part: u16) {
        let mut image = self.lab.image();
        let (durable, head) = (self.engine().log.durable(), self.engine().log.head());
        self.db = None;
        let cut = Lsn::new(durable.get() + u64::from(part) % (head.get() - durable.get() + 1));
        zero_from(&mut image, cut);
        self.lab.restore(&image);
        self.lab.lose_machine();
        self.db = Some(self.lab.open());
        let found = dump(self.engine());
        let kept = self.past.iter().rposition(|(end, _)| *end <= cut).unwrap();
        // The record that was cut may have ended in zeros.
        let kept = if found == self.past[kept].1 { kept } else { kept + 1 };
        let state = self.past.get(kept).map(|(_, state)| state);
        assert_eq!(Some(&found), state, "cut at {cut} of {:?}", self.past.iter().map(|past| past.0));
        self.naive = found;
        self.replica.rewind_to(self.engine().log.head());
        self.past.clear();
        self.note();
    }

    fn compare(&mut self) {
        assert_eq!(dump(self.engine()), self.naive);
        self.check_counts(self.engine());
        let engine = std::sync::Arc::clone(self.db.as_ref().unwrap().engine());
        self.replica.catch_up(&engine, &self.lab.path);
        assert_eq!(dump(self.replica.engine()), self.naive, "on the replica");
        self.check_counts(self.replica.engine());
    }

    fn check_counts(&self, engine: &Engine) {
        let info = engine.info();
        for (db, map) in (0..).zip(&self.naive.databases) {
            let expires = map.values().filter(|entry| entry.expiry.is_some()).count() as u64;
            let told = info.databases.iter().find(|told| told.db == db);
            let told = told.map_or((0, 0), |told| (told.keys, told.expires));
            assert_eq!(told, (map.len() as u64, expires), "database {db}");
        }
    }
}

/// Everything that the engine holds, expired or not.
fn dump(engine: &Engine) -> Naive {
    let mut batch = engine.batch(Millis(0), false);
    let mut naive = Naive::new(usize::from(DATABASES));
    let read = batch.run(|txn| {
        for (db, map) in (0..).zip(&mut naive.databases) {
            *map = BTreeMap::new();
            txn.keys(db, b"", usize::MAX, &mut |key, live| {
                let value = Thing::of(live.value);
                map.insert(key.to_vec(), Entry { value, expiry: live.expiry.map(|end| end.0) });
                true
            });
            for key in Key::ALL {
                assert_eq!(txn.peek(db, key.bytes()).is_some(), map.contains_key(key.bytes()));
            }
        }
        Ok::<_, Infallible>(())
    });
    assert!(matches!(read, Ok(Ok(()))));
    naive
}

fn apply(engine: &Engine, work: &[Work], now: u64, alone: bool) -> Vec<Reply> {
    let mut batch = engine.batch(Millis(now), true);
    let mut f = |txn: &mut Txn<'_>| {
        let mut replies = Vec::new();
        for item in work {
            match *item {
                Work::Op(db, key, ref op) => replies.push(apply_op(txn, db, key.bytes(), op)),
                Work::Flush(db) => txn.flush(db),
                Work::Swap(a, b) => txn.swap(a, b),
            }
        }
        Ok::<_, Infallible>(replies)
    };
    let result = if alone { batch.run_alone(&mut f) } else { batch.run(&mut f) };
    let Ok(replies) = result.unwrap();
    replies
}

fn apply_op(txn: &mut Txn<'_>, db: DbIndex, key: &[u8], op: &Op) -> Reply {
    let now = txn.now();
    let after = |ttl: &u16| Millis(now.0 + u64::from(*ttl));
    match op {
        Op::Get => Reply::Entry(
            txn.get(db, key)
                .map(|live| Entry { value: Thing::of(live.value), expiry: live.expiry.map(|end| end.0) }),
        ),
        Op::Put(text, ttl) => {
            txn.put(db, key, Value::Str(&text.bytes()), ttl.as_ref().map(after));
            Reply::Flag(true)
        }
        Op::Append(text) => {
            txn.append(db, key, &text.bytes()).map_or(Reply::Refused, |len| Reply::Number(len as i64))
        }
        Op::SetRange(offset, text) => {
            let set = txn.set_range(db, key, usize::from(*offset), &text.bytes());
            set.map_or(Reply::Refused, |len| Reply::Number(len as i64))
        }
        Op::Edit(edit) => {
            edit.to_engine(txn, db, key).map_or(Reply::Refused, |len| Reply::Number(len as i64))
        }
        Op::Rename(to_db, to) | Op::Copy(to_db, to) => {
            if txn.peek(db, key).is_some() && (*to_db, to.bytes()) == (db, key) {
                return Reply::Refused;
            }
            Reply::Flag(if matches!(op, Op::Rename(..)) {
                txn.rename(db, key, (*to_db, to.bytes()))
            } else {
                txn.copy(db, key, (*to_db, to.bytes()))
            })
        }
        Op::Increment(by) => {
            let live = txn.get(db, key);
            let number = live.map_or(Some(0), |live| {
                live.value.string().and_then(|string| canonical_int(string.bytes(&mut itoa::Buffer::new())))
            });
            let Some(sum) = number.and_then(|number| number.checked_add(*by)) else { return Reply::Refused };
            txn.put(db, key, Value::Int(sum), live.and_then(|live| live.expiry));
            Reply::Number(sum)
        }
        Op::Delete => Reply::Flag(txn.delete(db, key)),
        Op::Expire(ttl) => Reply::Flag(txn.set_expiry(db, key, ttl.as_ref().map(after))),
    }
}
