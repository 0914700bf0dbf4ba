//! Directives that Redis has and this server keeps without acting on them.
//!
//! They are accepted in the configuration file, on the command line and by CONFIG SET, with the checks and error
//! texts of Redis, and CONFIG GET gives them back: so a redis.conf from elsewhere loads, and tools that read or set
//! them go on. None has an effect. A value whose missing effect would hurt (a cluster, TLS, an ACL file, a
//! process that should go to the background) is refused instead, with the reason.

use super::choice::Permission;
use super::kind::{Kind, check};
use super::lists::List;
use super::setting::{Change, Section, Setting};
use super::table::{INT_MAX, int, memory};

const NO_CLUSTER: &str = "this server has no cluster mode";
const NO_TLS: &str = "this server does not speak TLS; put a TLS proxy before it";
const NO_DAEMON: &str = "this server stays in the foreground; let a service manager or the shell's & run it";

const NO_ACL: &str = "this server has no ACL files; use requirepass";
const NO_DEFRAG: &str = "Active defragmentation cannot be enabled: this server moves no memory";
const NO_SYSLOG: &str = "this server does not write to syslog; use logfile, or standard output";

/// A row that CONFIG SET may change.
const fn live(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    default: &'static str,
) -> Setting {
    Setting::new(Section::Compatibility, name, aliases, kind, default, Change::Live)
}

/// A row that only the start sets.
const fn fixed(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    default: &'static str,
) -> Setting {
    Setting::new(Section::Compatibility, name, aliases, kind, default, Change::AtStart)
}

const FLAG: Kind = Kind::Flag;
const TEXT: Kind = Kind::Text(check::any);
const BYTES: Kind = Kind::Text(check::bytes);
const COUNT: Kind = int(0, INT_MAX);
const LONG: Kind = int(0, i64::MAX);
const PORT: Kind = int(0, 65535);

/// The rows.
pub(super) const COMPATIBILITY: &[Setting] = &[
    // The process.
    fixed("daemonize", &[], FLAG, "no").only("no", NO_DAEMON),
    // Why: with systemd or upstart named, they would wait for a report that never comes.
    fixed("supervised", &[], Kind::Choice(&["auto", "no"]), "no"),
    fixed("always-show-logo", &[], FLAG, "no"),
    fixed("set-proc-title", &[], FLAG, "yes"),
    live("proc-title-template", &[], Kind::Text(check::title), "{title} {listen-addr} {server-mode}"),
    fixed("syslog-enabled", &[], FLAG, "no").only("no", NO_SYSLOG),
    fixed("syslog-ident", &[], TEXT, "redis"),
    fixed(
        "syslog-facility",
        &[],
        Kind::Choice(&[
            "user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
        ]),
        "local0",
    ),
    live("crash-log-enabled", &[], FLAG, "yes"),
    live("crash-memcheck-enabled", &[], FLAG, "yes"),
    live("use-exit-on-panic", &[], FLAG, "no").hidden(),
    fixed("disable-thp", &[], FLAG, "yes"),
    live("oom-score-adj", &[], Kind::Choice(&["no", "yes", "relative", "absolute"]), "no"),
    live("oom-score-adj-values", &[], Kind::List(List::OomScores), "0 200 800"),
    fixed("server-cpulist", &["server_cpulist"], TEXT, ""),
    fixed("bio-cpulist", &["bio_cpulist"], TEXT, ""),
    fixed("aof-rewrite-cpulist", &["aof_rewrite_cpulist"], TEXT, ""),
    fixed("bgsave-cpulist", &["bgsave_cpulist"], TEXT, ""),
    live("ignore-warnings", &[], TEXT, ""),
    live("locale-collate", &[], TEXT, ""),
    live("dynamic-hz", &[], FLAG, "yes"),
    live("watchdog-period", &[], COUNT, "0").hidden(),
    live("jemalloc-bg-thread", &[], FLAG, "yes"),
    live("shutdown-timeout", &[], COUNT, "10"),
    live("shutdown-on-sigint", &[], Kind::List(List::ShutdownWords), "default"),
    live("shutdown-on-sigterm", &[], Kind::List(List::ShutdownWords), "default"),
    fixed("enable-module-command", &[], Kind::Choice(Permission::NAMES), "no"),
    fixed("enable-debug-assert", &[], FLAG, "no").hidden(),
    live("hide-user-data-from-log", &[], FLAG, "yes").hidden(),
    // Connections.
    fixed("io-threads-do-reads", &[], FLAG, "no"),
    live("bind-source-addr", &[], TEXT, ""),
    fixed("socket-mark-id", &[], int(0, u32::MAX as i64), "0"),
    live("max-new-connections-per-cycle", &[], int(1, 1000), "10"),
    live("max-new-tls-connections-per-cycle", &[], int(1, 1000), "1"),
    live("maxmemory-clients", &[], Kind::MemoryOrPercent, "0"),
    live("tracking-table-max-keys", &[], LONG, "1000000"),
    fixed("aclfile", &[], TEXT, "").only("", NO_ACL),
    live("acllog-max-len", &[], LONG, "128"),
    live("acl-pubsub-default", &[], Kind::Choice(&["allchannels", "resetchannels"]), "resetchannels"),
    // Memory.
    live("maxmemory-eviction-tenacity", &[], int(0, 100), "10"),
    live("active-expire-effort", &[], int(1, 10), "1"),
    live("activerehashing", &[], FLAG, "yes"),
    live("activedefrag", &[], FLAG, "no").only("no", NO_DEFRAG),
    live("active-defrag-cycle-min", &[], int(1, 99), "1"),
    live("active-defrag-cycle-max", &[], int(1, 99), "25"),
    live("active-defrag-threshold-lower", &[], int(0, 1000), "10"),
    live("active-defrag-threshold-upper", &[], int(0, 1000), "100"),
    live("active-defrag-max-scan-fields", &[], int(1, i64::MAX), "1000"),
    live("active-defrag-ignore-bytes", &[], memory(1), "100mb"),
    live("lazyfree-lazy-eviction", &[], FLAG, "no"),
    live("lazyfree-lazy-expire", &[], FLAG, "no"),
    live("lazyfree-lazy-server-del", &[], FLAG, "no"),
    live("lazyfree-lazy-user-del", &[], FLAG, "no"),
    live("lazyfree-lazy-user-flush", &[], FLAG, "no"),
    // Encodings of values.
    live("list-compress-depth", &[], COUNT, "0"),
    live("hll-sparse-max-bytes", &[], memory(0), "3000"),
    live("stream-node-max-bytes", &[], memory(0), "4096"),
    live("stream-node-max-entries", &[], LONG, "100"),
    // Scripts.
    live("busy-reply-threshold", &["lua-time-limit"], LONG, "5000"),
    // Diagnostics.
    live("latency-monitor-threshold", &[], LONG, "0"),
    live(
        "propagation-error-behavior",
        &[],
        Kind::Choice(&["ignore", "panic", "panic-on-replicas"]),
        "ignore",
    ),
    // Redis's two forms of files.
    live("stop-writes-on-bgsave-error", &[], FLAG, "yes"),
    live("dbfilename", &[], Kind::Text(check::dbfilename), "dump.rdb").protected(),
    fixed("rdbchecksum", &[], FLAG, "yes"),
    live("rdbcompression", &[], FLAG, "yes"),
    live("rdb-del-sync-files", &[], FLAG, "no"),
    live("rdb-save-incremental-fsync", &[], FLAG, "yes"),
    live("rdb-key-save-delay", &[], int(i32::MIN as i64, INT_MAX), "0").hidden(),
    live("key-load-delay", &[], int(i32::MIN as i64, INT_MAX), "0").hidden(),
    live("loading-process-events-interval-bytes", &[], int(1024, INT_MAX), "2097152").hidden(),
    live("sanitize-dump-payload", &[], Kind::Choice(&["no", "yes", "clients"]), "no"),
    fixed("appendfilename", &[], Kind::Text(check::appendfilename), "appendonly.aof"),
    fixed("appenddirname", &[], Kind::Text(check::appenddirname), "appendonlydir"),
    live("no-appendfsync-on-rewrite", &[], FLAG, "no"),
    live("aof-load-truncated", &[], FLAG, "yes"),
    live("aof-use-rdb-preamble", &[], FLAG, "yes"),
    live("aof-timestamp-enabled", &[], FLAG, "no"),
    live("aof-rewrite-incremental-fsync", &[], FLAG, "yes"),
    live("aof-disable-auto-gc", &[], FLAG, "no").hidden(),
    // Replication.
    live("replica-ignore-maxmemory", &["slave-ignore-maxmemory"], FLAG, "yes"),
    live("replica-ignore-disk-write-errors", &[], FLAG, "no"),
    live("replica-lazy-flush", &["slave-lazy-flush"], FLAG, "no"),
    live("repl-disable-tcp-nodelay", &[], FLAG, "no"),
    live("repl-diskless-sync", &[], FLAG, "yes"),
    live("repl-diskless-sync-delay", &[], COUNT, "5"),
    live("repl-diskless-sync-max-replicas", &[], COUNT, "0"),
    live(
        "repl-diskless-load",
        &[],
        Kind::Choice(&["disabled", "on-empty-db", "swapdb", "flush-before-load"]),
        "disabled",
    ),
    // Cluster.
    fixed("cluster-enabled", &[], FLAG, "no").only("no", NO_CLUSTER),
    fixed("cluster-config-file", &[], TEXT, "nodes.conf"),
    fixed("cluster-port", &[], PORT, "0"),
    live("cluster-node-timeout", &[], LONG, "15000"),
    live("cluster-replica-validity-factor", &["cluster-slave-validity-factor"], COUNT, "10"),
    live("cluster-replica-no-failover", &["cluster-slave-no-failover"], FLAG, "no"),
    live("cluster-migration-barrier", &[], COUNT, "1"),
    live("cluster-allow-replica-migration", &[], FLAG, "yes"),
    live("cluster-require-full-coverage", &[], FLAG, "yes"),
    live("cluster-allow-reads-when-down", &[], FLAG, "no"),
    live("cluster-allow-pubsubshard-when-down", &[], FLAG, "yes"),
    live("cluster-link-sendbuf-limit", &[], memory(0), "0"),
    live("cluster-announce-ip", &[], TEXT, ""),
    live("cluster-announce-hostname", &[], TEXT, ""),
    live("cluster-announce-human-nodename", &[], TEXT, ""),
    live("cluster-announce-port", &[], PORT, "0"),
    live("cluster-announce-bus-port", &[], PORT, "0"),
    live("cluster-announce-tls-port", &[], PORT, "0"),
    live("cluster-preferred-endpoint-type", &[], Kind::Choice(&["ip", "hostname", "unknown-endpoint"]), "ip"),
    // TLS.
    live("tls-port", &[], PORT, "0").only("0", NO_TLS),
    live("tls-cluster", &[], FLAG, "no").only("no", NO_TLS),
    live("tls-replication", &[], FLAG, "no").only("no", NO_TLS),
    live("tls-auth-clients", &[], Kind::Choice(&["no", "yes", "optional"]), "yes"),
    live("tls-prefer-server-ciphers", &[], FLAG, "no"),
    live("tls-session-caching", &[], FLAG, "yes"),
    live("tls-session-cache-size", &[], COUNT, "20480"),
    live("tls-session-cache-timeout", &[], COUNT, "300"),
    live("tls-cert-file", &[], TEXT, ""),
    live("tls-key-file", &[], TEXT, ""),
    live("tls-key-file-pass", &[], BYTES, ""),
    live("tls-client-cert-file", &[], TEXT, ""),
    live("tls-client-key-file", &[], TEXT, ""),
    live("tls-client-key-file-pass", &[], BYTES, ""),
    live("tls-dh-params-file", &[], TEXT, ""),
    live("tls-ca-cert-file", &[], TEXT, ""),
    live("tls-ca-cert-dir", &[], TEXT, ""),
    live("tls-protocols", &[], TEXT, ""),
    live("tls-ciphers", &[], TEXT, ""),
    live("tls-ciphersuites", &[], TEXT, ""),
];

/// Directives that are no settings and cannot be passed over in silence: each with the reason.
pub(super) const REFUSED: &[(&str, &str)] = &[
    ("rename-command", "this server does not rename commands"),
    ("loadmodule", "this server loads no modules"),
    ("user", NO_ACL),
];
