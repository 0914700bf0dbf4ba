//! Commands on sets.

use std::collections::{BTreeMap, BTreeSet};

use quickcheck::{Arbitrary, Gen, quickcheck};

use super::script::{Client, run, run_resp3};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn members_come_and_go() {
    run(&[
        ("SADD s a b c a", ":3"),
        ("SADD s a", ":0"),
        ("SMEMBERS s", "*3 $1 a $1 b $1 c"),
        ("SCARD s", ":3"),
        ("SISMEMBER s b", ":1"),
        ("SISMEMBER s x", ":0"),
        ("SMISMEMBER s a x c", "*3 :1 :0 :1"),
        ("SREM s x y", ":0"),
        ("SREM s a x a", ":1"),
        ("SREM s b c d", ":2"),
        ("EXISTS s", ":0"),
        ("SREM s a", ":0"),
        ("SCARD s", ":0"),
        ("SMEMBERS s", "*0"),
        ("SISMEMBER s a", ":0"),
        ("SMISMEMBER s a b", "*2 :0 :0"),
        ("SADD s", "-ERR wrong number of arguments for 'sadd' command"),
        ("SREM s", "-ERR wrong number of arguments for 'srem' command"),
        ("SMISMEMBER s", "-ERR wrong number of arguments for 'smismember' command"),
    ]);
}

#[test]
fn keys_of_other_types_are_refused() {
    run(&[
        ("SET str x", "+OK"),
        ("SADD str a", WRONG_TYPE),
        ("SREM str a", WRONG_TYPE),
        ("SISMEMBER str a", WRONG_TYPE),
        ("SMISMEMBER str a", WRONG_TYPE),
        ("SCARD str", WRONG_TYPE),
        ("SMEMBERS str", WRONG_TYPE),
        ("SPOP str", WRONG_TYPE),
        ("SPOP str 0", WRONG_TYPE),
        ("SRANDMEMBER str", WRONG_TYPE),
        ("SRANDMEMBER str 2", WRONG_TYPE),
        ("SINTER nokey str", WRONG_TYPE),
        ("SUNION nokey str", WRONG_TYPE),
        ("SDIFF nokey str", WRONG_TYPE),
        ("SINTERCARD 2 nokey str", WRONG_TYPE),
        ("SINTERSTORE d str", WRONG_TYPE),
        ("SSCAN str 0", WRONG_TYPE),
        ("GET str", "$1 x"),
    ]);
}

#[test]
fn members_move_between_sets() {
    run(&[
        ("SADD s a b", ":2"),
        ("SADD t b c", ":2"),
        ("SET str x", "+OK"),
        ("SMOVE s t nothing", ":0"),
        ("SMOVE nokey t a", ":0"),
        ("SMOVE nokey str a", ":0"),
        ("SMOVE s str a", WRONG_TYPE),
        ("SMOVE str s a", WRONG_TYPE),
        ("SMOVE s s a", ":1"),
        ("SMOVE s s z", ":0"),
        ("SMOVE s t a", ":1"),
        ("SMEMBERS t", "*3 $1 b $1 c $1 a"),
        ("SMOVE s t b", ":1"),
        ("EXISTS s", ":0"),
        ("SCARD t", ":3"),
        ("SMOVE t new c", ":1"),
        ("SMEMBERS new", "*1 $1 c"),
    ]);
}

#[test]
fn sets_are_put_together() {
    run(&[
        ("SADD s a b c d", ":4"),
        ("SADD t b c d e", ":4"),
        ("SADD u c d f", ":3"),
        ("SINTER s t u", "*2 $1 c $1 d"),
        ("SINTER s", "*4 $1 a $1 b $1 c $1 d"),
        ("SINTER s nokey", "*0"),
        ("SUNION s u nokey", "*5 $1 a $1 b $1 c $1 d $1 f"),
        ("SUNION nokey", "*0"),
        ("SDIFF s t u", "*1 $1 a"),
        ("SDIFF s s", "*0"),
        ("SDIFF s nokey", "*4 $1 a $1 b $1 c $1 d"),
        ("SDIFF nokey s", "*0"),
        ("SINTERCARD 2 s t", ":3"),
        ("SINTERCARD 2 s t LIMIT 2", ":2"),
        ("SINTERCARD 2 s t LIMIT 0", ":3"),
        ("SINTERCARD 2 s nokey", ":0"),
        ("SINTERSTORE d s t", ":3"),
        ("SMEMBERS d", "*3 $1 b $1 c $1 d"),
        ("SDIFFSTORE d d u", ":1"),
        ("SMEMBERS d", "*1 $1 b"),
        ("SUNIONSTORE d d u", ":4"),
        ("EXPIRE d 100", ":1"),
        ("SUNIONSTORE d d", ":4"),
        ("TTL d", ":-1"),
        ("SINTERSTORE d s nokey", ":0"),
        ("EXISTS d", ":0"),
        ("SET d string", "+OK"),
        ("SUNIONSTORE d nokey", ":0"),
        ("EXISTS d", ":0"),
        ("SET d string", "+OK"),
        ("SUNIONSTORE d s", ":4"),
        ("TYPE d", "+set"),
    ]);
}

#[test]
fn what_is_drawn_is_gone_only_after_spop() {
    run(&[
        ("SPOP nokey", "$-1"),
        ("SPOP nokey 2", "*0"),
        ("SRANDMEMBER nokey", "$-1"),
        ("SRANDMEMBER nokey 2", "*0"),
        ("SRANDMEMBER nokey -9223372036854775807", "*0"),
        ("SADD s a", ":1"),
        ("SRANDMEMBER s", "$1 a"),
        ("SRANDMEMBER s 0", "*0"),
        ("SRANDMEMBER s 9223372036854775807", "*1 $1 a"),
        ("SRANDMEMBER s -3", "*3 $1 a $1 a $1 a"),
        ("SRANDMEMBER s x", "-ERR value is not an integer or out of range"),
        ("SRANDMEMBER s 1 2", "-ERR syntax error"),
        ("SPOP s 1 2", "-ERR syntax error"),
        ("SPOP s -1", "-ERR value is out of range, must be positive"),
        ("SPOP s 0", "*0"),
        ("SPOP s", "$1 a"),
        ("EXISTS s", ":0"),
        ("SADD s a", ":1"),
        ("SPOP s 9223372036854775807", "*1 $1 a"),
        ("EXISTS s", ":0"),
    ]);
}

#[test]
fn replies_of_sets_are_sets_in_resp3() {
    run_resp3(&[
        ("SADD s a b", ":2"),
        ("SMEMBERS s", "~2 $1 a $1 b"),
        ("SINTER s", "~2 $1 a $1 b"),
        ("SUNION s", "~2 $1 a $1 b"),
        ("SDIFF s nokey", "~2 $1 a $1 b"),
        ("SMEMBERS nokey", "~0"),
        ("SRANDMEMBER s 2", "*2 $1 a $1 b"),
        ("SRANDMEMBER nokey", "_"),
        ("SPOP nokey", "_"),
        ("SPOP nokey 1", "~0"),
        ("SPOP s 2", "~2 $1 a $1 b"),
    ]);
}

#[test]
fn encodings_change_where_those_of_redis_change() {
    let mut client = Client::new();
    let ints: Vec<String> = (0..512).map(|number| number.to_string()).collect();
    client.ask(&format!("SADD ints {}", ints.join(" ")));
    assert_eq!(client.ask("OBJECT ENCODING ints"), "$6 intset");
    client.ask("SADD ints 512");
    assert_eq!(client.ask("OBJECT ENCODING ints"), "$9 hashtable");
    client.ask(&format!("SADD few {}", ints[..127].join(" ")));
    client.ask("SADD few x");
    assert_eq!(client.ask("OBJECT ENCODING few"), "$8 listpack");
    client.ask("SADD few y");
    assert_eq!(client.ask("OBJECT ENCODING few"), "$9 hashtable");
    client.ask(&format!("SADD many {}", ints[..128].join(" ")));
    client.ask("SADD many x");
    assert_eq!(client.ask("OBJECT ENCODING many"), "$9 hashtable");
    client.ask(&format!("SADD long {}", "m".repeat(64)));
    assert_eq!(client.ask("OBJECT ENCODING long"), "$8 listpack");
    client.ask(&format!("SADD long {}", "m".repeat(65)));
    assert_eq!(client.ask("OBJECT ENCODING long"), "$9 hashtable");
    client.ask("SADD one 1 x");
    client.ask("SREM one x");
    assert_eq!(client.ask("OBJECT ENCODING one"), "$8 listpack");
    client.ask("SUNIONSTORE stored one");
    assert_eq!(client.ask("OBJECT ENCODING stored"), "$6 intset");
}

#[test]
fn a_walk_visits_every_member_and_a_small_set_at_once() {
    let mut client = Client::new();
    client.ask("SADD small a ab b");
    assert_eq!(client.ask("SSCAN small 0 COUNT 1 MATCH a*"), "*2 $1 0 *2 $1 a $2 ab");
    assert_eq!(client.ask("SSCAN nokey 0 nonsense"), "*2 $1 0 *0");
    assert_eq!(client.ask("SSCAN small x"), "-ERR invalid cursor");
    assert_eq!(client.ask("SSCAN small 0 TYPE set"), "-ERR syntax error");
    for number in 0..1000 {
        client.ask(&format!("SADD large m{number}"));
    }
    let (mut cursor, mut seen, mut calls) = ("0".to_owned(), BTreeSet::new(), 0);
    while calls == 0 || cursor != "0" {
        let reply = client.ask(&format!("SSCAN large {cursor} COUNT 50"));
        let words: Vec<&str> = reply.split(' ').collect();
        cursor = words[2].to_owned();
        seen.extend(words[4..].iter().skip(1).step_by(2).map(|member| (*member).to_owned()));
        calls += 1;
    }
    assert_eq!(seen.len(), 1000);
    assert!((15..=20).contains(&calls), "{calls} calls");
}

#[test]
fn a_reply_of_members_that_repeat_ends_at_the_limit_of_output() {
    let mut client = Client::new();
    client.set("client-output-buffer-limit", "normal 100000 0 0");
    client.ask("SADD s member");
    let reply = client.ask("SRANDMEMBER s -9223372036854775807");
    assert!((50_000..100_000).contains(&reply.len()), "{} characters", reply.len());
}

#[test]
fn members_read_in_a_transaction_stay_while_they_are_removed() {
    let mut client = Client::new();
    let members: Vec<String> = (0..600).map(|number| format!("m{number}")).collect();
    client.ask("MULTI");
    client.ask(&format!("SADD s {}", members.join(" ")));
    client.ask("SPOP s 200");
    client.ask("SUNIONSTORE s s");
    client.ask("SPOP s 400");
    client.ask("EXISTS s");
    let reply = client.ask("EXEC");
    let found: BTreeSet<&str> = reply.split(' ').filter(|word| word.starts_with('m')).collect();
    assert_eq!(found.len(), 600);
    assert!(reply.ends_with(" :0"), "{reply}");
}

/// One request of the model.
#[derive(Clone, Debug)]
enum Step {
    Add(u8, Vec<u16>),
    Remove(u8, Vec<u16>),
    Pop(u8, u16),
    Move(u8, u8, u16),
    /// Which of the three, the destination, the sources.
    Store(u8, u8, Vec<u8>),
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let key = |g: &mut Gen| u8::arbitrary(g) % 4;
        // Why a run: so that sets become large.
        let members = |g: &mut Gen| {
            let first = u16::arbitrary(g) % 600;
            (first..=first + u16::arbitrary(g) % 150).collect()
        };
        match u8::arbitrary(g) % 8 {
            0..3 => Self::Add(key(g), members(g)),
            3 => Self::Remove(key(g), members(g)),
            4 => Self::Pop(key(g), u16::arbitrary(g) % 200),
            5 => Self::Move(key(g), key(g), u16::arbitrary(g) % 700),
            _ => {
                let sources = (0..=u8::arbitrary(g) % 3).map(|_| key(g)).collect();
                Self::Store(u8::arbitrary(g) % 3, key(g), sources)
            }
        }
    }
}

type Model = BTreeMap<u8, BTreeSet<String>>;

/// A member: every third is no integer where the set may have such.
fn member(number: u16) -> String {
    if number > 300 && number % 3 == 0 { format!("m{number}") } else { number.to_string() }
}

fn words(reply: &str) -> BTreeSet<String> {
    reply.split(' ').skip(2).step_by(2).map(str::to_owned).collect()
}

fn line(name: &str, key: u8, members: &[u16]) -> String {
    members.iter().fold(format!("{name} {key}"), |line, number| line + " " + &member(*number))
}

/// Runs a step on both; tells whether the replies agree.
fn agrees(client: &mut Client, model: &mut Model, step: &Step) -> bool {
    match step {
        Step::Add(key, members) => {
            let set = model.entry(*key).or_default();
            let added = members.iter().filter(|number| set.insert(member(**number))).count();
            client.ask(&line("SADD", *key, members)) == format!(":{added}")
        }
        Step::Remove(key, members) => {
            let set = model.entry(*key).or_default();
            let removed = members.iter().filter(|number| set.remove(&member(**number))).count();
            client.ask(&line("SREM", *key, members)) == format!(":{removed}")
        }
        Step::Pop(key, count) => {
            let set = model.entry(*key).or_default();
            let expected = set.len().min(usize::from(*count));
            let popped = words(&client.ask(&format!("SPOP {key} {count}")));
            popped.len() == expected && popped.iter().all(|member| set.remove(member))
        }
        Step::Move(from, to, number) => {
            let member = member(*number);
            let moved = model.entry(*from).or_default().remove(&member);
            if moved {
                model.entry(*to).or_default().insert(member.clone());
            }
            client.ask(&format!("SMOVE {from} {to} {member}")) == format!(":{}", u8::from(moved))
        }
        Step::Store(which, destination, sources) => {
            let mut sets = sources.iter().map(|key| model.get(key).cloned().unwrap_or_default());
            let first = sets.next().unwrap_or_default();
            let (name, result) = match which {
                0 => ("SINTER", sets.fold(first, |a, b| &a & &b)),
                1 => ("SUNION", sets.fold(first, |a, b| &a | &b)),
                _ => ("SDIFF", sets.fold(first, |a, b| &a - &b)),
            };
            let keys = sources.iter().fold(String::new(), |keys, key| format!("{keys} {key}"));
            let read = words(&client.ask(&format!("{name}{keys}"))) == result;
            let stored = client.ask(&format!("{name}STORE {destination}{keys}"));
            let agrees = read && stored == format!(":{}", result.len());
            model.insert(*destination, result);
            agrees
        }
    }
}

quickcheck! {
    fn sets_are_as_a_naive_model_has_them(steps: Vec<Step>) -> bool {
        let (mut client, mut model) = (Client::new(), Model::new());
        steps.iter().all(|step| agrees(&mut client, &mut model, step))
            && model.iter().all(|(key, set)| {
                words(&client.ask(&format!("SMEMBERS {key}"))) == *set
                    && client.ask(&format!("EXISTS {key}")) == format!(":{}", u8::from(!set.is_empty()))
            })
    }
}
