//! What stops a start: one line that says what, where and what to do, and a status of failure.

use crate::harness::{Launch, Server, until};
use std::fs::{self, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

/// A database with a few keys, brought to stable storage and closed.
fn closed_database() -> Launch {
    let launch = Launch::persistent(&["-fsync", "always", "-segment-bytes", "4mb"]);
    let server = launch.start();
    let mut wire = server.connect();
    for key in 0..100 {
        wire.ask(&format!("SET key:{key} value:{key}"));
    }
    assert!(server.stop().success());
    launch
}

fn read_at(path: &Path, offset: u64, bytes: usize) -> Vec<u8> {
    let mut buffer = vec![0; bytes];
    OpenOptions::new()
        .read(true)
        .open(path)
        .expect("opened")
        .read_exact_at(&mut buffer, offset)
        .expect("read");
    buffer
}

fn write_at(path: &Path, offset: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).expect("opened").write_all_at(bytes, offset).expect("written");
}

#[test]
fn a_missing_folder_is_named() {
    Launch::new(&["-persist", "-dbfile", "nowhere/data.db"]).refusal().says(&[
        "nowhere/data.db.lock",
        "No such file or directory",
        "choose another -dbfile",
    ]);
}

#[test]
fn a_file_in_the_place_of_the_folder_is_named() {
    let launch = Launch::new(&["-persist", "-dbfile", "taken/data.db"]);
    fs::write(launch.folder().join("taken"), "a file").expect("written");
    launch.refusal().says(&["taken", "Not a directory"]);
}

#[test]
fn a_folder_that_may_not_be_written_is_named() {
    let launch = Launch::new(&["-persist", "-dbfile", "closed/data.db"]);
    let folder = launch.folder().join("closed");
    fs::create_dir(&folder).expect("made");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).expect("closed");
    // SAFETY: the call only reads the process's own identity.
    if unsafe { libc::geteuid() } == 0 {
        // Why: nothing is closed to root, so root gets a place where nobody can make a file.
        let nowhere = Launch::new(&["-persist", "-dbfile", "/proc/self/data.db"]);
        nowhere.refusal().says(&["/proc/self/data.db.lock"]);
    } else {
        launch.refusal().says(&["closed/data.db", "Permission denied"]);
    }
}

#[test]
fn a_folder_in_the_place_of_the_database_is_named() {
    let launch = Launch::persistent(&[]);
    fs::create_dir(launch.dbfile()).expect("made");
    launch.refusal().says(&["data.db", "Is a directory"]);
}

#[test]
fn a_database_that_another_server_has_open_is_left_alone() {
    let launch = Launch::persistent(&[]);
    let server = launch.start();
    server.connect().ask("SET a 1");
    launch.refusal().says(&["data.db", "another server", &server.id().to_string()]);
    server.connect().talk(&[("GET a", "$1\r\n1\r\n"), ("SET a 2", "+OK\r\n")]);
    server.killed_and_restarted().connect().talk(&[("GET a", "$1\r\n2\r\n")]);
}

#[test]
fn a_port_that_is_taken_is_named_before_any_file_is_made() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let launch = Launch::persistent(&[]);
    launch.refusal_on(port).says(&[&format!("127.0.0.1:{port}"), "another program", "-port"]);
    assert!(launch.segments().is_empty());
}

#[test]
fn damage_before_the_durable_mark_is_refused_and_named() {
    let launch = closed_database();
    let segment = launch.segments().remove(0);
    // The 50th byte of the log's data is in the first record, behind its head.
    let offset = 4096 + 50;
    let byte = read_at(&segment, offset, 1)[0];
    write_at(&segment, offset, &[byte ^ 0x40]);
    let before = fs::read(&segment).expect("read");
    let name = segment.to_string_lossy().into_owned();
    launch.refusal().says(&[&name, "damaged", "offset", "goredis-log repair"]);
    assert!(before == fs::read(&segment).expect("read"), "a refused start changed the file");
    write_at(&segment, offset, &[byte]);
    launch.start().connect().talk(&[("DBSIZE", ":100\r\n"), ("GET key:0", "$7\r\nvalue:0\r\n")]);
}

#[test]
fn a_log_that_lost_its_end_is_refused() {
    let launch = closed_database();
    let segment = launch.segments().remove(0);
    OpenOptions::new().write(true).open(&segment).expect("opened").set_len(5000).expect("cut");
    launch.refusal().says(&["data.db.log.", "goredis-log repair"]);
}

#[test]
fn a_log_of_a_newer_format_is_refused() {
    let launch = closed_database();
    let segment = launch.segments().remove(0);
    let mut page = read_at(&segment, 0, 4096);
    page[8..12].copy_from_slice(&2_u32.to_le_bytes());
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&page[..508]);
    checksum.update(&page[1536..]);
    page[508..512].copy_from_slice(&checksum.finalize().to_le_bytes());
    write_at(&segment, 0, &page);
    launch.refusal().says(&["data.db.log.", "version 2", "up to 1"]);
}

#[test]
fn a_snapshot_of_a_newer_format_is_refused() {
    let launch = closed_database();
    let server = launch.start();
    server.connect().talk(&[("SAVE", "+OK\r\n")]);
    assert!(server.stop().success());
    let mut header = read_at(&launch.dbfile(), 0, 64);
    header[8..12].copy_from_slice(&2_u32.to_le_bytes());
    let checksum = crc32fast::hash(&header[..60]);
    header[60..].copy_from_slice(&checksum.to_le_bytes());
    write_at(&launch.dbfile(), 0, &header);
    launch.refusal().says(&["data.db", "version 2"]);
}

#[test]
fn a_damaged_snapshot_is_refused_and_named() {
    let launch = closed_database();
    let server = launch.start();
    server.connect().talk(&[("SAVE", "+OK\r\n")]);
    assert!(server.stop().success());
    write_at(&launch.dbfile(), 100, b"not what was there");
    launch.refusal().says(&["data.db", "damaged"]);
}

#[test]
fn a_wrong_setting_is_named_with_the_nearest_right_one() {
    Launch::new(&["-prot", "7000"]).refusal().says(&["'prot'", "'port'"]);
    Launch::new(&["-fsync", "often"]).refusal().says(&["fsync", "often", "everysec, always, no"]);
    let launch = Launch::new(&["goredis.conf"]);
    fs::write(launch.folder().join("goredis.conf"), "timeout 5\ntimeotu 6\n").expect("written");
    launch.refusal().says(&["goredis.conf:2", "timeotu", "timeout"]);
}

#[test]
fn a_start_tells_what_it_does_in_lines_and_as_json() {
    let launch = closed_database();
    let messages = launch.start().messages();
    for part in ["GoRedis is starting", "database opened", "keys=100", "Ready to accept connections"] {
        assert!(messages.contains(part), "no {part} in {messages}");
    }
    let server = Server::start(&["-log-format", "json"]);
    until("a message", || !server.messages().is_empty());
    for line in server.messages().lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "not JSON: {line}");
    }
}

#[test]
fn help_names_the_settings_and_version_the_version() {
    let run = |arg: &str| {
        let output =
            std::process::Command::new(env!("CARGO_BIN_EXE_goredis")).arg(arg).output().expect("run");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(run("--help").contains("--dbfile"));
    assert_eq!(run("--version"), format!("goredis {}\n", env!("CARGO_PKG_VERSION")));
}
