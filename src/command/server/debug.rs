//! DEBUG, for those whom `enable-debug-command` lets.

use super::text;
use crate::command::args::is;
use crate::command::call::{Call, CommandError, Later};
use crate::command::introspect::help_lines;
use std::time::Duration;

const NOT_ALLOWED: &str = "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", \
                           you can run it from a local connection, otherwise you need to set this option in the \
                           configuration file, and then restart the server.";

const HELP: [(&str, &str); 3] = [
    ("SLEEP seconds", "Makes this connection wait; fractions of a second are allowed."),
    ("SET-ACTIVE-EXPIRE 0|1", "Stops or resumes the removal of expired keys that nobody reads."),
    ("HELP", "Lists the subcommands."),
];

/// DEBUG SLEEP seconds | SET-ACTIVE-EXPIRE 0|1 | HELP
pub fn debug(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let local = call.session.client.endpoint().is_local();
    if !call.context.settings.enable_debug_command().allows(local) {
        return Err(text(NOT_ALLOWED));
    }
    let subcommand = &call.args[1];
    match (call.args.len(), call.args.get(2)) {
        (2, _) if is(subcommand, "help") => help_lines("debug", &HELP, call.reply),
        (3, Some(seconds)) if is(subcommand, "sleep") => sleep(call, seconds)?,
        (3, Some(switch)) if is(subcommand, "set-active-expire") => set_active_expire(call, switch)?,
        _ => return Err(CommandError::misused("DEBUG", subcommand)),
    }
    Ok(())
}

fn sleep(call: &mut Call<'_, '_>, seconds: &[u8]) -> Result<(), CommandError> {
    let seconds: Option<f64> = std::str::from_utf8(seconds).ok().and_then(|seconds| seconds.parse().ok());
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let time = time.ok_or(CommandError::NotFloat)?;
    if call.session.in_exec() {
        // Why: the transaction is to take this long; what comes after it must not run meanwhile.
        std::thread::sleep(time);
        call.reply.ok();
    } else {
        call.later = Some(Later::Sleep(time));
    }
    Ok(())
}

fn set_active_expire(call: &mut Call<'_, '_>, switch: &[u8]) -> Result<(), CommandError> {
    let on = match switch {
        b"0" => false,
        b"1" => true,
        _ => return Err(CommandError::Syntax),
    };
    call.context.engine().set_active_expiry(on);
    call.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;

    #[test]
    fn only_those_allowed_may_debug() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.error(debug, "DEBUG HELP"), NOT_ALLOWED);
        let mut fixture = Fixture::with(&[("enable-debug-command", "local")]);
        assert!(fixture.run(debug, "DEBUG HELP").starts_with("*7\r\n"));
    }

    #[test]
    fn sleep_is_left_to_the_connection_but_for_transactions() {
        let mut fixture = Fixture::with(&[("enable-debug-command", "yes")]);
        assert_eq!(fixture.run(debug, "DEBUG SLEEP 0.25"), "");
        assert!(matches!(fixture.later, Some(Later::Sleep(time)) if time == Duration::from_millis(250)));
        fixture.session.set_in_exec(true);
        assert_eq!(fixture.run(debug, "DEBUG SLEEP 0"), "+OK\r\n");
    }

    #[test]
    fn unknown_subcommands_are_named() {
        let mut fixture = Fixture::with(&[("enable-debug-command", "yes")]);
        let expected = "ERR unknown subcommand or wrong number of arguments for 'foo'. Try DEBUG HELP.";
        assert_eq!(fixture.error(debug, "DEBUG foo"), expected);
        assert_eq!(fixture.error(debug, "DEBUG SLEEP -1"), "ERR value is not a valid float");
        assert_eq!(fixture.run(debug, "DEBUG SET-ACTIVE-EXPIRE 0"), "+OK\r\n");
    }
}
