//! CLIENT PAUSE and UNPAUSE.
//!
//! Connections look at the [`Pause`] before each command. The engine is told as well, so that when PAUSE is
//! answered no write is under way on any other thread; that takes as long as those writes, and is done aside.
//!
//! Inside EXEC that comes when the transaction has taken effect, which the engine would hold back otherwise. So keys whose
//! time comes stay until the pause ends, however it was begun: their removal is a write as any other.

use crate::clock::Millis;
use crate::command::args::is;
use crate::command::call::{Call, CommandError, Later};
use crate::command::context::{Pause, PauseKind};
use crate::engine::{Engine, EngineError};
use crate::resp::number::parse_i64;
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// The longest pause: a hundred years, which a clock can still add up.
const PAUSE_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// `CLIENT PAUSE milliseconds [WRITE|ALL]`
pub fn client_pause(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let kind = match call.args.get(3) {
        None => PauseKind::All,
        Some(word) if is(word, "all") => PauseKind::All,
        Some(word) if is(word, "write") => PauseKind::Write,
        Some(_) => return Err(text("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    if call.args.len() > 4 {
        return Err(CommandError::Syntax);
    }
    let millis = parse_i64(&call.args[2]).ok_or(text("ERR timeout is not an integer or out of range"))?;
    let millis = u64::try_from(millis).map_err(|_| text("ERR timeout is negative"))?;
    let now = Instant::now();
    call.context.pause.start(kind, now + Duration::from_millis(millis).min(PAUSE_MAX), now);
    tell_engine_later(call);
    Ok(())
}

/// CLIENT UNPAUSE
pub fn client_unpause(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.context.pause.end();
    tell_engine_later(call);
    Ok(())
}

fn tell_engine_later(call: &mut Call<'_, '_>) {
    call.later = Some(Later::Blocking(Box::new(|context, reply| {
        match tell_engine(&context.engine(), &context.pause) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(&format!("ERR {error}")),
        }
    })));
}

/// Has the engine refuse writes as long as the pause holds, or take them again. Waits for those under way.
fn tell_engine(engine: &Engine, pause: &Pause) -> Result<(), EngineError> {
    pause.align(|end| {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()).as_millis() as u64);
        engine.pause_writes(left.map_or(Millis(0), |left| Millis(Millis::now().0 + left)))
    })
}

fn text(error: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;
    use crate::store::version::Value;
    use std::convert::Infallible;

    #[test]
    fn a_pause_starts_and_ends() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(client_pause, "CLIENT PAUSE 9223372036854775807 WRITE"), "");
        assert_eq!(fixture.finish_later(), "+OK\r\n");
        let pause = &fixture.context.pause;
        assert!(pause.holds(true, Instant::now) && !pause.holds(false, Instant::now));
        assert!(matches!(write(&fixture), Err(EngineError::Paused)));
        assert_eq!(fixture.run(client_unpause, "CLIENT UNPAUSE"), "");
        assert_eq!(fixture.finish_later(), "+OK\r\n");
        assert!(!fixture.context.pause.holds(true, Instant::now));
        assert!(write(&fixture).is_ok());
    }

    fn write(fixture: &Fixture) -> Result<(), EngineError> {
        let engine = fixture.context.engine();
        let mut batch = engine.batch(Millis::now(), true);
        let written = batch.run(|txn| {
            txn.put(0, b"key", Value::Str(b"value"), None);
            Ok::<_, Infallible>(())
        });
        written.map(|_| ())
    }

    #[test]
    fn a_late_pause_does_not_outlive_the_unpause_that_came_after_it() {
        let mut fixture = Fixture::new();
        fixture.run(client_pause, "CLIENT PAUSE 60000");
        let late = fixture.later.take();
        fixture.run(client_unpause, "CLIENT UNPAUSE");
        fixture.finish_later();
        fixture.later = late;
        fixture.finish_later();
        assert!(write(&fixture).is_ok());
    }

    /// A pause that began in a transaction held back the clients and nobody else: keys went on to be removed under it.
    #[test]
    fn inside_exec_both_reach_the_engine_behind_the_transaction() {
        let mut fixture = Fixture::new();
        fixture.session.set_in_exec(true);
        assert_eq!(fixture.run(client_pause, "CLIENT PAUSE 60000 WRITE"), "");
        assert!(write(&fixture).is_ok(), "what else the transaction does takes effect");
        assert_eq!(fixture.finish_later(), "+OK\r\n");
        assert!(matches!(write(&fixture), Err(EngineError::Paused)));
        assert_eq!(fixture.run(client_unpause, "CLIENT UNPAUSE"), "");
        assert_eq!(fixture.finish_later(), "+OK\r\n");
        assert!(write(&fixture).is_ok());
    }

    #[test]
    fn bad_pauses_have_redis_texts() {
        let mut fixture = Fixture::new();
        for (line, expected) in [
            ("CLIENT PAUSE abc", "ERR timeout is not an integer or out of range"),
            ("CLIENT PAUSE -1", "ERR timeout is negative"),
            ("CLIENT PAUSE 10 foo", "ERR CLIENT PAUSE mode must be WRITE or ALL"),
        ] {
            assert_eq!(fixture.error(client_pause, line), expected);
        }
    }
}
