//! Accounts that several clients move money between, in transactions that also say which they are.

use super::random::Random;
use crate::harness::{Reply, Server, Wire, request};

const ACCOUNTS: u64 = 6;
const TELLERS: usize = 2;
const PIPELINE: usize = 4;

/// So much of `amount` from one account to the other.
#[derive(Clone, Copy, Debug)]
struct Transfer {
    from: u64,
    to: u64,
    amount: i64,
}

/// One client of the bank.
#[derive(Debug)]
pub struct Teller {
    number: usize,
    random: Random,
    /// All that was ever sent and not found to be lost; the place in it is the transfer's number.
    sent: Vec<Transfer>,
    acknowledged: usize,
}

/// The accounts of database 0 as their tellers know them.
#[derive(Debug)]
pub struct Bank {
    tellers: Vec<Teller>,
}

impl Bank {
    pub fn open(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let teller =
            |number| Teller { number, random: Random::new(random.next()), sent: Vec::new(), acknowledged: 0 };
        Self { tellers: (0..TELLERS).map(teller).collect() }
    }

    pub fn tellers(&mut self) -> impl Iterator<Item = &mut Teller> {
        self.tellers.iter_mut()
    }

    pub fn acknowledged(&self) -> usize {
        self.tellers.iter().map(|teller| teller.acknowledged).sum()
    }

    /// Each account must hold exactly what the transfers that are there make.
    pub fn check(&mut self, server: &Server) {
        let mut wire = server.connect();
        let mut expected = vec![0; ACCOUNTS as usize];
        for teller in &mut self.tellers {
            teller.settle(&mut wire);
            for transfer in &teller.sent {
                expected[transfer.from as usize] -= transfer.amount;
                expected[transfer.to as usize] += transfer.amount;
            }
        }
        let found: Vec<i64> = (0..ACCOUNTS).map(|number| number_at(&mut wire, &account(number))).collect();
        assert_eq!(found, expected, "transactions are there in part");
        assert_eq!(found.iter().sum::<i64>(), 0);
    }
}

impl Teller {
    /// Sends transfers until the server is gone.
    pub fn work(&mut self, mut wire: Wire) {
        loop {
            let first = self.sent.len();
            let mut bytes = Vec::new();
            for _ in 0..PIPELINE {
                let (from, to) = (self.random.below(ACCOUNTS), self.random.below(ACCOUNTS));
                self.sent.push(Transfer { from, to, amount: 1 + self.random.below(100) as i64 });
                bytes.extend(self.request(self.sent.len()));
            }
            if wire.try_send(&bytes).is_err() {
                return;
            }
            for number in first + 1..=first + PIPELINE {
                for _ in 0..4 {
                    if wire.reply().is_err() {
                        return;
                    }
                }
                match wire.reply() {
                    Ok(Reply::Array(replies)) => assert_eq!(replies.len(), 3),
                    Ok(other) => panic!("{other:?}"),
                    Err(_) => return,
                }
                self.acknowledged = number;
            }
        }
    }

    fn request(&self, number: usize) -> Vec<u8> {
        let transfer = self.sent[number - 1];
        let amount = transfer.amount.to_string();
        [
            request(&["MULTI"]),
            request(&["DECRBY", &account(transfer.from), &amount]),
            request(&["INCRBY", &account(transfer.to), &amount]),
            request(&["SET", &self.key(), &number.to_string()]),
            request(&["EXEC"]),
        ]
        .concat()
    }

    fn key(&self) -> String {
        format!("teller:{}", self.number)
    }

    /// Forgets the transfers that did not take effect: the last ones, and none that was acknowledged.
    fn settle(&mut self, wire: &mut Wire) {
        let last = number_at(wire, &self.key()) as usize;
        assert!(
            (self.acknowledged..=self.sent.len()).contains(&last),
            "teller {}: {last} transfers are there, {} were acknowledged, {} sent",
            self.number,
            self.acknowledged,
            self.sent.len()
        );
        self.sent.truncate(last);
        self.acknowledged = last;
    }
}

fn account(number: u64) -> String {
    format!("account:{number}")
}

/// The number at a key; nothing is 0.
fn number_at(wire: &mut Wire, key: &str) -> i64 {
    match wire.ask(&format!("GET {key}")) {
        Reply::Nil => 0,
        other => other.text().parse().expect("a number"),
    }
}
