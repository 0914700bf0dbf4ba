//! No room: writes get an error, reads go on, writes resume by themselves, and nothing is lost.

use crate::harness::{Launch, Reply, Server, Wire, until};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system in memory, taken away when dropped.
pub struct SmallDisk {
    pub folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one at `folder`, if this process may.
    pub fn mount(folder: PathBuf) -> Option<Self> {
        fs::create_dir(&folder).expect("made");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=32m", "goredis-test"]).arg(&folder);
        mount.output().is_ok_and(|output| output.status.success()).then_some(Self { folder })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Why: lazily, for a server that a failed test leaves behind is killed only after this.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).output();
    }
}

/// Writes keys of 10,000 bytes until one is refused; tells how many were taken, and the error.
pub fn write_until_refused(wire: &mut Wire, from: usize) -> (usize, String) {
    let value = "v".repeat(10_000);
    for key in from..from + 10_000 {
        match wire.call(&["SET", &format!("key:{key}"), &value]) {
            Reply::Status(_) => {}
            Reply::Error(error) => return (key, error),
            other => panic!("{other:?}"),
        }
    }
    panic!("the disk was never full");
}

/// Fills the disk under a server, makes room with `make_room`, and looks whether all is well.
fn fill_and_make_room(server: Server, make_room: impl FnOnce()) {
    let mut wire = server.connect();
    let (written, error) = write_until_refused(&mut wire, 0);
    assert!(written > 10, "only {written} values fit: {error}");
    assert!(error.contains("no room"), "{error}");
    // Nothing is changed by what was refused, and reads go on.
    assert_eq!(wire.ask(&format!("EXISTS key:{written}")).int(), 0);
    assert_eq!(wire.ask("GET key:0").text().len(), 10_000);
    assert_eq!(wire.ask("DBSIZE").int() as usize, written);
    // A refused transaction is refused whole.
    wire.talk(&[("MULTI", "+OK\r\n")]);
    let value = "v".repeat(10_000);
    for key in ["both:1", "both:2"] {
        assert_eq!(wire.call(&["SET", key, &value]).text(), "QUEUED");
    }
    let _refused = wire.ask("EXEC");
    assert_eq!(wire.ask("EXISTS both:1 both:2").int(), 0);
    make_room();
    until("writes to be taken again", || wire.ask("SET again 1") == Reply::Status("OK".to_owned()));
    let server = server.killed_and_restarted();
    let mut wire = server.connect();
    assert_eq!(wire.ask("DBSIZE").int() as usize, written + 1);
    for key in 0..written {
        assert_eq!(wire.ask(&format!("STRLEN key:{key}")).int(), 10_000);
    }
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let launch = Launch::new(&["-persist", "-dbfile", "small/data.db", "-save", "", "-segment-bytes", "4mb"]);
    let Some(disk) = SmallDisk::mount(launch.folder().join("small")) else {
        // Why: only root can make a disk of known size; the next test shows the same without one.
        eprintln!("not allowed to mount a small disk; this ran only as far as that");
        return;
    };
    let ballast = disk.folder.join("ballast");
    fs::write(&ballast, vec![1; 12 << 20]).expect("written");
    fill_and_make_room(launch.start(), || fs::remove_file(&ballast).expect("removed"));
}

#[test]
fn a_segment_that_cannot_be_made_refuses_writes_until_it_can() {
    let launch = Launch::persistent(&["-segment-bytes", "4mb"]);
    let server = launch.start();
    until("the segment after the first", || launch.segments().len() == 2);
    let obstacle = obstacle_after(&launch.segments()[1]);
    fs::create_dir_all(obstacle.join("inside")).expect("made");
    fill_and_make_room(server, || fs::remove_dir_all(&obstacle).expect("removed"));
}

/// The name that the segment after `segment` is first made under.
fn obstacle_after(segment: &Path) -> PathBuf {
    let name = segment.to_string_lossy();
    let (stem, position) = name.rsplit_once('.').expect("a position");
    let first: u64 = position.parse().expect("a number");
    let header = fs::read(segment).expect("read")[40..48].try_into().expect("8 bytes");
    PathBuf::from(format!("{stem}.{:020}.new", first + u64::from_le_bytes(header)))
}
