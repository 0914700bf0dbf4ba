//! Replies as their bytes, for pipes: no quotes, no types, nothing for nil.

use crate::resp::Value;
use crate::resp::number::write_f64;

/// Appends `value`; nested values are separated by `delimiter`.
pub(super) fn write(out: &mut Vec<u8>, value: &Value, delimiter: &[u8]) {
    match value {
        Value::Null => {}
        Value::Error(text) => {
            out.extend_from_slice(text.as_bytes());
            out.push(b'\n');
        }
        Value::Simple(text) | Value::BigNumber(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bulk(bytes) | Value::Verbatim { text: bytes, .. } => out.extend_from_slice(bytes),
        Value::Int(number) => out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
        Value::Double(number) => write_f64(out, *number),
        Value::Boolean(truth) => out.extend_from_slice(if *truth { b"(true)" } else { b"(false)" }),
        Value::Attributed { value, .. } => write(out, value, delimiter),
        Value::Array(values) | Value::Set(values) | Value::Push(values) => {
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(delimiter);
                }
                write(out, value, delimiter);
            }
        }
        Value::Map(pairs) => {
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(delimiter);
                }
                write(out, key, delimiter);
                out.push(b' ');
                write(out, value, delimiter);
            }
        }
    }
}
