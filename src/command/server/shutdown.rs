//! SHUTDOWN.

use super::text;
use crate::command::call::{Call, CommandError, Later, Shutdown};
use crate::resp::Args;

/// What SHUTDOWN asks for.
#[derive(Debug)]
enum Wish {
    Stop(Shutdown),
    Abort,
}

/// `SHUTDOWN [NOSAVE|SAVE] [NOW] [FORCE] [ABORT]`
///
/// The connection gets no reply: it ends.
pub fn shutdown(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    match parse(call.args)? {
        Wish::Stop(how) => call.later = Some(Later::Shutdown(how)),
        Wish::Abort if call.context.stop.withdraw() => call.reply.ok(),
        Wish::Abort => return Err(text("ERR No shutdown in progress.")),
    }
    Ok(())
}

fn parse(args: Args<'_>) -> Result<Wish, CommandError> {
    let (mut how, mut abort) = (Shutdown::default(), false);
    for word in args.from(1).iter() {
        match word.to_ascii_lowercase().as_slice() {
            b"save" if how.save != Some(false) => how.save = Some(true),
            b"nosave" if how.save != Some(true) => how.save = Some(false),
            b"now" => how.now = true,
            b"force" => how.force = true,
            b"abort" => abort = true,
            _ => return Err(CommandError::Syntax),
        }
    }
    match abort {
        false => Ok(Wish::Stop(how)),
        true if args.len() == 2 => Ok(Wish::Abort),
        true => Err(CommandError::Syntax),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;

    #[test]
    fn words_say_how() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(shutdown, "SHUTDOWN save NOW force"), "");
        let Some(Later::Shutdown(how)) = fixture.later else { panic!("the server is to stop") };
        assert_eq!((how.save, how.now, how.force), (Some(true), true, true));
    }

    #[test]
    fn words_that_do_not_go_together_are_refused() {
        let mut fixture = Fixture::new();
        for line in ["SHUTDOWN foo", "SHUTDOWN save nosave", "SHUTDOWN nosave save", "SHUTDOWN abort now"] {
            assert_eq!(fixture.error(shutdown, line), "ERR syntax error");
        }
        assert_eq!(fixture.error(shutdown, "SHUTDOWN ABORT"), "ERR No shutdown in progress.");
    }

    #[test]
    fn a_stop_can_be_called_off() {
        let mut fixture = Fixture::new();
        fixture.context.stop.request(Shutdown::default());
        assert_eq!(fixture.run(shutdown, "SHUTDOWN ABORT"), "+OK\r\n");
        assert!(fixture.context.stop.requested().is_none());
    }
}
