//! The comparison with Redis as people run it: `goredis-bench --quick`, and what stops it.
//!
//! A redis-server that is missing fails the first test: `tools/test` installs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const ROWS: [&str; 9] =
    ["cpu", "threads", "latency", "memory", "scale", "always", "scan", "expiry", "recovery"];

/// Runs it to its end, with the report going into `out`.
fn bench(out: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goredis-bench"));
    command.args(["--server", env!("CARGO_BIN_EXE_goredis"), "--quick", "--out"]).arg(out).args(args);
    command.output().expect("the tool's program")
}

/// Checks that it failed with one line that holds all of `parts`.
#[track_caller]
fn says(output: &Output, parts: &[&str]) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.lines().last().unwrap_or_default();
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(last.starts_with("goredis-bench: "), "{complaint}");
    for part in parts {
        assert!(last.contains(part), "no {part:?} in: {complaint}");
    }
}

#[test]
fn a_quick_run_reports_every_row_and_leaves_nothing_else() {
    let folder = TempDir::new().expect("a temporary folder");
    let output = bench(folder.path(), &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = fs::read_to_string(folder.path().join("report.md")).expect("a report");
    for row in ROWS {
        let (_, part) =
            report.split_once(&format!("(`{row}`)\n")).unwrap_or_else(|| panic!("no {row}: {report}"));
        let part = part.split("\n## ").next().unwrap_or_default();
        let has_line_of = |server: &str| part.lines().any(|line| line.contains(&format!("| {server}")));
        assert!(has_line_of("Redis") && has_line_of("GoRedis"), "{row} lacks a server: {part}");
    }
    for entry in fs::read_dir(folder.path()).expect("the folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        assert!(name == "report.md" || report.contains(&format!("]({name})")), "{name} is left behind");
    }
}

#[test]
fn a_program_that_is_missing_or_does_not_start_is_named_in_one_line() {
    let folder = TempDir::new().expect("a temporary folder");
    let missing = bench(folder.path(), &["--redis", "/nowhere/redis-server"]);
    says(&missing, &["/nowhere/redis-server", "package redis-server"]);
    let wrong = bench(folder.path(), &["--only", "scan", "--redis", "true"]);
    says(&wrong, &["Redis", "did not start"]);
}
