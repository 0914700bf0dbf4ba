//! Replies as one line of comma-separated values; nesting is flattened.

use crate::resp::Value;
use crate::resp::inline::write_quoted;
use crate::resp::number::write_f64;

/// Appends `value`, without a line end.
pub(super) fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"NULL"),
        Value::Error(text) => {
            out.extend_from_slice(b"ERROR,");
            write_quoted(out, text.as_bytes());
        }
        Value::Simple(text) => write_quoted(out, text.as_bytes()),
        Value::Bulk(bytes) | Value::Verbatim { text: bytes, .. } => write_quoted(out, bytes),
        Value::Int(number) => out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
        Value::Double(number) => write_f64(out, *number),
        Value::BigNumber(digits) => out.extend_from_slice(digits.as_bytes()),
        Value::Boolean(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Attributed { value, .. } => write(out, value),
        Value::Array(values) | Value::Set(values) | Value::Push(values) => separated(out, values.iter()),
        Value::Map(pairs) => separated(out, pairs.iter().flat_map(|(key, value)| [key, value])),
    }
}

fn separated<'a>(out: &mut Vec<u8>, values: impl Iterator<Item = &'a Value>) {
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, value);
    }
}
