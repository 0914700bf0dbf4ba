//! Redis's own tools and its most used client library, unchanged, against this server.
//!
//! A tool that is missing fails the test: `tools/test` installs them.

use crate::harness::{Launch, Server};
use std::io::Write;
use std::process::{Command, Stdio};

/// Runs a program to its end; what it printed to both outputs, and whether it succeeded.
#[track_caller]
fn run(program: &str, args: &[&str], input: &str) -> (String, bool) {
    let spawned = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child =
        spawned.unwrap_or_else(|error| panic!("{program} does not run ({error}); tools/test installs it"));
    child.stdin.take().expect("an input").write_all(input.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("its end");
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.success())
}

#[track_caller]
fn redis_cli(server: &Server, args: &[&str], input: &str) -> String {
    let port = server.port().to_string();
    run("redis-cli", &[&["-p", &port], args].concat(), input).0
}

#[test]
fn redis_cli_talks_to_it() {
    let server = Launch::persistent(&[]).start();
    let cli = |args: &[&str]| redis_cli(&server, args, "");
    assert_eq!(cli(&["ping"]), "PONG\n");
    assert_eq!(cli(&["set", "name", "John Doe"]), "OK\n");
    assert_eq!(cli(&["--no-raw", "get", "name"]), "\"John Doe\"\n");
    assert_eq!(cli(&["--no-raw", "incr", "visits"]), "(integer) 1\n");
    assert_eq!(cli(&["--no-raw", "get", "none"]), "(nil)\n");
    assert_eq!(cli(&["-3", "--no-raw", "config", "get", "databases"]), "1# \"databases\" => \"16\"\n");
    assert_eq!(cli(&["-n", "5", "dbsize"]), "0\n");
    assert!(cli(&["incr", "name"]).contains("ERR value is not an integer or out of range"));
    assert_eq!(redis_cli(&server, &[], "multi\nset a 1\nincr a\nexec\n"), "OK\nQUEUED\nQUEUED\nOK\n2\n");
    assert!(cli(&["info", "server"]).contains("redis_version:7."));
    assert_eq!(cli(&["--scan", "--pattern", "n*"]), "name\n");
    let keys = redis_cli(&server, &["-x", "set", "from-stdin"], "all of\nthis");
    assert_eq!((keys.as_str(), cli(&["get", "from-stdin"]).as_str()), ("OK\n", "all of\nthis\n"));
}

#[test]
fn redis_cli_loads_a_million_bytes_of_protocol() {
    let server = Server::start(&[]);
    let set = |key| format!("*3\r\n$3\r\nSET\r\n$9\r\nkey:{key:05}\r\n$5\r\n{key:05}\r\n");
    let input: String = (0..20_000).map(set).collect();
    let report = redis_cli(&server, &["--pipe"], &input);
    assert!(report.contains("errors: 0, replies: 20000"), "{report}");
    assert_eq!(redis_cli(&server, &["dbsize"], ""), "20000\n");
}

#[test]
fn redis_benchmark_has_no_complaints() {
    for options in [&["-persist", "-dbfile", "data.db"][..], &[]] {
        let server = Server::start(options);
        for pipeline in ["1", "16"] {
            benchmark(&server, pipeline);
        }
    }
}

fn benchmark(server: &Server, pipeline: &str) {
    const TESTS: [&str; 6] = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"];
    let port = server.port().to_string();
    let names = "ping_inline,ping_mbulk,set,get,incr,mset";
    let size = ["-n", "20000", "-r", "1000", "-c", "20", "--csv"];
    let (report, success) =
        run("redis-benchmark", &[&["-p", &port, "-t", names, "-P", pipeline][..], &size].concat(), "");
    assert!(success, "{report}");
    for text in ["rror", "WARN", "refused"] {
        assert!(!report.contains(text), "{report}");
    }
    for test in TESTS {
        let line = report.lines().find(|line| line.starts_with(&format!("\"{test}\"")));
        let line = line.unwrap_or_else(|| panic!("no {test} in {report}"));
        let rate = line.split(',').nth(1).expect("a rate").trim_matches('"');
        assert!(rate.parse::<f64>().expect("a number") > 0.0, "{line}");
    }
    let failed = server.connect().ask("INFO errorstats").text();
    assert!(!failed.contains("errorstat_"), "{failed}");
}

#[test]
fn redis_py_works_unchanged() {
    let python = std::env::var("GOREDIS_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/redis_py.py");
    let server = Launch::persistent(&[]).start();
    let (report, success) = run(&python, &[script, &server.port().to_string()], "");
    assert!(success, "{python} {script}: {report}");
    assert!(report.ends_with("all good\n"), "{report}");
}
