//! Replies for people: types in parentheses, strings quoted, items numbered and aligned under their parent.

use std::io::Write;

use crate::resp::Value;
use crate::resp::inline::write_quoted;
use crate::resp::number::write_f64;

/// Appends `value`, each line ended. `indent` goes before every line but the first, whose place the caller has set.
pub(super) fn write(out: &mut Vec<u8>, value: &Value, indent: &str) {
    match value {
        Value::Array(values) | Value::Push(values) if !values.is_empty() => items(out, values, ')', indent),
        Value::Set(values) if !values.is_empty() => items(out, values, '~', indent),
        Value::Map(pairs) if !pairs.is_empty() => map(out, pairs, indent),
        Value::Attributed { value, .. } => write(out, value, indent),
        scalar => {
            write_scalar(out, scalar);
            out.push(b'\n');
        }
    }
}

fn write_scalar(out: &mut Vec<u8>, value: &Value) {
    let mut tagged = |tag: &str, text: &[u8]| {
        out.extend_from_slice(tag.as_bytes());
        out.extend_from_slice(text);
    };
    match value {
        Value::Simple(text) => tagged("", text.as_bytes()),
        Value::Error(text) => tagged("(error) ", text.as_bytes()),
        Value::Int(number) => tagged("(integer) ", itoa::Buffer::new().format(*number).as_bytes()),
        Value::Double(number) => {
            tagged("(double) ", b"");
            write_f64(out, *number);
        }
        Value::BigNumber(digits) => tagged("(big number) ", digits.as_bytes()),
        Value::Bulk(bytes) => write_quoted(out, bytes),
        Value::Verbatim { text, .. } => tagged("", text),
        Value::Boolean(true) => tagged("(true)", b""),
        Value::Boolean(false) => tagged("(false)", b""),
        Value::Null => tagged("(nil)", b""),
        Value::Map(_) => tagged("(empty hash)", b""),
        Value::Set(_) => tagged("(empty set)", b""),
        Value::Push(_) => tagged("(empty push)", b""),
        Value::Array(_) | Value::Attributed { .. } => tagged("(empty array)", b""),
    }
}

fn items(out: &mut Vec<u8>, values: &[Value], sign: char, indent: &str) {
    let numbers = Numbers::new(values.len(), sign, indent);
    for (index, value) in values.iter().enumerate() {
        numbers.write(out, index);
        write(out, value, &numbers.indent_below);
    }
}

fn map(out: &mut Vec<u8>, pairs: &[(Value, Value)], indent: &str) {
    let numbers = Numbers::new(pairs.len(), '#', indent);
    for (index, (key, value)) in pairs.iter().enumerate() {
        numbers.write(out, index);
        write(out, key, &numbers.indent_below);
        out.pop();
        out.extend_from_slice(b" => ");
        if branches(value) {
            out.push(b'\n');
            out.extend_from_slice(numbers.indent_below.as_bytes());
        }
        write(out, value, &numbers.indent_below);
    }
}

/// Whether a value has several items, at any depth, and so starts on a line of its own where it belongs to a key.
fn branches(value: &Value) -> bool {
    match value {
        Value::Array(values) | Value::Push(values) | Value::Set(values) => match &values[..] {
            [only] => branches(only),
            values => !values.is_empty(),
        },
        Value::Map(pairs) => match &pairs[..] {
            [(key, value)] => branches(key) || branches(value),
            pairs => !pairs.is_empty(),
        },
        Value::Attributed { value, .. } => branches(value),
        _ => false,
    }
}

/// The numbers before the items of one aggregate, right-aligned.
struct Numbers<'a> {
    width: usize,
    sign: char,
    indent: &'a str,
    /// What goes before the lines of what is nested in an item.
    indent_below: String,
}

impl<'a> Numbers<'a> {
    fn new(count: usize, sign: char, indent: &'a str) -> Self {
        let width = count.to_string().len();
        Self { width, sign, indent, indent_below: format!("{indent}{:1$}", "", width + 2) }
    }

    fn write(&self, out: &mut Vec<u8>, index: usize) {
        let indent = if index == 0 { "" } else { self.indent };
        let (number, width, sign) = (index + 1, self.width, self.sign);
        // Why: writing to memory cannot fail.
        let _ = write!(out, "{indent}{number:width$}{sign} ");
    }
}
