//! A client that owns a database and writes down what it was told.

use super::model::{Entry, Model, Step, difference};
use super::random::Random;
use crate::harness::{Reply, Server, Wire};
use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

const PIPELINE_MAX: u64 = 16;

/// One client, across all lives of the server.
#[derive(Debug)]
pub struct Worker {
    db: usize,
    random: Random,
    /// What the database holds at least: every acknowledged step is in it.
    known: Model,
    /// Sent and not acknowledged, in order.
    open: VecDeque<Step>,
    acknowledged: usize,
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64
}

impl Worker {
    pub fn new(db: usize, seed: u64) -> Self {
        let random = Random::new(seed);
        Self { db, random, known: Model::default(), open: VecDeque::new(), acknowledged: 0 }
    }

    pub fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Sends pipelines until the server is gone.
    pub fn work(&mut self, mut wire: Wire) {
        assert!(self.open.is_empty(), "the last life was checked");
        if wire.try_send(format!("SELECT {}\r\n", self.db).as_bytes()).is_err() || wire.reply().is_err() {
            return;
        }
        let mut ahead = self.known.clone();
        loop {
            let mut bytes = Vec::new();
            for _ in 0..=self.random.below(PIPELINE_MAX) {
                let step = Step::choose(&mut self.random, &ahead, now_ms());
                step.apply(&mut ahead);
                bytes.extend(step.bytes());
                self.open.push_back(step);
            }
            // Why: what was sent in part counts as sent; the server may have got all of it.
            if wire.try_send(&bytes).is_err() {
                return;
            }
            while let Some(step) = self.open.front() {
                let mut last = None;
                for _ in 0..step.replies() {
                    let Ok(reply) = wire.reply() else { return };
                    last = Some(reply);
                }
                self.acknowledge(&last.expect("a reply"));
            }
        }
    }

    /// The server said that the oldest open step is done.
    fn acknowledge(&mut self, reply: &Reply) {
        let step = self.open.pop_front().expect("an open step");
        let expected = step.apply(&mut self.known);
        assert_eq!(*reply, expected, "database {}: {step:?}", self.db);
        self.acknowledged += 1;
    }

    /// Finds out which prefix of the open steps took effect; there has to be one.
    pub fn check(&mut self, server: &Server) {
        let before = now_ms();
        let read = self.read(server);
        let between = (before, now_ms());
        let least = difference(&self.known, &read, between);
        let mut difference_now = least.clone();
        while difference_now.is_some() {
            let Some(step) = self.open.pop_front() else {
                panic!(
                    "database {}: {} (nothing that was sent explains it)",
                    self.db,
                    least.unwrap_or_default()
                );
            };
            step.apply(&mut self.known);
            difference_now = difference(&self.known, &read, between);
        }
        self.open.clear();
        // Why: expired keys are gone for good; a model that kept them would mistake what comes after.
        self.known = read;
    }

    /// The whole database.
    fn read(&self, server: &Server) -> Model {
        let mut wire = server.connect();
        wire.ask(&format!("SELECT {}", self.db));
        let Reply::Array(keys) = wire.ask("KEYS *") else { panic!("not an array") };
        assert!(wire.ask("DBSIZE").int() >= keys.len() as i64);
        let mut model = Model::default();
        for key in keys {
            let key = key.text();
            let value = wire.ask(&format!("GET {key}"));
            let expiry = wire.ask(&format!("PEXPIRETIME {key}")).int();
            // A key may end between the questions.
            if let (Reply::Bulk(value), -1 | 0..) = (value, expiry) {
                model.entries.insert(key, Entry { value, expiry: (expiry >= 0).then_some(expiry) });
            }
        }
        model
    }
}
