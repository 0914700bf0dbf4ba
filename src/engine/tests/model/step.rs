//! What the model test does, drawn at random.

use quickcheck::{Arbitrary, Gen};

use super::naive::Entry;
use super::thing::Edit;
use crate::engine::DbIndex;

pub(super) const DATABASES: DbIndex = 3;

/// One of a few keys, short and long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key(u8);

const LONG: [u8; 5000] = [b'L'; 5000];

impl Key {
    pub(super) const ALL: [Self; 8] =
        [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5), Self(6), Self(7)];

    pub(super) fn bytes(self) -> &'static [u8] {
        match self.0 {
            0 => b"",
            1 => b"a",
            2 => b"ab",
            3 => b"k:1",
            4 => b"k:2",
            5 => &[0, 255, 10],
            6 => &LONG[..4096],
            _ => &LONG,
        }
    }
}

impl Arbitrary for Key {
    fn arbitrary(random: &mut Gen) -> Self {
        *random.choose(&Self::ALL).unwrap()
    }
}

/// A value of some length: integers, and strings in every form that the store and the log know.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Int(i64),
    Bytes(u8, usize),
}

impl Text {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match *self {
            Self::Int(n) => n.to_string().into_bytes(),
            Self::Bytes(fill, len) => (0..len).map(|at| fill.wrapping_add(at as u8)).collect(),
        }
    }
}

impl Arbitrary for Text {
    fn arbitrary(random: &mut Gen) -> Self {
        let ints = [0, 7, -1, 99, i64::MAX, i64::MIN];
        // Around the limits of an embedded string, of a blob and of a shared string.
        let lens = [0, 1, 5, 44, 45, 300, 4000, 4072, 4096, 5000, 16_384, 16_385, 20_000];
        match u8::arbitrary(random) % 3 {
            0 => Self::Int(*random.choose(&ints).unwrap()),
            1 => Self::Bytes(u8::arbitrary(random), usize::from(u8::arbitrary(random) % 12)),
            _ => Self::Bytes(u8::arbitrary(random), *random.choose(&lens).unwrap()),
        }
    }
}

/// An operation on one key.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Get,
    Put(Text, Option<u16>),
    Append(Text),
    SetRange(u8, Text),
    Increment(i64),
    Delete,
    Expire(Option<u16>),
    Edit(Edit),
    Rename(DbIndex, Key),
    Copy(DbIndex, Key),
}

fn ttl(random: &mut Gen) -> Option<u16> {
    let ttl = *random.choose(&[0, 1, 10, 500, 60_000]).unwrap();
    bool::arbitrary(random).then_some(ttl)
}

impl Arbitrary for Op {
    fn arbitrary(random: &mut Gen) -> Self {
        match u8::arbitrary(random) % 32 {
            16..29 => Self::Edit(Edit::arbitrary(random)),
            29 | 30 => Self::Rename(db(random), Key::arbitrary(random)),
            31 => Self::Copy(db(random), Key::arbitrary(random)),
            0..5 => Self::Put(Text::arbitrary(random), ttl(random).map(|ttl| ttl.max(1))),
            5 | 6 => Self::Append(Text::arbitrary(random)),
            7 => Self::SetRange(u8::arbitrary(random), Text::arbitrary(random)),
            8 | 9 => Self::Increment(*random.choose(&[1, -1, 41, i64::MAX]).unwrap()),
            10..13 => Self::Delete,
            13 | 14 => Self::Expire(ttl(random)),
            _ => Self::Get,
        }
    }
}

/// A piece of a transaction.
#[derive(Clone, Debug)]
pub(super) enum Work {
    Op(DbIndex, Key, Op),
    Flush(Option<DbIndex>),
    Swap(DbIndex, DbIndex),
}

fn db(random: &mut Gen) -> DbIndex {
    DbIndex::arbitrary(random) % DATABASES
}

fn op(random: &mut Gen) -> Work {
    Work::Op(db(random), Key::arbitrary(random), Op::arbitrary(random))
}

fn structure(random: &mut Gen) -> Work {
    match u8::arbitrary(random) % 8 {
        0 => Work::Flush(None),
        1 => Work::Flush(Some(db(random))),
        2 | 3 => Work::Swap(db(random), db(random)),
        _ => op(random),
    }
}

fn several(random: &mut Gen, max: u8, mut make: impl FnMut(&mut Gen) -> Work) -> Vec<Work> {
    (0..=u8::arbitrary(random) % max).map(|_| make(random)).collect()
}

/// One step of the test.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A transaction.
    Work(Vec<Work>),
    /// Commands on one key that run together.
    Group(DbIndex, Key, Vec<Op>),
    /// A transaction that runs alone, and may change the databases.
    Alone(Vec<Work>),
    /// So many milliseconds pass.
    Wait(u16),
    /// The key is removed if its time has come, as the expirer does it.
    Reap(DbIndex, Key),
    /// SCAN, KEYS and DBSIZE of a database.
    List(DbIndex),
    /// A snapshot.
    Snapshot,
    /// A snapshot while these transactions run.
    SnapshotDuring(Vec<Vec<Work>>),
    /// Closed and opened.
    Restart,
    /// Killed and opened.
    Kill,
    /// Opened on another machine, with the log cut at this part of what is not durable.
    Lose(u16),
}

impl Arbitrary for Step {
    fn arbitrary(random: &mut Gen) -> Self {
        match u8::arbitrary(random) % 64 {
            0..20 => Self::Work(vec![op(random)]),
            20..28 => {
                let ops = (0..2 + u8::arbitrary(random) % 20).map(|_| Op::arbitrary(random));
                let mut ops: Vec<_> = ops.collect();
                if bool::arbitrary(random) {
                    // Why: of other types most are refused, and so a large one would hardly ever be changed often.
                    ops.retain(|op| matches!(op, Op::Get | Op::Edit(_) | Op::Increment(_)));
                }
                Self::Group(db(random), Key::arbitrary(random), ops)
            }
            28..42 => Self::Work(several(random, 16, op)),
            42..48 => Self::Alone(several(random, 6, structure)),
            48..51 => Self::Wait(*random.choose(&[1, 9, 499, 60_000]).unwrap()),
            51 | 52 => Self::Reap(db(random), Key::arbitrary(random)),
            53 | 54 => Self::List(db(random)),
            55 | 56 => Self::Snapshot,
            57 | 58 => {
                let mut make =
                    |random: &mut Gen| if bool::arbitrary(random) { op(random) } else { structure(random) };
                Self::SnapshotDuring((0..30).map(|_| several(random, 3, &mut make)).collect())
            }
            59 => Self::Restart,
            60 | 61 => Self::Kill,
            _ => Self::Lose(u16::arbitrary(random)),
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self.clone() {
            Self::Work(work) if work.len() > 1 => {
                Box::new((0..work.len()).map(move |at| Self::Work(without(&work, at))))
            }
            Self::Alone(work) if work.len() > 1 => {
                Box::new((0..work.len()).map(move |at| Self::Alone(without(&work, at))))
            }
            Self::Group(db, key, ops) if ops.len() > 1 => Box::new((0..ops.len()).map(move |at| {
                let mut rest = ops.clone();
                rest.remove(at);
                Self::Group(db, key, rest)
            })),
            _ => quickcheck::empty_shrinker(),
        }
    }
}

fn without(work: &[Work], at: usize) -> Vec<Work> {
    let mut rest = work.to_vec();
    rest.remove(at);
    rest
}

/// What an operation answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Entry(Option<Entry>),
    Number(i64),
    Flag(bool),
    Refused,
}
