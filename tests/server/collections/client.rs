//! A client that owns a database of collections and writes down what it was told.

use super::model::{Entry, Model, Value};
use crate::harness::{Reply, Server, Wire, request};
use crate::kill_rounds::random::Random;
use std::collections::VecDeque;

const PIPELINE_MAX: u64 = 12;
/// A time that no test lives to see.
const FAR_MS: u64 = 4_000_000_000_000;

/// One or, in a transaction, several commands.
type Step = Vec<Vec<String>>;

/// One client, across all lives of the server.
#[derive(Debug)]
pub struct Client {
    db: usize,
    random: Random,
    /// What the database holds at least: every acknowledged step is in it.
    known: Model,
    /// Sent and not acknowledged, in order. Invariant: only the last can be one whose outcome is left to chance.
    open: VecDeque<Step>,
    acknowledged: usize,
    /// The number of the type whose first key alone is used, if one is.
    only: Option<u64>,
}

impl Client {
    pub fn new(db: usize, seed: u64) -> Self {
        let random = Random::new(seed);
        Self { db, random, known: Model::default(), open: VecDeque::new(), acknowledged: 0, only: None }
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
        loop {
            // Why half of the time one key only: what is about one key and follows each other runs together.
            self.only = (self.random.below(2) == 0).then(|| self.random.below(4));
            for _ in 0..=self.random.below(PIPELINE_MAX) {
                let step = self.choose();
                let is_chance = step[0][0] == "SPOP";
                self.open.push_back(step);
                if is_chance {
                    break;
                }
            }
            let bytes: Vec<u8> = self.open.iter().flat_map(bytes).collect();
            // Why: what was sent in part counts as sent; the server may have got all of it.
            if wire.try_send(&bytes).is_err() {
                return;
            }
            while let Some(step) = self.open.front() {
                let mut last = None;
                for _ in 0..if step.len() > 1 { step.len() + 2 } else { 1 } {
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
        if step[0][0] == "SPOP" {
            self.known.popped(&step[0], reply);
        } else {
            let expected = apply(&step, &mut self.known);
            assert_eq!(*reply, expected, "database {}: {step:?}", self.db);
        }
        self.acknowledged += 1;
    }

    /// Finds out which prefix of the open steps took effect; there has to be one.
    pub fn check(&mut self, server: &Server) {
        let read = self.read(server);
        let least = self.known.difference(&read);
        while self.known.difference(&read).is_some() {
            let (db, least) = (self.db, least.clone().unwrap_or_default());
            let Some(step) = self.open.pop_front() else {
                panic!("database {db}: {least} (nothing that was sent explains it)");
            };
            if step[0][0] == "SPOP" {
                // It was the last: what is missing now is what it took.
                let gone = self.known.gone(&step[0][1], &read);
                self.known.popped(&step[0], &gone);
            } else {
                apply(&step, &mut self.known);
            }
        }
        self.open.clear();
    }

    /// The whole database.
    fn read(&self, server: &Server) -> Model {
        let mut wire = server.connect();
        wire.ask(&format!("SELECT {}", self.db));
        let Reply::Array(keys) = wire.ask("KEYS *") else { panic!("not an array") };
        assert_eq!(wire.ask("DBSIZE"), Reply::Int(keys.len() as i64));
        let mut model = Model::default();
        for key in keys.iter().map(Reply::text) {
            let (of, _) = key.split_once(':').expect("a key of this test");
            let value = match of {
                "list" => Value::List(texts(&wire.ask(&format!("LRANGE {key} 0 -1"))).into()),
                "set" => Value::Set(texts(&wire.ask(&format!("SMEMBERS {key}"))).into_iter().collect()),
                "hash" => Value::Hash(pairs(&wire.ask(&format!("HGETALL {key}"))).collect()),
                _ => {
                    let scored = pairs(&wire.ask(&format!("ZRANGE {key} 0 -1 WITHSCORES")));
                    Value::Sorted(
                        scored.map(|(member, score)| (member, score.parse().expect("a score"))).collect(),
                    )
                }
            };
            let expiry = wire.ask(&format!("PEXPIRETIME {key}")).int();
            model.entries.insert(key, Entry { value, expiry });
        }
        model
    }

    fn choose(&mut self) -> Step {
        match self.random.below(10) {
            0 => (0..2 + self.random.below(3)).map(|_| self.command()).collect(),
            1 => {
                let key = self.key("set");
                vec![words(&["SPOP", &key, &self.random.below(40).to_string()])]
            }
            _ => vec![self.command()],
        }
    }

    /// Any command whose outcome is certain.
    fn command(&mut self) -> Vec<String> {
        let number = self.only.unwrap_or_else(|| self.random.below(4));
        let of = ["list", "set", "hash", "zset"][number as usize];
        let (key, other) = (self.key(of), self.key(of));
        if self.random.below(12) == 0 {
            return match self.random.below(3) {
                0 => words(&["DEL", &key]),
                1 if key != other => words(&["RENAME", &key, &other]),
                _ => words(&["PEXPIREAT", &key, &(FAR_MS + self.random.below(1000)).to_string()]),
            };
        }
        let (one, two, count) = (self.member(), self.member(), self.random.below(30).to_string());
        let ended = |words: &[&str], more: Vec<String>| {
            words.iter().map(|&word| word.to_owned()).chain(more).collect::<Vec<_>>()
        };
        match (of, self.random.below(8)) {
            ("list", 0..3) => ended(&["RPUSH", &key], self.members()),
            ("list", 3) => ended(&["LPUSH", &key], self.members()),
            ("list", 4) => words(&["LPOP", &key, &count]),
            ("list", 5) => words(&["RPOP", &key, &count]),
            ("list", 6) => words(&["LSET", &key, &count, &one]),
            ("list", _) => words(&["LTRIM", &key, &self.random.below(4).to_string(), "400"]),
            ("set", 0..4) => ended(&["SADD", &key], self.members()),
            ("set", 4) => ended(&["SREM", &key], self.members()),
            ("set", 5) => words(&["SMOVE", &key, &other, &one]),
            ("set", 6) => words(&["SUNIONSTORE", &key, &key, &other]),
            ("set", _) => words(&["SINTERSTORE", &self.key(of), &key, &other]),
            ("hash", 0..4) => {
                let fields = self.members().into_iter().flat_map(|field| [field, one.clone()]).collect();
                ended(&["HSET", &key], fields)
            }
            ("hash", 4) => words(&["HINCRBY", &key, &format!("n{count}"), "7"]),
            ("hash", _) => ended(&["HDEL", &key], self.members()),
            (_, 0..4) => {
                let members = self.members();
                let scored =
                    members.into_iter().flat_map(|member| [self.random.below(50).to_string(), member]);
                ended(&["ZADD", &key], scored.collect())
            }
            (_, 4) => words(&["ZINCRBY", &key, &count, &two]),
            (_, 5) => words(&["ZPOPMIN", &key, &count]),
            _ => ended(&["ZREM", &key], self.members()),
        }
    }

    fn key(&mut self, of: &str) -> String {
        format!("{of}:{}", if self.only.is_some() { 0 } else { self.random.below(4) })
    }

    /// Some members; now and then so many that a collection becomes large.
    fn members(&mut self) -> Vec<String> {
        let count = if self.random.below(12) == 0 { 300 } else { 1 + self.random.below(12) };
        (0..count).map(|_| self.member()).collect()
    }

    /// A member: mostly a number, seldom a long text.
    fn member(&mut self) -> String {
        let number = self.random.below(1500);
        match self.random.below(200) {
            0 => format!("{number}{}", "x".repeat(100 + 40 * number as usize)),
            1..40 => format!("m{number}"),
            _ => number.to_string(),
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The bytes to send.
fn bytes(step: &Step) -> Vec<u8> {
    let commands = step.iter().flat_map(|command| request(command));
    if step.len() == 1 {
        return commands.collect();
    }
    request(&["MULTI"]).into_iter().chain(commands).chain(request(&["EXEC"])).collect()
}

/// Does a step to a model; the last of its replies.
fn apply(step: &Step, model: &mut Model) -> Reply {
    let mut replies: Vec<Reply> = step.iter().map(|command| model.run(command)).collect();
    if step.len() == 1 { replies.remove(0) } else { Reply::Array(replies) }
}

fn texts(reply: &Reply) -> Vec<String> {
    match reply {
        Reply::Array(replies) => replies.iter().map(Reply::text).collect(),
        other => panic!("not an array: {other:?}"),
    }
}

fn pairs(reply: &Reply) -> impl Iterator<Item = (String, String)> + use<> {
    let texts = texts(reply);
    let pairs: Vec<_> = texts.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    pairs.into_iter()
}
