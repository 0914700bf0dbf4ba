//! The names that a client gives itself and its library, and which names are allowed.

/// Names that CLIENT SETNAME and CLIENT SETINFO set. Empty stands for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// CLIENT SETNAME.
    pub name: String,
    /// CLIENT SETINFO LIB-NAME.
    pub lib_name: String,
    /// CLIENT SETINFO LIB-VER.
    pub lib_ver: String,
}

/// A name that would break the lines of CLIENT LIST. The text in it names the attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ERR {0} cannot contain spaces, newlines or special characters.")]
pub struct LabelError(pub String);

impl Labels {
    /// Checks a name: printable ASCII without blanks, as Redis has it; empty removes the name.
    ///
    /// # Errors
    /// [`LabelError`], which calls the name `what`.
    pub fn check(what: &str, text: &[u8]) -> Result<String, LabelError> {
        match std::str::from_utf8(text) {
            Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(text.to_owned()),
            _ => Err(LabelError(what.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_printable_ascii_without_blanks_is_a_name() {
        assert_eq!(Labels::check("lib-ver", b"1.2.3~"), Ok("1.2.3~".to_owned()));
        assert_eq!(Labels::check("lib-ver", b""), Ok(String::new()));
        for bad in [&b"a b"[..], b"a\n", b"\x7f", "\u{e9}".as_bytes(), b"\xff"] {
            assert_eq!(Labels::check("lib-ver", bad), Err(LabelError("lib-ver".to_owned())), "{bad:?}");
        }
    }
}
