//! Whose log a database goes on in when it is opened again.

use std::convert::Infallible;
use std::time::Duration;

use crate::Db;
use crate::clock::Millis;
use crate::engine::tests::lab::Lab;
use crate::engine::{Engine, EngineOptions, ForeignSegment, Txn};
use crate::log::{Cause, LogReader};
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

/// Copies and applies all that `primary` has.
fn catch_up(replica: &Engine, primary: &Engine) {
    let (mut reader, mut bytes) = (LogReader::default(), Vec::new());
    let chunk =
        reader.read(primary.log(), replica.log().head(), 1 << 20, &mut bytes).unwrap().expect("a segment");
    let segment = ForeignSegment {
        first: chunk.first,
        end: chunk.end,
        capacity: primary.log().tail_segment().capacity,
        history: chunk.history,
        lineage: primary.log().lineage_of(chunk.history),
    };
    replica.enter_segment(&segment).unwrap();
    assert_eq!(replica.follower().take(&bytes).unwrap().0, bytes.len());
    assert_eq!(replica.log().head(), primary.log().head());
}

/// What a key holds when nobody looks at the time.
fn held(engine: &Engine, key: &[u8]) -> Option<(Vec<u8>, Option<Millis>)> {
    let mut batch = engine.batch(Millis(0), false);
    let looked = batch.run(|txn| {
        let live = txn.peek_string(0, key).expect("a string");
        Ok::<_, Infallible>(
            live.map(|live| (live.value.bytes(&mut itoa::Buffer::new()).to_vec(), live.expiry)),
        )
    });
    let Ok(held) = looked.unwrap();
    held
}

fn at(engine: &Engine, now: Millis, mut f: impl FnMut(&mut Txn<'_>)) {
    let ran = engine.batch(now, false).run(|txn| {
        f(txn);
        Ok::<_, Infallible>(())
    });
    let Ok(()) = ran.unwrap();
}

#[test]
fn what_ends_when_is_the_primarys_to_say_however_far_apart_the_clocks_are() {
    const DAY_MS: u64 = 86_400_000;
    let (lab, other) = (Lab::new(), Lab::new());
    let (primary, replica) = (lab.open(), open(&other, true));
    let (primary, replica) = (primary.engine(), replica.engine());
    primary.set_active_expiry(false);
    let now = Millis::now();
    // A primary that is a day late, and then one that is a day ahead: its clock has jumped.
    for (then, key) in [(Millis(now.0 - DAY_MS), b"late"), (Millis(now.0 + DAY_MS), b"soon")] {
        let end = Some(Millis(then.0 + 1000));
        at(primary, then, |txn| txn.put(0, key, Value::Str(b"a"), end));
        at(primary, Millis(then.0 + 999), |txn| {
            txn.append(0, key, b"b").expect("a string");
        });
        catch_up(replica, primary);
        assert_eq!(held(replica, key), Some((b"ab".to_vec(), end)));
        // To the primary it is over: what it writes now is another value, though here it is not over, or long since.
        at(primary, Millis(then.0 + 1001), |txn| {
            txn.append(0, key, b"c").expect("a string");
        });
        catch_up(replica, primary);
        assert_eq!(held(replica, key), Some((b"c".to_vec(), None)));
        assert_eq!(held(replica, key), held(primary, key));
    }
    // What is over here, and not there, is hidden here and stays.
    let end = Some(Millis(now.0 - 1));
    at(primary, Millis(now.0 - DAY_MS), |txn| txn.put(0, b"over", Value::Str(b"a"), end));
    catch_up(replica, primary);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(held(replica, b"over"), Some((b"a".to_vec(), end)));
    assert_eq!(replica.log().head(), primary.log().head());
}
