//! Replies as the caller's own types.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use bytes::Bytes;

use super::error::{Error, ServerError, type_name};
use crate::resp::Value;
use crate::resp::number::parse_i64;

/// A type that a reply can become.
pub trait FromValue: Sized {
    /// Converts a reply that is no error.
    ///
    /// # Errors
    /// [`Error::UnexpectedType`] or [`Error::UnexpectedValue`] if it does not fit; [`Error::Server`] for an error that is
    /// nested in the reply.
    fn from_value(value: Value) -> Result<Self, Error>;
}

/// Converts a reply, an error reply to [`Error::Server`].
pub(super) fn convert<T: FromValue>(value: Value) -> Result<T, Error> {
    match value.into_plain() {
        Value::Error(text) => Err(ServerError::new(&text).into()),
        value => T::from_value(value),
    }
}

/// The error for a value of the wrong type.
fn mismatch<T>(expected: &'static str, value: &Value) -> Result<T, Error> {
    match value {
        Value::Error(text) => Err(ServerError::new(text).into()),
        _ => Err(Error::UnexpectedType { expected, got: type_name(value) }),
    }
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, Error> {
        Ok(value)
    }
}

/// Any status, such as `OK`.
impl FromValue for () {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Simple(_) => Ok(()),
            other => mismatch("a status", &other),
        }
    }
}

impl FromValue for i64 {
    fn from_value(value: Value) -> Result<Self, Error> {
        const EXPECTED: &str = "an integer";
        match &value {
            Value::Int(number) => Ok(*number),
            Value::Boolean(truth) => Ok(i64::from(*truth)),
            Value::Bulk(text) => parse_i64(text).ok_or(Error::UnexpectedValue { expected: EXPECTED }),
            other => mismatch(EXPECTED, other),
        }
    }
}

impl FromValue for u64 {
    fn from_value(value: Value) -> Result<Self, Error> {
        Self::try_from(i64::from_value(value)?)
            .map_err(|_| Error::UnexpectedValue { expected: "an integer that is not negative" })
    }
}

/// A boolean, or an integer that is 1 or 0; nil and `OK` of a conditional SET are no and yes.
impl FromValue for bool {
    fn from_value(value: Value) -> Result<Self, Error> {
        const EXPECTED: &str = "a truth value";
        match &value {
            Value::Boolean(truth) => Ok(*truth),
            Value::Int(0) | Value::Null => Ok(false),
            Value::Int(1) => Ok(true),
            Value::Simple(status) if status == "OK" => Ok(true),
            Value::Int(_) | Value::Simple(_) => Err(Error::UnexpectedValue { expected: EXPECTED }),
            other => mismatch(EXPECTED, other),
        }
    }
}

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<Self, Error> {
        const EXPECTED: &str = "a number";
        match &value {
            Value::Double(number) => Ok(*number),
            Value::Int(number) => Ok(*number as f64),
            Value::Bulk(text) => std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or(Error::UnexpectedValue { expected: EXPECTED }),
            other => mismatch(EXPECTED, other),
        }
    }
}

impl FromValue for Bytes {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Bulk(bytes) | Value::Verbatim { text: bytes, .. } => Ok(bytes),
            Value::Simple(text) | Value::BigNumber(text) => Ok(text.into()),
            Value::Int(number) => Ok(number.to_string().into()),
            other => mismatch("a string", &other),
        }
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<Self, Error> {
        Self::from_utf8(Bytes::from_value(value)?.into())
            .map_err(|_| Error::UnexpectedValue { expected: "text in UTF-8" })
    }
}

/// Nil is `None`.
impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, Error> {
        if value == Value::Null { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

/// An array, a set or a push message; a string becomes its bytes only as [`Bytes`].
impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Array(values) | Value::Set(values) | Value::Push(values) => {
                values.into_iter().map(convert).collect()
            }
            other => mismatch("an array", &other),
        }
    }
}

/// A map, or an array of keys and values in turn.
impl<K: FromValue + Eq + Hash, V: FromValue, S: BuildHasher + Default> FromValue for HashMap<K, V, S> {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Map(pairs) => pairs.into_iter().map(|(k, v)| Ok((convert(k)?, convert(v)?))).collect(),
            Value::Array(values) if values.len() % 2 == 0 => {
                let mut values = values.into_iter();
                std::iter::from_fn(|| Some((values.next()?, values.next()?)))
                    .map(|(k, v)| Ok((convert(k)?, convert(v)?)))
                    .collect()
            }
            other => mismatch("a map", &other),
        }
    }
}

/// An array of two.
impl<A: FromValue, B: FromValue> FromValue for (A, B) {
    fn from_value(value: Value) -> Result<Self, Error> {
        let values = Vec::<Value>::from_value(value)?;
        let [a, b] = <[Value; 2]>::try_from(values)
            .map_err(|_| Error::UnexpectedValue { expected: "an array of two values" })?;
        Ok((convert(a)?, convert(b)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &'static str) -> Value {
        Value::Bulk(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn numbers_come_from_integers_and_from_text() {
        assert_eq!(convert::<i64>(Value::Int(-5)).ok(), Some(-5));
        assert_eq!(convert::<i64>(bulk("12")).ok(), Some(12));
        assert_eq!(convert::<f64>(bulk("1.5")).ok(), Some(1.5));
        assert!(matches!(convert::<u64>(Value::Int(-5)), Err(Error::UnexpectedValue { .. })));
        assert!(matches!(convert::<i64>(bulk("x")), Err(Error::UnexpectedValue { .. })));
        assert!(matches!(convert::<i64>(Value::Null), Err(Error::UnexpectedType { got: "nil", .. })));
    }

    #[test]
    fn nil_is_none_and_nothing_else() {
        assert_eq!(convert::<Option<String>>(Value::Null).ok(), Some(None));
        assert_eq!(convert::<Option<String>>(bulk("a")).ok(), Some(Some("a".into())));
        assert!(convert::<String>(Value::Null).is_err());
    }

    #[test]
    fn maps_come_from_both_dialects() {
        let expected = HashMap::from([("a".to_owned(), 1_i64)]);
        assert_eq!(
            convert::<HashMap<String, i64>>(Value::Array(vec![bulk("a"), bulk("1")])).ok(),
            Some(expected.clone())
        );
        assert_eq!(
            convert::<HashMap<String, i64>>(Value::Map(vec![(bulk("a"), Value::Int(1))])).ok(),
            Some(expected)
        );
    }

    #[test]
    fn an_error_inside_an_array_is_the_servers_error() {
        let value = Value::Array(vec![Value::Int(1), Value::Error("WRONGTYPE no".into())]);
        let error = convert::<Vec<i64>>(value).expect_err("an error inside");
        assert_eq!(error.code(), Some("WRONGTYPE"));
        assert_eq!(error.to_string(), "WRONGTYPE no");
    }
}
