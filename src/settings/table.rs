//! The table: every setting that has an effect, in the order of the help, each with its typed accessor.
//!
//! One macro writes both the row and the accessor, so they cannot fall apart. To add a setting, add a line:
//! accessor, type, name, aliases, kind, default, when it may change, what the help says. What Redis knows and
//! this server only keeps is in [`super::compat`].

use super::choice::{EvictionPolicy, FsyncPolicy, LogFormat, LogLevel, Permission};
use super::compat::COMPATIBILITY;
use super::events::EventClass;
use super::kind::{Kind, check};
use super::lists::{BindAddress, List, Primary, SavePoint};
use super::setting::{Change, Section, Setting};
use super::values::{FromSlot, Settings};
use std::path::PathBuf;
use std::sync::Arc;

/// The most that a C `int` holds, which is where many ranges of Redis end.
pub(super) const INT_MAX: i64 = i32::MAX as i64;

/// A whole number from `min` to `max`.
pub(super) const fn int(min: i64, max: i64) -> Kind {
    Kind::Int { min, max }
}

/// A size in bytes of at least `min`.
pub(super) const fn memory(min: i64) -> Kind {
    Kind::Memory { min, max: i64::MAX }
}

macro_rules! own_settings {
    ($($section:ident { $(
        $accessor:ident: $type:ty = $name:literal $aliases:expr, $kind:expr, $default:expr, $change:ident
            $(, $with:ident($($argument:expr),*))*;
        $help:literal
    )+ })+) => {
        /// The place of each row in the table.
        #[expect(non_camel_case_types, reason = "the variants are the accessors' names")]
        #[derive(Clone, Copy)]
        enum Row { $($($accessor),+),+ }

        const OWN: &[Setting] = &[$($(
            Setting::new(Section::$section, $name, &$aliases, $kind, $default, Change::$change)
                .help($help)$(.$with($($argument),*))*
        ),+),+];

        #[cfg(test)]
        const ACCESSORS: &[&str] = &[$($(stringify!($accessor)),+),+];

        /// One accessor per setting. A flag, a number or a choice costs one relaxed load.
        impl Settings {
            $($(
                #[doc = concat!("`", $name, "`: ", $help, ".")]
                #[inline]
                pub fn $accessor(&self) -> $type {
                    <$type>::from_slot(&self.slots[Row::$accessor as usize])
                }
            )+)+
        }
    };
}

own_settings! {
    Network {
        port: u16 = "port" [], int(0, 65535), "6379", Live;
            "TCP port; 0 listens on none"
        bind: Vec<BindAddress> = "bind" [], Kind::List(List::Bind), "127.0.0.1 -::1", Live;
            "Addresses to listen on; * is all, a leading - forgives an absent one"
        unixsocket: PathBuf = "unixsocket" [], Kind::Text(check::any), "", AtStart;
            "Path of a Unix socket to listen on; empty for none"
        unixsocketperm: u32 = "unixsocketperm" [], Kind::Octal { max: 0o777 }, "0", AtStart;
            "Permissions of the Unix socket, in octal; 0 leaves them to the umask"
        protected_mode: bool = "protected-mode" [], Kind::Flag, "yes", Live;
            "Without a password, serve clients of this machine only"
        requirepass: Arc<[u8]> = "requirepass" [], Kind::Text(check::bytes), "", Live;
            "Password that clients must give with AUTH; empty for none"
        maxclients: u32 = "maxclients" [], int(1, u32::MAX as i64), "10000", Live;
            "Clients served at the same time; more are refused"
        timeout: u32 = "timeout" [], int(0, INT_MAX), "0", Live;
            "Seconds after which an idle client is closed; 0 is never"
        tcp_keepalive: u32 = "tcp-keepalive" [], int(0, INT_MAX), "300", Live;
            "Seconds between TCP keepalive probes; 0 is none"
        tcp_backlog: u32 = "tcp-backlog" [], int(0, INT_MAX), "511", AtStart;
            "Connections that may wait to be accepted"
    }
    Server {
        threads: usize = "threads" ["io-threads"], int(0, 1024), "0", Pinned;
            "Threads that serve clients; 0 is one per core"
        databases: usize = "databases" [], int(1, 65536), "16", AtStart;
            "Databases, chosen with SELECT"
        hz: u32 = "hz" [], Kind::Clamped { low: 1, high: 500 }, "10", Live;
            "Rounds of background work a second"
        pidfile: PathBuf = "pidfile" [], Kind::Text(check::any), "", AtStart;
            "File to write the process id to; empty for none"
        enable_debug_command: Permission = "enable-debug-command" [],
            Kind::Choice(Permission::NAMES), "no", AtStart;
            "Who may use DEBUG; local is clients of this machine"
        enable_protected_configs: Permission = "enable-protected-configs" [],
            Kind::Choice(Permission::NAMES), "no", AtStart;
            "Who may change protected settings"
    }
    Limits {
        proto_max_bulk_len: u64 = "proto-max-bulk-len" [], memory(1 << 20), "512mb", Live;
            "Largest single argument, and largest string"
        proto_max_args: u64 = "proto-max-args" [], int(16, INT_MAX), "1048576", Live;
            "Most arguments of one command"
        proto_inline_max_len: u64 = "proto-inline-max-len" [],
            Kind::Memory { min: 1024, max: 1 << 30 }, "64kb", Live;
            "Longest inline command"
        client_query_buffer_limit: u64 = "client-query-buffer-limit" [], memory(1 << 20), "1gb", Live;
            "Most unprocessed input of one client"
        client_output_buffer_limit: Arc<[u8]> = "client-output-buffer-limit" [],
            Kind::List(List::OutputLimits),
            "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", Live;
            "Most unread output of one client, by class: hard limit, soft limit, seconds"
    }
    Notifications {
        notify_keyspace_events: EventClass = "notify-keyspace-events" [], Kind::Events, "", Live;
            "Classes of keyspace events to publish, as letters; empty is none"
    }
    Memory {
        maxmemory: u64 = "maxmemory" [], memory(0), "0", Live;
            "Memory that data may take; 0 is no limit"
        maxmemory_policy: EvictionPolicy = "maxmemory-policy" [],
            Kind::Choice(EvictionPolicy::NAMES), "noeviction", Live;
            "What goes when memory is full"
        maxmemory_samples: u32 = "maxmemory-samples" [], int(1, 64), "5", Live;
            "Keys compared to choose one to evict"
        lfu_log_factor: u32 = "lfu-log-factor" [], int(0, INT_MAX), "10", Live;
            "How slowly the counter of uses saturates"
        lfu_decay_time: u32 = "lfu-decay-time" [], int(0, INT_MAX), "1", Live;
            "Minutes after which the counter of uses goes down; 0 is never"
        hash_max_listpack_entries: u64 = "hash-max-listpack-entries" ["hash-max-ziplist-entries"],
            int(0, i64::MAX), "512", Live;
            "Most fields of a hash that is kept in one block"
        hash_max_listpack_value: u64 = "hash-max-listpack-value" ["hash-max-ziplist-value"], memory(0), "64", Live;
            "Longest field or value of such a hash"
        list_max_listpack_size: i64 = "list-max-listpack-size" ["list-max-ziplist-size"],
            int(i32::MIN as i64, INT_MAX), "-2", Live;
            "Most elements of a list that is kept in one block; -1 to -5: 4 to 64 kb"
        set_max_intset_entries: u64 = "set-max-intset-entries" [], int(0, i64::MAX), "512", Live;
            "Most members of a set of integers that is kept in one block"
        set_max_listpack_entries: u64 = "set-max-listpack-entries" [], int(0, i64::MAX), "128", Live;
            "Most members of another set that is kept in one block"
        set_max_listpack_value: u64 = "set-max-listpack-value" [], int(0, i64::MAX), "64", Live;
            "Longest member of such a set"
        zset_max_listpack_entries: u64 = "zset-max-listpack-entries" ["zset-max-ziplist-entries"],
            int(0, i64::MAX), "128", Live;
            "Most members of a sorted set that is kept in one block"
        zset_max_listpack_value: u64 = "zset-max-listpack-value" ["zset-max-ziplist-value"], memory(0), "64", Live;
            "Longest member of such a sorted set"
    }
    Persistence {
        persist: bool = "persist" ["appendonly"], Kind::Flag, "no", Pinned;
            "Keep the data on disk: log every write, recover at start"
        dbfile: PathBuf = "dbfile" [], Kind::Text(check::not_empty), "data.db", AtStart;
            "The database file; its log is beside it"
        dir: PathBuf = "dir" [], Kind::Text(check::not_empty), ".", Pinned, protected();
            "Folder in which relative file names are"
        fsync: FsyncPolicy = "fsync" ["appendfsync"], Kind::Choice(FsyncPolicy::NAMES), "everysec", Live;
            "When writes reach stable storage: always is before the reply"
        segment_bytes: u64 = "segment-bytes" [], Kind::Pages { min: 4 << 20, max: 1 << 30 }, "64mb", Pinned;
            "Size of one file of the log"
        auto_compaction_percentage: u64 = "auto-compaction-percentage" ["auto-aof-rewrite-percentage"],
            int(0, INT_MAX), "100", Live;
            "Compact when the log has outgrown the snapshot by this much; 0 is never"
        auto_compaction_min_size: u64 = "auto-compaction-min-size" ["auto-aof-rewrite-min-size"],
            memory(0), "64mb", Live;
            "Do not compact by itself a log smaller than this"
        save: Vec<SavePoint> = "save" [], Kind::List(List::Save), "", Live;
            "Compact after so many seconds if so many keys have changed; \"\" is never"
    }
    Replication {
        replicaof: Option<Primary> = "replicaof" ["slaveof"], Kind::List(List::ReplicaOf), "", AtStart;
            "Primary to follow: host:port, or host and port; REPLICAOF changes it"
        masteruser: Arc<[u8]> = "masteruser" ["primaryuser"], Kind::Text(check::bytes), "", Live;
            "User as whom to follow the primary; empty is the default user"
        masterauth: Arc<[u8]> = "masterauth" ["primaryauth"], Kind::Text(check::bytes), "", Live;
            "Password to give to the primary; empty for none"
        replica_serve_stale_data: bool = "replica-serve-stale-data" ["slave-serve-stale-data"],
            Kind::Flag, "yes", Live;
            "Answer reads while the link to the primary is down"
        replica_read_only: bool = "replica-read-only" ["slave-read-only"], Kind::Flag, "yes", Live,
            only("yes", "a replica's log is its primary's byte for byte, so it takes no writes of its own");
            "Refuse writes on a replica; always so"
        replica_priority: u32 = "replica-priority" ["slave-priority"], int(0, INT_MAX), "100", Live;
            "Order in which Sentinel promotes, lowest first; 0 is never"
        replica_announced: bool = "replica-announced" [], Kind::Flag, "yes", Live;
            "Let Sentinel tell clients of this replica"
        replica_announce_ip: Arc<[u8]> = "replica-announce-ip" ["slave-announce-ip"],
            Kind::Text(check::any), "", Live;
            "Address that a replica tells its primary; empty is that of its connection"
        replica_announce_port: u16 = "replica-announce-port" ["slave-announce-port"], int(0, 65535), "0", Live;
            "Port that a replica tells its primary; 0 is that on which it listens"
        min_replicas_to_write: u32 = "min-replicas-to-write" ["min-slaves-to-write"], int(0, INT_MAX), "0", Live;
            "Refuse writes with fewer replicas that keep up; 0 is never"
        min_replicas_max_lag: u32 = "min-replicas-max-lag" ["min-slaves-max-lag"], int(0, INT_MAX), "10", Live;
            "Seconds of silence after which a replica does not count for that; 0 counts none and refuses nothing"
        repl_backlog_size: u64 = "repl-backlog-size" [], memory(1), "256mb", Live;
            "Log kept for replicas beyond what the snapshot needs"
        repl_backlog_ttl: u64 = "repl-backlog-ttl" [], int(0, i64::MAX), "3600", Live;
            "Seconds for which the place of an absent replica is kept"
        repl_timeout: u32 = "repl-timeout" [], int(1, INT_MAX), "60", Live;
            "Seconds of silence after which a link of replication is given up"
        repl_ping_replica_period: u32 = "repl-ping-replica-period" ["repl-ping-slave-period"],
            int(1, INT_MAX), "10", Live;
            "Seconds between signs of life to replicas"
    }
    Diagnostics {
        loglevel: LogLevel = "loglevel" [], Kind::Choice(LogLevel::NAMES), "notice", Live;
            "Least important messages to write"
        log_format: LogFormat = "log-format" [], Kind::Choice(LogFormat::NAMES), "text", Pinned;
            "Form of the messages"
        logfile: PathBuf = "logfile" [], Kind::Text(check::any), "", AtStart;
            "File to write messages to; empty for standard output"
        slowlog_log_slower_than: i64 = "slowlog-log-slower-than" [], int(-1, i64::MAX), "10000", Live;
            "Microseconds from which a command is slow; -1 is none, 0 is all"
        slowlog_max_len: u64 = "slowlog-max-len" [], int(0, i64::MAX), "128", Live;
            "Slow commands remembered"
        latency_tracking: bool = "latency-tracking" [], Kind::Flag, "yes", Live;
            "Keep the spread of each command's time"
        latency_tracking_info_percentiles: Vec<f64> = "latency-tracking-info-percentiles" [],
            Kind::List(List::Percentiles), "50 99 99.9", Live;
            "Percentiles of it that INFO shows"
    }
}

/// How many settings there are.
pub(super) const COUNT: usize = OWN.len() + COMPATIBILITY.len();

static ALL: [Setting; COUNT] = {
    let mut all = [OWN[0]; COUNT];
    let mut at = 0;
    while at < COUNT {
        all[at] = if at < OWN.len() { OWN[at] } else { COMPATIBILITY[at - OWN.len()] };
        at += 1;
    }
    all
};

/// Every setting: those with an effect in the order of the help, then those kept for compatibility.
pub static SETTINGS: &[Setting] = &ALL;

/// The place of `dir`, whose value is made absolute.
pub(super) const DIR: usize = Row::dir as usize;
/// The place of `dbfile`.
pub(super) const DBFILE: usize = Row::dbfile as usize;
/// The place of `persist`.
pub(super) const PERSIST: usize = Row::persist as usize;
/// The place of `port`.
pub(super) const PORT: usize = Row::port as usize;
/// The place of `unixsocket`.
pub(super) const UNIXSOCKET: usize = Row::unixsocket as usize;
/// The place of `replicaof`, which REPLICAOF changes.
pub(super) const REPLICAOF: usize = Row::replicaof as usize;
/// The place of `client-output-buffer-limit`, which is kept as numbers too.
pub(super) const OUTPUT_LIMITS: usize = Row::client_output_buffer_limit as usize;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::kind::Value;
    use std::collections::HashSet;

    #[test]
    fn each_accessor_has_the_name_of_its_setting() {
        for (accessor, setting) in ACCESSORS.iter().zip(OWN) {
            assert_eq!(accessor.replace('_', "-"), setting.name);
        }
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut seen = HashSet::new();
        for name in SETTINGS.iter().flat_map(Setting::names) {
            assert!(seen.insert(name), "{name}");
            assert_eq!(name, name.to_ascii_lowercase());
        }
    }

    #[test]
    fn every_default_is_a_value_and_shows_as_one_that_reads_back() {
        for setting in SETTINGS {
            let value = setting.parse(setting.default.as_bytes(), &Value::empty());
            let value = value.unwrap_or_else(|bad| panic!("{}: {bad}", setting.name));
            let shown = setting.kind.render(&value);
            assert_eq!(setting.parse(&shown, &Value::empty()), Ok(value), "{}", setting.name);
        }
    }

    #[test]
    fn every_setting_with_an_effect_is_explained_in_one_line() {
        for setting in OWN {
            assert!(!setting.help.is_empty() && !setting.help.contains('\n'), "{}", setting.name);
            assert!(!setting.help.ends_with('.'), "{}", setting.name);
        }
    }
}
