//! How far this server is: the one place where commands ask for it.
//!
//! A position lies just behind a record: whoever has applied it has applied that record.

use std::time::Duration;

use crate::command::context::Context;
use crate::engine::Engine;
use crate::log::HistoryName;
use crate::lsn::Lsn;

/// Time between two looks at which database is in force.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Everything below is applied here.
pub(in crate::command) fn applied(engine: &Engine) -> Lsn {
    engine.resolved()
}

/// Whether a position of a history means something here: the database has been there, or may yet come there.
pub(super) fn knows(engine: &Engine, history: HistoryName, position: Lsn) -> bool {
    engine.knows(history, position)
}

/// Waits until everything below a position is applied, in whatever database is in force by then.
pub(super) async fn wait_applied(context: &Context, position: Lsn) {
    loop {
        let engine = context.database();
        let before = Lsn::new(position.get().saturating_sub(1));
        if engine.wait_progress(before, LOOK_EVERY).await >= position {
            return;
        }
    }
}
