//! SAVE, BGSAVE, BGREWRITEAOF and LASTSAVE.
//!
//! There is one kind of snapshot: it is the database's file and lets the log be cut, so saving and compacting are
//! the same work under Redis's two names.

use super::text;
use crate::command::args::is;
use crate::command::call::{Call, CommandError, Later};
use crate::engine::SnapshotFailure;

impl From<SnapshotFailure> for CommandError {
    fn from(failure: SnapshotFailure) -> Self {
        Self::Text(format!("ERR {failure}").into())
    }
}

/// SAVE
pub fn save(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    if !call.context.engine().is_persistent() {
        return Err(SnapshotFailure::NotPersistent.into());
    }
    call.later =
        Some(Later::Blocking(Box::new(|context, reply| match context.engine().snapshot_blocking() {
            Ok(()) => reply.ok(),
            Err(failure) => reply.error(&CommandError::from(failure).to_string()),
        })));
    Ok(())
}

/// `BGSAVE [SCHEDULE]`
pub fn bgsave(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let schedule = match call.args.get(1) {
        None => false,
        Some(word) if is(word, "schedule") && call.args.len() == 2 => true,
        Some(_) => return Err(CommandError::Syntax),
    };
    let waits = call.context.engine().info().snapshot.running;
    call.context.engine().start_snapshot(schedule)?;
    call.reply.simple(if waits { "Background saving scheduled" } else { "Background saving started" });
    Ok(())
}

/// BGREWRITEAOF
pub fn bgrewriteaof(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let busy = "ERR Background append only file rewriting already in progress";
    match call.context.engine().start_snapshot(false) {
        Ok(()) => call.reply.simple("Background append only file rewriting started"),
        Err(SnapshotFailure::Busy) => return Err(text(busy)),
        Err(failure) => return Err(failure.into()),
    }
    Ok(())
}

/// LASTSAVE: a Unix time in seconds; that of the start, if there has been no snapshot since.
pub fn lastsave(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.reply.int(call.context.engine().info().snapshot.saved_at.seconds() as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::call::Handler;
    use crate::command::context::fixture::Fixture;

    #[test]
    fn without_files_nothing_is_saved() {
        let mut fixture = Fixture::new();
        let handlers: [(Handler, &str); 3] =
            [(save, "SAVE"), (bgsave, "BGSAVE"), (bgrewriteaof, "BGREWRITEAOF")];
        for (handler, line) in handlers {
            assert!(fixture.error(handler, line).starts_with("ERR persistence is off"), "{line}");
        }
        assert_eq!(fixture.error(bgsave, "BGSAVE foo"), "ERR syntax error");
    }

    #[test]
    fn with_files_snapshots_are_taken_and_told() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let mut fixture = Fixture::in_folder(folder.path());
        assert_eq!(fixture.run(save, "SAVE"), "");
        assert_eq!(fixture.finish_later(), "+OK\r\n");
        let saved: String = fixture.run(lastsave, "LASTSAVE");
        let seconds: u64 = saved[1..].trim_end().parse().expect("LASTSAVE is a number");
        assert!(crate::clock::Millis::now().seconds() - seconds < 60);
        assert_eq!(fixture.context.engine().info().snapshot.taken, 1);
        let started = fixture.run(bgsave, "BGSAVE SCHEDULE");
        assert!(started.starts_with("+Background saving "), "{started}");
    }
}
