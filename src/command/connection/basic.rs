//! PING, ECHO, QUIT, RESET, SELECT, CLIENT ID and CLIENT HELP.

use super::auth::password_required;
use crate::command::args::database;
use crate::command::call::{Call, CommandError, Later};
use crate::command::introspect;
use crate::command::table;
use crate::resp::Protocol;

/// `PING [message]`; a subscribed connection gets an answer that cannot be taken for a message.
pub fn ping(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    match call.args.len() {
        1 | 2 if call.session.is_in_subscribed_mode() => {
            call.reply.array(2);
            call.reply.bulk(b"pong");
            call.reply.bulk(call.args.get(1).unwrap_or_default());
        }
        1 => call.reply.simple("PONG"),
        2 => call.reply.bulk(&call.args[1]),
        _ => return Err(CommandError::Arity("ping".to_owned())),
    }
    Ok(())
}

/// ECHO message
pub fn echo(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.reply.bulk(&call.args[1]);
    Ok(())
}

/// QUIT
pub fn quit(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.reply.ok();
    call.later = Some(Later::Close);
    Ok(())
}

/// RESET
pub fn reset(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    // Order: no line of MONITOR comes any more before those that have come are put before the reply.
    call.session.monitor_no_more();
    call.session.take_pushes_early(call.reply);
    call.session.reset(!password_required(&call.context.settings));
    call.reply.set_protocol(Protocol::Resp2);
    call.reply.simple("RESET");
    Ok(())
}

/// SELECT index
pub fn select(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.session.db = database(&call.args[1], call.txn.databases())?;
    call.reply.ok();
    Ok(())
}

/// CLIENT ID
pub fn client_id(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    call.reply.int(call.session.client.id() as i64);
    Ok(())
}

/// CLIENT HELP
pub fn client_help(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let container = table::lookup(b"client").ok_or(CommandError::Syntax)?;
    introspect::help(container, call.reply);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;

    #[test]
    fn ping_answers_what_it_is_given() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(ping, "PING"), "+PONG\r\n");
        assert_eq!(fixture.run(ping, "PING you"), "$3\r\nyou\r\n");
        assert_eq!(fixture.error(ping, "PING a b"), "ERR wrong number of arguments for 'ping' command");
        assert_eq!(fixture.run(echo, "ECHO you"), "$3\r\nyou\r\n");
    }

    #[test]
    fn select_takes_databases_that_exist() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(select, "SELECT 15"), "+OK\r\n");
        assert_eq!(fixture.error(select, "SELECT 65000"), "ERR DB index is out of range");
        assert_eq!(fixture.error(select, "SELECT -1"), "ERR DB index is out of range");
        assert_eq!(fixture.error(select, "SELECT x"), "ERR value is not an integer or out of range");
        assert_eq!(fixture.session.db, 15);
    }

    #[test]
    fn reset_asks_for_the_password_again() {
        let mut fixture = Fixture::with(&[("requirepass", "secret")]);
        fixture.session.db = 3;
        assert_eq!(fixture.run(reset, "RESET"), "+RESET\r\n");
        assert_eq!((fixture.session.db, fixture.session.authenticated), (0, false));
    }

    #[test]
    fn quit_answers_and_closes() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(quit, "QUIT"), "+OK\r\n");
        assert!(matches!(fixture.later, Some(Later::Close)));
    }
}
