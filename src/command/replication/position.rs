//! How far this server is: the one place where commands ask for it.
//!
//! A position lies just behind a record: whoever has applied it has applied that record.

use std::time::Duration;

use crate::command::context::Context;
use crate::engine::Engine;
use crate::log::History;
use crate::lsn::Lsn;

/// Time between two looks at how far a database is.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Everything below is applied here.
pub(in crate::command) fn applied(engine: &Engine) -> Lsn {
    engine.resolved()
}

/// Whether a position of a history means something here: the database has been there, or may yet come there.
pub(super) fn knows(engine: &Engine, history: History, _position: Lsn) -> bool {
    engine.history() == history
}

/// Waits until everything below a position is applied, in whatever database is in force by then.
pub(super) async fn wait_applied(context: &Context, position: Lsn) {
    while applied(&context.database()) < position {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
