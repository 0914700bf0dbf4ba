//! CLIENT PAUSE and UNPAUSE.

use crate::command::args::is;
use crate::command::call::{Call, CommandError};
use crate::command::context::PauseKind;
use crate::resp::number::parse_i64;
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// The longest pause: a hundred years, which a clock can still add up.
const PAUSE_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// CLIENT PAUSE milliseconds [WRITE|ALL]
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
    call.reply.ok();
    Ok(())
}

/// CLIENT UNPAUSE
pub fn client_unpause(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.context.pause.end();
    call.reply.ok();
    Ok(())
}

fn text(error: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;

    #[test]
    fn a_pause_starts_and_ends() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(client_pause, "CLIENT PAUSE 9223372036854775807 WRITE"), "+OK\r\n");
        let pause = &fixture.context.pause;
        assert!(pause.holds(true, Instant::now()) && !pause.holds(false, Instant::now()));
        assert_eq!(fixture.run(client_unpause, "CLIENT UNPAUSE"), "+OK\r\n");
        assert!(!fixture.context.pause.holds(true, Instant::now()));
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
