//! CLIENT REPLY, NO-EVICT and NO-TOUCH: switches of this connection.

use crate::command::args::is;
use crate::command::call::{Call, CommandError};
use crate::command::session::ReplyMode;

/// CLIENT REPLY ON|OFF|SKIP
///
/// OFF and SKIP have no reply, so nothing is written.
pub fn client_reply(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let wish = &call.args[2];
    if is(wish, "on") {
        call.session.reply_mode = ReplyMode::On;
        call.reply.ok();
    } else if is(wish, "off") {
        call.session.reply_mode = ReplyMode::Off;
    } else if !is(wish, "skip") {
        return Err(CommandError::Syntax);
    } else if call.session.reply_mode != ReplyMode::Off {
        call.session.reply_mode = ReplyMode::SkipNext;
    }
    Ok(())
}

/// CLIENT NO-EVICT ON|OFF
pub fn client_no_evict(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.session.no_evict = on_or_off(&call.args[2])?;
    call.reply.ok();
    Ok(())
}

/// CLIENT NO-TOUCH ON|OFF
pub fn client_no_touch(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.session.no_touch = on_or_off(&call.args[2])?;
    call.reply.ok();
    Ok(())
}

fn on_or_off(word: &[u8]) -> Result<bool, CommandError> {
    match word {
        word if is(word, "on") => Ok(true),
        word if is(word, "off") => Ok(false),
        _ => Err(CommandError::Syntax),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;

    #[test]
    fn replies_are_switched_and_skipped() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(client_reply, "CLIENT REPLY SKIP"), "");
        assert_eq!(fixture.session.reply_mode, ReplyMode::SkipNext);
        assert_eq!(fixture.run(client_reply, "CLIENT REPLY OFF"), "");
        assert_eq!(fixture.run(client_reply, "CLIENT REPLY SKIP"), "");
        assert_eq!(fixture.session.reply_mode, ReplyMode::Off);
        assert_eq!(fixture.run(client_reply, "CLIENT REPLY ON"), "+OK\r\n");
        assert_eq!(fixture.error(client_reply, "CLIENT REPLY maybe"), "ERR syntax error");
    }

    #[test]
    fn switches_take_on_and_off_only() {
        let mut fixture = Fixture::new();
        fixture.run(client_no_touch, "CLIENT NO-TOUCH on");
        fixture.run(client_no_evict, "CLIENT NO-EVICT ON");
        assert!(fixture.session.no_touch && fixture.session.no_evict);
        fixture.run(client_no_touch, "CLIENT NO-TOUCH OFF");
        assert!(!fixture.session.no_touch);
        assert_eq!(fixture.error(client_no_evict, "CLIENT NO-EVICT wrong"), "ERR syntax error");
    }
}
