//! Who counts, how often, and who is called.

use super::*;

fn introduction(client_id: u64) -> Introduction {
    Introduction { server: None, client_id, ip: "127.0.0.1".into(), port: 7001 }
}

/// A replica whose link was dead came again, and WAIT counted it twice.
#[tokio::test]
async fn who_comes_again_counts_once_and_is_let_go_where_it_was() {
    let replicas = Replicas::default();
    let of = |id, client_id| Introduction { server: Some(ServerId::new(id)), ..introduction(client_id) };
    let (old, other) = (replicas.attach(of(1, 1), Millis(5)), replicas.attach(of(2, 2), Millis(5)));
    old.replica().set_feeding(Feeding::Log);
    old.acknowledged(Lsn::new(50), Lsn::ZERO, Millis(5));
    let new = replicas.attach(of(1, 3), Millis(6));
    old.replica().superseded().await;
    for attached in [&new, &other] {
        attached.acknowledged(Lsn::new(100), Lsn::ZERO, Millis(6));
    }
    old.acknowledged(Lsn::new(100), Lsn::ZERO, Millis(7));
    assert_eq!((replicas.count(), replicas.reached(Reached::Applied, Lsn::new(100))), (2, 2));
    drop(old);
    assert_eq!(replicas.count(), 2);
    assert_eq!(replicas.needs(u64::MAX, Millis(8)).1, None, "it is not missed");
}

#[test]
fn replicas_count_as_long_as_they_are_attached() {
    let replicas = Replicas::default();
    let (a, b) = (replicas.attach(introduction(1), Millis(5)), replicas.attach(introduction(2), Millis(5)));
    a.acknowledged(Lsn::new(100), Lsn::new(50), Millis(10));
    b.acknowledged(Lsn::new(200), Lsn::new(60), Millis(2_000));
    assert_eq!(replicas.reached(Reached::Applied, Lsn::new(100)), 2);
    assert_eq!(replicas.reached(Reached::Applied, Lsn::new(101)), 1);
    assert_eq!(replicas.reached(Reached::Durable, Lsn::new(60)), 1);
    assert_eq!(replicas.good(1_000, Millis(2_000)), 0, "none is fed from the log");
    a.replica().set_feeding(Feeding::Log);
    b.replica().set_feeding(Feeding::Log);
    assert_eq!(replicas.good(1_000, Millis(2_000)), 1);
    drop(b);
    assert_eq!((replicas.count(), replicas.reached(Reached::Applied, Lsn::new(100))), (1, 1));
}

#[tokio::test]
async fn who_waits_is_called_by_the_acknowledgement_that_suffices() {
    let replicas = Replicas::default();
    let a = replicas.attach(introduction(1), Millis(0));
    let waiting = tokio::spawn({
        let replicas = replicas.clone();
        async move { replicas.wait(Reached::Applied, Lsn::new(100), 1).await }
    });
    a.acknowledged(Lsn::new(99), Lsn::ZERO, Millis(0));
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    a.acknowledged(Lsn::new(100), Lsn::ZERO, Millis(0));
    waiting.await.expect("it does not panic");
}
