//! The answer to INFO.

use super::error::Error;
use super::from_value::FromValue;
use crate::resp::Value;

/// A server's state as `field:value` lines under `# Section` heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    text: String,
}

impl Info {
    /// The whole text, as the server sent it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.fields().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    /// All fields in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':'))
    }
}

impl FromValue for Info {
    fn from_value(value: Value) -> Result<Self, Error> {
        String::from_value(value).map(|text| Self { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_their_section() {
        let text = "# Server\r\nredis_version:7.2.0\r\n\r\n# Keyspace\r\ndb0:keys=1,expires=0\r\n".to_owned();
        let info = Info { text };
        assert_eq!(info.get("redis_version"), Some("7.2.0"));
        assert_eq!(info.get("db0"), Some("keys=1,expires=0"));
        assert_eq!(info.get("# Server"), None);
        assert_eq!(info.fields().count(), 2);
    }
}
