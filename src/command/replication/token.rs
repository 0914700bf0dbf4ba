//! Tokens for reading one's own writes on another server: LSN, WAITLSN, CLIENT TRACKLSN.
//!
//! A token is `<history>:<position>`: 32 hexadecimal digits that name a line of log positions, and the decimal position
//! just behind the writer's last record. A server that has applied that position shows the write.
//!
//! | command | answer |
//! |---|---|
//! | `LSN` | the token of this connection's last write; where it has written nothing, that of all that this server shows now |
//! | `WAITLSN token milliseconds` | 1 once this server has applied it, 0 at the timeout (0 is for ever); `NOHISTORY` where the token is of a history that this server does not have |
//! | `CLIENT TRACKLSN ON` | in RESP3, a push `lsn`, token before the replies to every run of requests that has written something |
//!
//! Why a push, and why before: clients pass over pushes that they do not know, where an attribute breaks some; and when
//! the application has its reply, the client has read what came before it. One push covers all requests that are
//! answered together; its position is behind the last of their writes.

use std::fmt;
use std::str::FromStr;

use super::patience::{Patience, Until};
use super::position;
use super::wait::{answer_or_wait, millis};
use crate::command::args::is;
use crate::command::call::{Call, CommandError};
use crate::command::session::{ReplyMode, Session};
use crate::engine::Engine;
use crate::log::HistoryName;
use crate::lsn::Lsn;
use crate::resp::{Mark, Protocol, ReplyBuf};

/// What is said of a token that means nothing here.
pub(super) const NO_HISTORY: &str = "NOHISTORY the token is of a history that this server does not have";

/// A place in a history that whoever has applied it shows a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The line of positions.
    pub history: HistoryName,
    /// Just behind the record of the write.
    pub position: Lsn,
}

/// A text that is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ERR a token is 32 hexadecimal digits, a colon and a position, as LSN answers")]
pub struct TokenError;

impl Token {
    /// The token of a write that is in this record.
    pub fn behind(history: HistoryName, record: Lsn) -> Self {
        // Why one more is enough: whoever applies, applies whole records.
        Self { history, position: Lsn::new(record.get() + 1) }
    }

    /// The record of the write, of a token made by [`Token::behind`].
    pub(super) fn record(self) -> Lsn {
        Lsn::new(self.position.get().saturating_sub(1))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.history, self.position)
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let (history, position) = text.split_once(':').ok_or(TokenError)?;
        let all = |text: &str, test: fn(&u8) -> bool| text.as_bytes().iter().all(test);
        if history.len() != 32 || !all(history, u8::is_ascii_hexdigit) || !all(position, u8::is_ascii_digit) {
            return Err(TokenError);
        }
        let history = u128::from_str_radix(history, 16).map_err(|_| TokenError)?;
        let position = position.parse().map_err(|_| TokenError)?;
        Ok(Self { history: HistoryName::new(history), position: Lsn::new(position) })
    }
}

/// LSN
#[expect(clippy::unnecessary_wraps, reason = "a `Handler`")]
pub(super) fn lsn(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let token = call.session.token(&call.context.engine()).unwrap_or_else(|| {
        let engine = call.context.engine();
        Token { history: engine.history(), position: position::applied(&engine) }
    });
    call.reply.bulk(token.to_string().as_bytes());
    Ok(())
}

/// WAITLSN token milliseconds
pub(super) fn waitlsn(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let token: Result<Token, _> =
        std::str::from_utf8(&call.args[1]).map_err(|_| TokenError).and_then(str::parse);
    let token = token.map_err(|error| CommandError::Text(error.to_string().into()))?;
    let timeout = millis(&call.args[2])?;
    if !position::knows(&call.context.engine(), token.history, token.position) {
        return Err(CommandError::Text(NO_HISTORY.into()));
    }
    answer_or_wait(call, Patience::new(Until::Here(token), timeout));
    Ok(())
}

/// CLIENT TRACKLSN ON|OFF
pub(in crate::command) fn client_tracklsn(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let on = match &call.args[2] {
        word if is(word, "on") => true,
        word if is(word, "off") => false,
        _ => return Err(CommandError::Syntax),
    };
    if on && call.session.protocol != Protocol::Resp3 {
        let text = "ERR CLIENT TRACKLSN needs RESP3: send HELLO 3 first, or ask with LSN";
        return Err(CommandError::Text(text.into()));
    }
    call.session.tracks_lsn = on;
    call.reply.ok();
    Ok(())
}

/// Puts the session's token before the replies since `mark`, where the client wants it.
pub(in crate::command) fn announce(session: &Session, engine: &Engine, reply: &mut ReplyBuf, mark: Mark) {
    let is_wanted = session.tracks_lsn && session.reply_mode != ReplyMode::Off;
    let Some(token) = session.token(engine).filter(|_| is_wanted && reply.protocol() == Protocol::Resp3)
    else {
        return;
    };
    let replies = reply.split_off(mark);
    reply.push(2);
    reply.bulk(b"lsn");
    reply.bulk(token.to_string().as_bytes());
    reply.append_bytes(&replies);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back() {
        let token = Token::behind(HistoryName::new(7), Lsn::new(4096));
        assert_eq!(token.to_string(), "00000000000000000000000000000007:4097");
        assert_eq!(token.to_string().parse(), Ok(token));
        assert_eq!(token.record(), Lsn::new(4096));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in [
            "",
            ":",
            "7:4097",
            "00000000000000000000000000000007:",
            "00000000000000000000000000000007:+1",
            "+0000000000000000000000000000007:1",
            "00000000000000000000000000000007:99999999999999999999",
        ] {
            assert_eq!(text.parse::<Token>(), Err(TokenError), "{text}");
        }
    }
}
