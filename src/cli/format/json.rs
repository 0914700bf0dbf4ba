//! Replies as JSON. Strings keep their bytes: a reader that insists on UTF-8 has to store UTF-8.

use std::io::Write;

use crate::resp::Value;
use crate::resp::number::write_f64;

/// Appends `value`, without a line end.
pub(super) fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Error(text) => {
            out.extend_from_slice(b"error:");
            string(out, text.as_bytes());
        }
        Value::Simple(text) => string(out, text.as_bytes()),
        Value::Bulk(bytes) | Value::Verbatim { text: bytes, .. } => string(out, bytes),
        Value::Int(number) => out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
        Value::Double(number) => write_f64(out, *number),
        Value::BigNumber(digits) => out.extend_from_slice(digits.as_bytes()),
        Value::Boolean(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Attributed { value, .. } => write(out, value),
        Value::Array(values) | Value::Set(values) | Value::Push(values) => array(out, values),
        Value::Map(pairs) => object(out, pairs),
    }
}

fn array(out: &mut Vec<u8>, values: &[Value]) {
    out.push(b'[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, value);
    }
    out.push(b']');
}

fn object(out: &mut Vec<u8>, pairs: &[(Value, Value)]) {
    out.push(b'{');
    for (index, (key, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        if key.as_bytes().is_some() {
            write(out, key);
        } else {
            // Why: only strings can be keys, so any other key is the string of its own JSON.
            let mut text = Vec::new();
            write(&mut text, key);
            string(out, &text);
        }
        out.push(b':');
        write(out, value);
    }
    out.push(b'}');
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..=0x1f => {
                // Why: writing to memory cannot fail.
                let _ = write!(out, "\\u{byte:04x}");
            }
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}
