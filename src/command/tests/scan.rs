//! KEYS and SCAN over many keys.

use std::collections::BTreeSet;

use super::script::Client;

/// A client of a database with `key:0` to `key:<count - 1>`.
fn with_keys(count: usize) -> Client {
    let mut client = Client::new();
    for at in 0..count {
        client.ask(&format!("SET key:{at} {at}"));
    }
    client
}

/// One call of SCAN: the next cursor and the keys.
fn scan_once(client: &mut Client, cursor: &str, options: &str) -> (String, Vec<String>) {
    let reply = client.ask(&format!("SCAN {cursor} {options}"));
    let words: Vec<&str> = reply.split_whitespace().collect();
    assert_eq!(words[0], "*2", "{reply}");
    let count: usize = words[3].trim_start_matches('*').parse().expect("a count");
    let keys: Vec<String> = words[4..].iter().skip(1).step_by(2).map(|key| (*key).to_owned()).collect();
    assert_eq!(keys.len(), count, "{reply}");
    (words[2].to_owned(), keys)
}

/// A whole walk: all keys as they came, and the number of calls.
fn scan_all(client: &mut Client, options: &str) -> (Vec<String>, usize) {
    let (mut cursor, mut all, mut calls) = ("0".to_owned(), Vec::new(), 0);
    loop {
        let (next, keys) = scan_once(client, &cursor, options);
        all.extend(keys);
        calls += 1;
        if next == "0" {
            return (all, calls);
        }
        cursor = next;
    }
}

fn distinct(keys: &[String]) -> usize {
    keys.iter().collect::<BTreeSet<_>>().len()
}

#[test]
fn a_walk_visits_every_key_in_about_the_number_of_calls_that_count_says() {
    let mut client = with_keys(1000);
    for (options, calls_min, calls_max) in [("", 20, 200), ("COUNT 5", 40, 400), ("COUNT 5000", 1, 1)] {
        let (keys, calls) = scan_all(&mut client, options);
        assert_eq!(distinct(&keys), 1000, "{options}");
        assert!((calls_min..=calls_max).contains(&calls), "{options}: {calls} calls");
    }
}

#[test]
fn a_walk_shows_matches_of_pattern_and_type_only() {
    let mut client = with_keys(1000);
    client.ask("SET other 1");
    assert_eq!(distinct(&scan_all(&mut client, "MATCH key:1??").0), 100);
    assert_eq!(distinct(&scan_all(&mut client, "MATCH *1?? COUNT 50").0), 100);
    assert_eq!(distinct(&scan_all(&mut client, "TYPE STRING MATCH key:* COUNT 10").0), 1000);
    assert_eq!(scan_all(&mut client, "TYPE list").0.len(), 0);
    assert_eq!(scan_all(&mut client, "TYPE nonsense MATCH key:1*").0.len(), 0);
}

#[test]
fn matches_with_a_common_prefix_come_in_one_reply_if_they_are_few() {
    let mut client = with_keys(1000);
    assert_eq!(scan_all(&mut client, "MATCH key:5"), (vec!["key:5".to_owned()], 1));
    assert_eq!(scan_all(&mut client, "MATCH nokey*"), (Vec::new(), 1));
    let (keys, calls) = scan_all(&mut client, "MATCH key:12*");
    assert_eq!((keys.len(), calls), (11, 1));
    let (keys, calls) = scan_all(&mut client, "MATCH key:1*");
    assert_eq!(distinct(&keys), 111);
    assert!(calls > 1, "more matches than one reply should hold came in one");
    let (keys, calls) = scan_all(&mut client, "MATCH key:1* COUNT 111");
    assert_eq!((keys.len(), calls), (111, 1));
}

#[test]
fn expired_keys_are_not_listed() {
    let mut client = with_keys(20);
    for at in 0..10 {
        client.ask(&format!("PEXPIRE key:{at} 1"));
    }
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!(distinct(&scan_all(&mut client, "").0), 10);
    assert_eq!(scan_all(&mut client, "MATCH key:*").0.len(), 10);
    assert_eq!(client.ask("KEYS key:?"), "*0");
    assert!(client.ask("KEYS *").starts_with("*10 "));
}

#[test]
fn keys_lists_everything_however_many_there_are() {
    let mut client = with_keys(12_000);
    for (pattern, count) in [("*", 12_000), ("key:*", 12_000), ("key:11*", 1111), ("*99", 120), ("x*", 0)] {
        let reply = client.ask(&format!("KEYS {pattern}"));
        assert_eq!(reply.split(' ').next(), Some(format!("*{count}").as_str()), "{pattern}");
    }
}
