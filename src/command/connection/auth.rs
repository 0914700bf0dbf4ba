//! AUTH, and who may pass.
//!
//! There is one user, `default`, whose password is the setting `requirepass`; empty lets everybody pass.

use crate::command::call::{Call, CommandError};
use crate::command::context::Context;
use crate::command::session::Session;
use crate::settings::Settings;
use std::borrow::Cow;
use std::hint::black_box;

const NO_PASSWORD: &str = "ERR AUTH <password> called without any password configured for the default user. \
                           Are you sure your configuration is correct?";
const WRONG: &str = "WRONGPASS invalid username-password pair or user is disabled.";

/// `AUTH [username] password`
pub fn auth(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    match call.args.len() {
        2 if !password_required(&call.context.settings) => {
            Err(CommandError::Text(Cow::Borrowed(NO_PASSWORD)))
        }
        2 => authenticate(call.session, call.context, b"default", &call.args[1]),
        3 => authenticate(call.session, call.context, &call.args[1], &call.args[2]),
        _ => Err(CommandError::Syntax),
    }?;
    call.reply.ok();
    Ok(())
}

/// Whether clients must give a password before anything else.
pub(super) fn password_required(settings: &Settings) -> bool {
    !settings.requirepass().is_empty()
}

/// Lets the client pass if name and password are right.
pub(super) fn authenticate(
    session: &mut Session,
    context: &Context,
    user: &[u8],
    password: &[u8],
) -> Result<(), CommandError> {
    let required = context.settings.requirepass();
    let right = required.is_empty() || same_in_constant_time(&required, password);
    if user != b"default" || !right {
        return Err(CommandError::Text(Cow::Borrowed(WRONG)));
    }
    session.authenticated = true;
    Ok(())
}

/// Compares in a time that depends on the secret's length alone, so that it cannot be guessed byte by byte.
fn same_in_constant_time(secret: &[u8], guess: &[u8]) -> bool {
    let mut differences = u8::from(secret.len() != guess.len());
    for (at, byte) in secret.iter().enumerate() {
        differences |= black_box(byte ^ guess.get(at).copied().unwrap_or(!byte));
    }
    differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;
    use quickcheck::quickcheck;

    quickcheck! {
        fn comparing_agrees_with_equality(secret: Vec<u8>, guess: Vec<u8>) -> bool {
            same_in_constant_time(&secret, &guess) == (secret == guess) && same_in_constant_time(&secret, &secret)
        }
    }

    #[test]
    fn without_a_password_only_the_default_user_passes() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.error(auth, "AUTH x"), NO_PASSWORD);
        assert_eq!(fixture.run(auth, "AUTH default x"), "+OK\r\n");
        assert_eq!(fixture.error(auth, "AUTH bob x"), WRONG);
        assert_eq!(fixture.error(auth, "AUTH a b c"), "ERR syntax error");
    }

    #[test]
    fn with_a_password_only_the_right_one_passes() {
        let mut fixture = Fixture::with(&[("requirepass", "secret")]);
        fixture.session.authenticated = false;
        for wrong in ["AUTH x", "AUTH secret2", "AUTH default x", "AUTH bob secret"] {
            assert_eq!(fixture.error(auth, wrong), WRONG, "{wrong}");
            assert!(!fixture.session.authenticated);
        }
        assert_eq!(fixture.run(auth, "AUTH secret"), "+OK\r\n");
        assert!(fixture.session.authenticated);
    }
}
