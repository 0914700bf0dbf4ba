//! The beginning of a link: who we are, and where to go on.
//!
//! ```text
//! we                                primary
//! PING                              +PONG, or that a password is wanted
//! AUTH [user] password              +OK
//! REPLCONF listening-port 6379      +OK; whoever does not know it may answer with an error
//! REPLCONF ip-address 10.0.0.1      as before
//! REPLCONF capa eof capa psync2     as before
//! PSYNC history offset+1            +CONTINUE [history], and the writes from there on
//! PSYNC ? -1                        +FULLRESYNC history offset, and a data set
//! ```

use super::link::{Link, unexpected};
use super::{FollowError, Place, Settings};
use crate::replication::broken::LinkError;
use crate::resp::request::write_request;

/// The primary's answer to where we want to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// From there, perhaps under another name.
    Continue(Option<Box<str>>),
    /// From a data set that comes now.
    Full {
        /// The name of the history.
        history: Box<str>,
        /// Where in it the data set is.
        offset: u64,
    },
}

/// Tells the primary who we are.
///
/// # Errors
/// It does not want us, or the connection failed.
pub(super) async fn introduce(link: &mut Link, settings: &Settings) -> Result<(), FollowError> {
    let answer = ask_for(link, &[b"PING"], "in answer to PING").await?;
    // Why errors pass: a server that wants a password says so here already; AUTH is what tells.
    let wants_password = ["-NOAUTH", "-NOPERM", "-ERR operation not permitted"];
    if !answer.starts_with('+') && !wants_password.iter().any(|start| answer.starts_with(start)) {
        return Err(refusal("PING", &answer));
    }
    if !settings.password.is_empty() {
        let mut auth: Vec<&[u8]> = vec![b"AUTH"];
        if !settings.user.is_empty() {
            auth.push(&settings.user);
        }
        auth.push(&settings.password);
        let answer = ask_for(link, &auth, "in answer to AUTH").await?;
        if !answer.starts_with('+') {
            return Err(refusal("AUTH (masteruser, masterauth)", &answer));
        }
    }
    let port = settings.listening_port.to_string();
    configure(link, &[b"REPLCONF", b"listening-port", port.as_bytes()]).await?;
    if let Some(address) = &settings.announced_address {
        configure(link, &[b"REPLCONF", b"ip-address", address.as_bytes()]).await?;
    }
    configure(link, &[b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"]).await
}

/// Asks to go on.
///
/// # Errors
/// The primary cannot be followed, now or at all, or the connection failed.
pub(super) async fn ask(link: &mut Link, place: Option<&Place>) -> Result<Answer, FollowError> {
    let place = place.map(|place| (place.history.as_bytes(), (place.offset + 1).to_string()));
    let answer = match &place {
        Some((history, next)) => ask_for(link, &[b"PSYNC", history, next.as_bytes()], "to PSYNC").await?,
        None => ask_for(link, &[b"PSYNC", b"?", b"-1"], "to PSYNC").await?,
    };
    understand(&answer).ok_or_else(|| {
        let passing = ["-NOMASTERLINK", "-LOADING", "-MASTERDOWN", "-BUSY"];
        if passing.iter().any(|start| answer.starts_with(start)) {
            FollowError::NotReady(answer.trim_start_matches('-').to_owned())
        } else if answer.starts_with('-') {
            refusal("PSYNC", &answer)
        } else {
            unexpected("in answer to PSYNC", answer.as_bytes())
        }
    })
}

fn understand(answer: &str) -> Option<Answer> {
    let mut words = answer.split(' ');
    match words.next()? {
        "+CONTINUE" => Some(Answer::Continue(words.next().map(Into::into))),
        "+FULLRESYNC" => {
            let (history, offset) = (words.next()?.into(), words.next()?.parse().ok()?);
            Some(Answer::Full { history, offset })
        }
        _ => None,
    }
}

async fn configure(link: &mut Link, request: &[&[u8]]) -> Result<(), FollowError> {
    let answer = ask_for(link, request, "in answer to REPLCONF").await?;
    if answer.starts_with("-NOAUTH") || answer.starts_with("-NOPERM") {
        return Err(refusal("REPLCONF", &answer));
    }
    Ok(())
}

async fn ask_for(link: &mut Link, request: &[&[u8]], place: &'static str) -> Result<String, FollowError> {
    let mut bytes = Vec::new();
    write_request(&mut bytes, request);
    link.send(&bytes).await?;
    let answer = link.line(place).await?;
    if !answer.starts_with(['+', '-']) {
        return Err(unexpected(place, answer.as_bytes()));
    }
    Ok(answer)
}

fn refusal(command: &'static str, answer: &str) -> FollowError {
    LinkError::Refused { command, answer: answer.trim_start_matches('-').to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_say_where_to_go_on() {
        let full = Answer::Full { history: "abc".into(), offset: 7 };
        for (answer, expected) in [
            ("+CONTINUE", Some(Answer::Continue(None))),
            ("+CONTINUE abc", Some(Answer::Continue(Some("abc".into())))),
            ("+FULLRESYNC abc 7", Some(full)),
            ("+FULLRESYNC abc", None),
            ("+FULLRESYNC abc -7", None),
            ("+OK", None),
            ("-ERR unknown command", None),
        ] {
            assert_eq!(understand(answer), expected, "{answer}");
        }
    }
}
