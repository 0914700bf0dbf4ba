//! How a payload is shown: decoded where a decoder knows it, as escaped bytes otherwise.
//!
//! Both the log's records and the snapshot's entries are opaque to the files' layer; the engine alone knows what
//! they say. [`decode`] is the one place that asks it.

use std::fmt::Write;

use goredis::clock::Millis;
use goredis::engine::effect::{Effect, Stored, decode_edits};
use goredis::store::value::block::Block;
use goredis::store::value::draft::DeltaRef;

/// Says in words what a payload holds; `None` when it is no sequence of effects, nor an LSN and one effect, as the
/// entries of a snapshot are.
fn decode(payload: &[u8], bytes_max: usize) -> Option<String> {
    if let Some(words) = effects(payload, bytes_max) {
        return Some(words);
    }
    let (lsn, effect) = payload.split_first_chunk::<8>()?;
    Some(format!("lsn={} {}", u64::from_le_bytes(*lsn), effects(effect, bytes_max)?))
}

fn effects(payload: &[u8], bytes_max: usize) -> Option<String> {
    let words: Option<Vec<_>> = Effect::decode_all(payload)
        .map(|effect| effect.ok().map(|effect| words(&effect, bytes_max)))
        .collect();
    words.filter(|words| !words.is_empty()).map(|words| words.join("; "))
}

fn words(effect: &Effect<'_>, bytes_max: usize) -> String {
    let quoted = |bytes: &[u8]| format!("\"{}\"", cut(bytes, bytes_max));
    let expiry = |at: Option<Millis>| at.map_or_else(String::new, |at| format!(" expires={at}"));
    match effect {
        Effect::Put { db, key, value, expiry: end } => {
            let value = match value {
                Stored::String(string) => quoted(string.bytes(&mut itoa::Buffer::new())),
                Stored::Collection(of, block) => format!("{} of {}", of.name(), Block::of(block).len()),
            };
            format!("put db={db} key={} value={value}{}", quoted(key), expiry(*end))
        }
        Effect::Delete { db, key } => format!("delete db={db} key={}", quoted(key)),
        Effect::Expire { db, key, expiry: None } => format!("persist db={db} key={}", quoted(key)),
        Effect::Expire { db, key, expiry: end } => {
            format!("expire db={db} key={}{}", quoted(key), expiry(*end))
        }
        Effect::Append { db, key, suffix } => {
            format!("append db={db} key={} bytes={}", quoted(key), quoted(suffix))
        }
        Effect::Overwrite { db, key, offset, bytes } => {
            format!("overwrite db={db} key={} offset={offset} bytes={}", quoted(key), quoted(bytes))
        }
        Effect::Edit { db, key, edits, expiry: end, .. } => {
            let edits: Vec<_> = decode_edits(edits).flatten().map(edit).collect();
            let expiry =
                end.map_or_else(String::new, |end| end.map_or(" persists".to_owned(), |at| expiry(Some(at))));
            format!("edit db={db} key={} {}{expiry}", quoted(key), edits.join(", "))
        }
        Effect::Part { db, key, of, number, is_last, entries, expiry: end } => {
            let last = if *is_last { " (last)" } else { "" };
            let entries = Block::of(entries).len();
            let (key, of) = (quoted(key), of.name());
            format!("part {number}{last} db={db} key={key} value={of} of {entries}{}", expiry(*end))
        }
        Effect::Flush { db } => format!("flush db={db}"),
        Effect::FlushAll => "flush all".to_owned(),
        Effect::Swap { a, b } => format!("swap db={a} db={b}"),
    }
}

fn edit(edit: DeltaRef<'_>) -> String {
    match edit {
        DeltaRef::Upsert(entries) => format!("puts {}", entries.len()),
        DeltaRef::Remove(keys) => format!("removes {}", keys.len()),
        DeltaRef::Splice { index, remove, insert } => {
            format!("replaces {remove} from {index} by {}", insert.len())
        }
    }
}

/// Shows a payload, of which escaped bytes are cut behind the first `bytes_max` (0: never).
pub(crate) fn show(payload: &[u8], bytes_max: usize) -> String {
    decode(payload, bytes_max).unwrap_or_else(|| cut(payload, bytes_max))
}

/// Escaped bytes, cut behind the first `bytes_max` (0: never).
fn cut(payload: &[u8], bytes_max: usize) -> String {
    let shown = if bytes_max == 0 { payload.len() } else { payload.len().min(bytes_max) };
    let mut out = escape(&payload[..shown]);
    if shown < payload.len() {
        // Writing to a string cannot fail.
        let _ = write!(out, "... {} more bytes", payload.len() - shown);
    }
    out
}

/// Printable ASCII as it is, everything else as `\n`, `\\`, `\x07` and the like.
fn escape(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_escaped_and_cut_where_asked() {
        assert_eq!(show(b"a\x00\n\\", 0), r"a\x00\n\\");
        assert_eq!(show(b"abcdef", 4), "abcd... 2 more bytes");
        assert_eq!(show(b"abcd", 4), "abcd");
    }

    #[test]
    fn effects_are_told_in_words() {
        let effects = [Effect::Append { db: 1, key: b"k\n", suffix: b"abcdef" }, Effect::Swap { a: 0, b: 3 }];
        let bytes: Vec<u8> = effects.iter().flat_map(|effect| effect.parts().slices().concat()).collect();
        assert_eq!(show(&bytes, 4), r#"append db=1 key="k\n" bytes="abcd... 2 more bytes"; swap db=0 db=3"#);
        let entry = [&77_u64.to_le_bytes()[..], &bytes].concat();
        assert!(show(&entry, 0).starts_with("lsn=77 append db=1"), "{}", show(&entry, 0));
    }
}
