//! CLIENT GETNAME, SETNAME and SETINFO.

use crate::command::args::is;
use crate::command::call::{Call, CommandError};
use crate::command::clients::{LabelError, Labels};

/// What errors call the connection's name.
pub(super) const CLIENT_NAME: &str = "Client names";

impl From<LabelError> for CommandError {
    fn from(error: LabelError) -> Self {
        Self::Text(error.to_string().into())
    }
}

/// CLIENT GETNAME
pub fn client_getname(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    match call.session.client.labels().name.as_str() {
        "" => call.reply.null(),
        name => call.reply.bulk(name.as_bytes()),
    }
    Ok(())
}

/// CLIENT SETNAME name
pub fn client_setname(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let name = Labels::check(CLIENT_NAME, &call.args[2])?;
    call.session.client.relabel(|labels| labels.name = name);
    call.reply.ok();
    Ok(())
}

/// CLIENT SETINFO LIB-NAME name | LIB-VER version
pub fn client_setinfo(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (attribute, text) = (&call.args[2], &call.args[3]);
    // As it was sent, which errors tell.
    let sent = String::from_utf8_lossy(attribute);
    if is(attribute, "lib-name") {
        let name = Labels::check(&sent, text)?;
        call.session.client.relabel(|labels| labels.lib_name = name);
    } else if is(attribute, "lib-ver") {
        let version = Labels::check(&sent, text)?;
        call.session.client.relabel(|labels| labels.lib_ver = version);
    } else {
        return Err(CommandError::Text(format!("ERR Unrecognized option '{sent}'").into()));
    }
    call.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;

    #[test]
    fn a_name_is_set_read_and_removed() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.run(client_getname, "CLIENT GETNAME"), "$-1\r\n");
        assert_eq!(fixture.run(client_setname, "CLIENT SETNAME me"), "+OK\r\n");
        assert_eq!(fixture.run(client_getname, "CLIENT GETNAME"), "$2\r\nme\r\n");
        assert_eq!(fixture.run_words(client_setname, &["CLIENT", "SETNAME", ""]), "+OK\r\n");
        assert_eq!(fixture.run(client_getname, "CLIENT GETNAME"), "$-1\r\n");
    }

    #[test]
    fn a_refused_label_leaves_the_old_one() {
        let mut fixture = Fixture::new();
        fixture.run(client_setinfo, "CLIENT SETINFO LIB-NAME redis.py");
        let refused = fixture.error_words(client_setinfo, &["CLIENT", "SETINFO", "lib-name", "redis py"]);
        assert_eq!(refused, "ERR lib-name cannot contain spaces, newlines or special characters.");
        let refused = fixture.error_words(client_setinfo, &["CLIENT", "SETINFO", "LIB-VER", "1 2"]);
        assert_eq!(refused, "ERR LIB-VER cannot contain spaces, newlines or special characters.");
        let unknown = fixture.error(client_setinfo, "CLIENT SETINFO badger hamster");
        assert_eq!(unknown, "ERR Unrecognized option 'badger'");
        assert_eq!(fixture.session.client.labels().lib_name, "redis.py");
    }
}
