//! What INFO shows, through the handler.

use super::*;
use crate::command::context::fixture::Fixture;
use crate::command::stats::Counter;
use std::time::Duration;

/// The text behind the head of the bulk string.
fn shown(fixture: &mut Fixture, line: &str) -> String {
    let reply = fixture.run(info, line);
    reply.split_once("\r\n").map_or_else(String::new, |(_, text)| text.to_owned())
}

fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned))
}

fn titles(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("# ")).collect()
}

#[test]
fn sections_are_chosen_by_name_in_the_order_of_redis() {
    let mut fixture = Fixture::new();
    let default = shown(&mut fixture, "INFO");
    let expected = [
        "Server",
        "Clients",
        "Memory",
        "Persistence",
        "Stats",
        "Replication",
        "CPU",
        "Modules",
        "Errorstats",
        "Cluster",
        "Keyspace",
    ];
    assert_eq!(titles(&default), expected);
    assert_eq!(titles(&shown(&mut fixture, "INFO default")), expected);
    assert_eq!(titles(&shown(&mut fixture, "INFO everything")).len(), SECTIONS.len());
    assert_eq!(titles(&shown(&mut fixture, "INFO ALL")).len(), SECTIONS.len());
    let some = shown(&mut fixture, "INFO commandstats CLIENTS nothing clients");
    assert_eq!(titles(&some), ["Clients", "Commandstats"]);
    assert_eq!(fixture.run(info, "INFO nothing"), "$0\r\n\r\n");
}

#[test]
fn every_line_is_a_title_a_field_or_empty_and_no_field_comes_twice() {
    let mut fixture = Fixture::with(&[("unixsocket", "/tmp/s.sock")]);
    let text = shown(&mut fixture, "INFO everything");
    let mut names = std::collections::HashSet::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        let (name, _) = line.split_once(':').unwrap_or_else(|| panic!("no field: {line}"));
        assert!(names.insert(name.to_owned()), "{name} comes twice");
    }
    for name in ["redis_version", "used_memory", "rdb_bgsave_in_progress", "role", "used_cpu_user"] {
        assert!(names.contains(name), "{name} is missing");
    }
    assert_eq!(field(&text, "listener1").as_deref(), Some("name=unix,bind=/tmp/s.sock"));
}

#[test]
fn counters_are_shown_and_reset() {
    let mut fixture = Fixture::new();
    let get = crate::command::table::lookup(b"get").expect("GET is in the table").index();
    let local = fixture.context.stats.local();
    local.add(Counter::ConnectionsReceived, 2);
    local.call(get, 30_000, true);
    local.latency(get, 30_000);
    local.rejected(get);
    local.error("WRONGPASS no");
    let text = shown(&mut fixture, "INFO everything");
    assert_eq!(field(&text, "total_connections_received").as_deref(), Some("2"));
    assert_eq!(field(&text, "total_commands_processed").as_deref(), Some("1"));
    assert_eq!(field(&text, "total_error_replies").as_deref(), Some("1"));
    assert_eq!(field(&text, "errorstat_WRONGPASS").as_deref(), Some("count=1"));
    let expected = "calls=1,usec=30,usec_per_call=30.00,rejected_calls=1,failed_calls=1";
    assert_eq!(field(&text, "cmdstat_get").as_deref(), Some(expected));
    let latency = field(&text, "latency_percentiles_usec_get").expect("a latency was counted");
    assert!(latency.starts_with("p50=3") && latency.contains(",p99.9=3"), "{latency}");
    fixture.context.reset_statistics();
    let text = shown(&mut fixture, "INFO everything");
    assert_eq!(field(&text, "total_connections_received").as_deref(), Some("0"));
    assert_eq!(field(&text, "cmdstat_get"), None);
    assert_eq!(field(&text, "errorstat_WRONGPASS"), None);
    assert_eq!(field(&text, "latency_percentiles_usec_get"), None);
}

#[test]
fn a_pause_is_shown_while_it_holds() {
    let mut fixture = Fixture::new();
    let now = std::time::Instant::now();
    let kind = crate::command::context::PauseKind::Write;
    fixture.context.pause.start(kind, now + Duration::from_secs(60), now);
    let text = shown(&mut fixture, "INFO clients");
    assert_eq!(field(&text, "paused_actions").as_deref(), Some("write"));
    assert_eq!(field(&text, "connected_clients").as_deref(), Some("1"));
}
