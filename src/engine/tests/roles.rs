//! Whose log a database goes on in when it is opened again.

use std::time::Duration;

use crate::Db;
use crate::clock::Millis;
use crate::engine::EngineOptions;
use crate::engine::tests::lab::Lab;
use crate::log::Cause;
use crate::store::version::Value;

/// A database that has followed another, with a key whose time has come since.
fn followed(lab: &Lab) {
    let db = lab.open();
    let end = Millis(Millis::now().0 + 20);
    db.transaction(|txn| txn.put(0, b"brief", Value::Str(b"1"), Some(end))).unwrap();
    db.engine().set_follows(true).unwrap();
    db.engine().log().set_tailing(true).unwrap();
    db.close().unwrap();
    std::thread::sleep(Duration::from_millis(20));
}

fn open(lab: &Lab, follows: bool) -> Db {
    Db::open_with(EngineOptions { follows, ..lab.options() }).unwrap()
}

/// A replica was started again. Before it was told whom to follow, it removed a key whose time had come, in the history
/// of its primary: from then on the two logs differed, and it could not go on.
#[test]
fn who_follows_writes_nothing_of_its_own_from_its_first_moment() {
    let lab = Lab::new();
    followed(&lab);
    let db = open(&lab, true);
    let (head, history) = (db.engine().log().head(), db.engine().log().history());
    assert!(db.engine().follows());
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!((db.engine().log().head(), db.engine().log().history()), (head, history));
}

/// The same, started again as a server of its own, wrote in a history that was its primary's.
#[test]
fn who_followed_and_does_no_more_begins_a_history() {
    let lab = Lab::new();
    followed(&lab);
    let db = open(&lab, true);
    let (head, before) = (db.engine().log().head(), db.engine().log().history());
    db.close().unwrap();
    let db = open(&lab, false);
    let log = db.engine().log();
    assert_ne!(log.history(), before);
    let newest = log.lineage()[0];
    assert_eq!((newest.history, newest.fork, newest.cause), (before, head, Cause::Promotion));
    let own = log.history();
    db.close().unwrap();
    assert_eq!(open(&lab, false).engine().log().history(), own, "once is enough");
}
