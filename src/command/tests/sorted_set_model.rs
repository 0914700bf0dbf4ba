//! Commands on a sorted set against a plain vector, on both sides of the limit of packed sets.

use quickcheck::{Arbitrary, Gen, quickcheck};

use super::script::Client;

/// What is done next. Scores and members are drawn from few, so that they meet.
#[derive(Clone, Debug)]
enum Step {
    Add(Vec<(i8, u8)>),
    Increase(i8, u8),
    Remove(Vec<u8>),
    RemoveRanks(i8, i8),
    RemoveScores(i8, i8),
    PopMin(u8),
    PopMax(u8),
}

impl Arbitrary for Step {
    fn arbitrary(random: &mut Gen) -> Self {
        let (low, high) = (i8::arbitrary(random), i8::arbitrary(random));
        let member = u8::arbitrary(random);
        match u8::arbitrary(random) % 16 {
            0..8 => Self::Add((0..=member % 24).map(|_| Arbitrary::arbitrary(random)).collect()),
            8..11 => Self::Increase(low, member),
            11..13 => Self::Remove(vec![member, member.wrapping_add(1), member.wrapping_mul(7)]),
            13 => Self::RemoveRanks(low, high.min(low.saturating_add(20))),
            14 => Self::RemoveScores(low, high.min(low.saturating_add(20))),
            _ if low < 0 => Self::PopMin(member % 5),
            _ => Self::PopMax(member % 5),
        }
    }
}

/// Scores and members in order.
#[derive(Default)]
struct Naive(Vec<(i64, String)>);

impl Naive {
    fn put(&mut self, score: i64, member: &str) -> bool {
        let is_new = !self.remove(member);
        self.0.push((score, member.to_owned()));
        self.0.sort();
        is_new
    }

    fn remove(&mut self, member: &str) -> bool {
        let len = self.0.len();
        self.0.retain(|one| one.1 != member);
        self.0.len() < len
    }

    fn score(&self, member: &str) -> Option<i64> {
        self.0.iter().find(|one| one.1 == member).map(|one| one.0)
    }

    /// Removes the members for which `goes` says so, of their rank and score; tells how many.
    fn purge(&mut self, goes: impl Fn(i64, i64) -> bool) -> usize {
        let len = self.0.len();
        let mut rank = -1;
        self.0.retain(|one| {
            rank += 1;
            !goes(rank, one.0)
        });
        len - self.0.len()
    }

    fn reply<'m>(members: impl ExactSizeIterator<Item = &'m (i64, String)>) -> String {
        let mut reply = format!("*{}", 2 * members.len());
        for (score, member) in members {
            let score = score.to_string();
            reply.extend([format!(" ${} {member} ${} {score}", member.len(), score.len())]);
        }
        reply
    }
}

fn name(member: u8) -> String {
    format!("m{member}")
}

/// Does a step both ways; gives the request, its reply and the one expected.
fn step(client: &mut Client, naive: &mut Naive, step: &Step) -> (String, String, String) {
    let len = naive.0.len();
    let (request, expected) = match step {
        Step::Add(pairs) => {
            let words: Vec<String> =
                pairs.iter().map(|(score, member)| format!("{score} {}", name(*member))).collect();
            let new = pairs.iter().filter(|pair| naive.put(pair.0.into(), &name(pair.1))).count();
            (format!("ZADD k {}", words.join(" ")), format!(":{new}"))
        }
        Step::Increase(by, member) => {
            let score = naive.score(&name(*member)).unwrap_or(0) + i64::from(*by);
            naive.put(score, &name(*member));
            let text = score.to_string();
            (format!("ZINCRBY k {by} {}", name(*member)), format!("${} {text}", text.len()))
        }
        Step::Remove(members) => {
            let words: Vec<String> = members.iter().copied().map(name).collect();
            let gone = words.iter().filter(|member| naive.remove(member)).count();
            (format!("ZREM k {}", words.join(" ")), format!(":{gone}"))
        }
        Step::RemoveRanks(first, last) => {
            let from_start = |rank: i8| if rank < 0 { i64::from(rank) + len as i64 } else { rank.into() };
            let gone = naive.purge(|rank, _| (from_start(*first)..=from_start(*last)).contains(&rank));
            (format!("ZREMRANGEBYRANK k {first} {last}"), format!(":{gone}"))
        }
        Step::RemoveScores(low, high) => {
            let gone = naive.purge(|_, score| i64::from(*low) < score && score <= i64::from(*high));
            (format!("ZREMRANGEBYSCORE k ({low} {high}"), format!(":{gone}"))
        }
        Step::PopMin(count) => {
            let gone: Vec<_> = naive.0.drain(..usize::from(*count).min(len)).collect();
            (format!("ZPOPMIN k {count}"), Naive::reply(gone.iter()))
        }
        Step::PopMax(count) => {
            let gone: Vec<_> = naive.0.drain(len - usize::from(*count).min(len)..).collect();
            (format!("ZPOPMAX k {count}"), Naive::reply(gone.iter().rev()))
        }
    };
    (request.clone(), client.ask(&request), expected)
}

quickcheck! {
    fn sorted_sets_are_as_a_plain_vector(steps: Vec<Step>, low: i8, high: i8, start: u8) -> bool {
        let mut client = Client::new();
        client.set("zset-max-listpack-entries", "16");
        let mut naive = Naive::default();
        for next in &steps {
            let (request, reply, expected) = step(&mut client, &mut naive, next);
            assert_eq!(reply, expected, "{request}");
            assert_eq!(client.ask("ZRANGE k 0 -1 WITHSCORES"), Naive::reply(naive.0.iter()), "{request}");
            for (rank, (_, member)) in naive.0.iter().enumerate().skip(usize::from(start)).step_by(31) {
                assert_eq!(client.ask(&format!("ZRANK k {member}")), format!(":{rank}"));
            }
            let within = |one: &&(i64, String)| i64::from(low) <= one.0 && one.0 < i64::from(high);
            let found: Vec<_> = naive.0.iter().filter(within).rev().skip(1).take(7).collect();
            assert_eq!(
                client.ask(&format!("ZREVRANGEBYSCORE k ({high} {low} WITHSCORES LIMIT 1 7")),
                Naive::reply(found.into_iter())
            );
            assert_eq!(client.ask("EXISTS k"), format!(":{}", u8::from(!naive.0.is_empty())));
        }
        true
    }
}
