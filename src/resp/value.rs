//! A whole reply as a tree, for whoever receives replies: the client library, the CLI, tests.

use bytes::Bytes;

use super::reply::ReplyBuf;

/// One reply, of any type of RESP2 or RESP3.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A status line: `OK`.
    Simple(String),
    /// An error, code first: `ERR no such key`. Bulk errors arrive as this too.
    Error(String),
    /// An integer.
    Int(i64),
    /// A string of any bytes.
    Bulk(Bytes),
    /// No value; all three spellings of it.
    Null,
    /// Values in order.
    Array(Vec<Value>),
    /// Pairs, in the order of arrival.
    Map(Vec<(Value, Value)>),
    /// Values in no order.
    Set(Vec<Value>),
    /// A message that answers no request.
    Push(Vec<Value>),
    /// A floating-point number.
    Double(f64),
    /// A truth value.
    Boolean(bool),
    /// A text with its format, such as `txt` or `mkd`.
    Verbatim {
        /// Three bytes that name the format.
        format: [u8; 3],
        /// The text.
        text: Bytes,
    },
    /// The digits of an integer of any size.
    BigNumber(String),
    /// A value with data about it, which most readers pass over.
    Attributed {
        /// The data.
        attributes: Vec<(Value, Value)>,
        /// The value.
        value: Box<Value>,
    },
}

impl Value {
    /// The bytes of a string in any of its forms.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) | Self::BigNumber(text) => Some(text.as_bytes()),
            Self::Bulk(bytes) | Self::Verbatim { text: bytes, .. } => Some(bytes),
            Self::Attributed { value, .. } => value.as_bytes(),
            _ => None,
        }
    }

    /// The value without its attributes.
    pub fn into_plain(mut self) -> Self {
        while let Self::Attributed { value, .. } = self {
            self = *value;
        }
        self
    }

    /// Appends this value as a reply, in the buffer's dialect.
    pub fn write_to(&self, out: &mut ReplyBuf) {
        match self {
            Self::Simple(text) => out.simple(text),
            Self::Error(text) => out.error(text),
            Self::Int(value) => out.int(*value),
            Self::Bulk(bytes) => out.bulk_shared(bytes.clone()),
            Self::Null => out.null(),
            Self::Double(value) => out.double(*value),
            Self::Boolean(value) => out.boolean(*value),
            Self::Verbatim { format, text } => out.verbatim(*format, &String::from_utf8_lossy(text)),
            Self::BigNumber(digits) => out.big_number(digits),
            Self::Array(_) | Self::Set(_) | Self::Push(_) | Self::Map(_) | Self::Attributed { .. } => {
                self.write_aggregate(out);
            }
        }
    }

    fn write_aggregate(&self, out: &mut ReplyBuf) {
        match self {
            Self::Array(values) => {
                out.array(values.len());
                write_all(values, out);
            }
            Self::Set(values) => {
                out.set(values.len());
                write_all(values, out);
            }
            Self::Push(values) => {
                out.push(values.len());
                write_all(values, out);
            }
            Self::Map(pairs) => {
                out.map(pairs.len());
                write_pairs(pairs, out);
            }
            Self::Attributed { attributes, value } => {
                if out.attribute(attributes.len()) {
                    write_pairs(attributes, out);
                }
                value.write_to(out);
            }
            _ => {}
        }
    }
}

fn write_all(values: &[Value], out: &mut ReplyBuf) {
    for value in values {
        value.write_to(out);
    }
}

fn write_pairs(pairs: &[(Value, Value)], out: &mut ReplyBuf) {
    for (key, value) in pairs {
        key.write_to(out);
        value.write_to(out);
    }
}
