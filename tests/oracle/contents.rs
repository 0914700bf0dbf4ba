//! What a server holds, as clients see it: type, encoding, contents in an order of their own, time to live.

use crate::compare::Mode;
use crate::exceptions;
use crate::frame::{Connection, Frame};

const DATABASES: usize = 16;

/// One key with all that is known of it.
#[derive(Debug)]
pub struct Entry {
    /// Database and key.
    name: (usize, Vec<u8>),
    kind: Frame,
    encoding: Frame,
    expiry: Frame,
    value: Frame,
}

/// Everything that a server holds, in the order of databases and keys.
pub fn of(onlooker: &mut Connection) -> Vec<Entry> {
    let mut entries = Vec::new();
    for database in 0..DATABASES {
        onlooker.ask(&format!("SELECT {database}"));
        let mut keys: Vec<Vec<u8>> =
            onlooker.ask("KEYS *").parts().iter().map(|key| key.bytes().to_vec()).collect();
        keys.sort();
        for key in keys {
            let kind = onlooker.call(&[&b"TYPE"[..], &key]);
            let question: &[&[u8]] = match kind.bytes() {
                b"string" => &[b"GET", &key],
                b"list" => &[b"LRANGE", &key, b"0", b"-1"],
                b"set" => &[b"SMEMBERS", &key],
                b"hash" => &[b"HGETALL", &key],
                b"zset" => &[b"ZRANGE", &key, b"0", b"-1", b"WITHSCORES"],
                _ => &[b"DUMP", &key],
            };
            let value = onlooker.call(question);
            let encoding = onlooker.call(&[&b"OBJECT"[..], b"ENCODING", &key]);
            let expiry = onlooker.call(&[&b"PEXPIRETIME"[..], &key]);
            entries.push(Entry { name: (database, key), kind, encoding, expiry, value });
        }
    }
    onlooker.ask("SELECT 0");
    entries
}

/// The first key that differs, as text: its name, then what either holds.
pub fn difference(
    theirs: &[Entry],
    ours: &[Entry],
    with_encodings: bool,
) -> Option<(String, String, String)> {
    let names = theirs.iter().chain(ours).map(|entry| &entry.name);
    for name in names {
        let find = |entries: &[Entry]| entries.iter().position(|entry| entry.name == *name);
        let (their, our) = (find(theirs).map(|at| &theirs[at]), find(ours).map(|at| &ours[at]));
        let same = match (their, our) {
            (Some(their), Some(our)) => their.is_same_as(our, with_encodings),
            _ => false,
        };
        if !same {
            let told = |entry: Option<&Entry>| entry.map_or_else(|| "nothing".to_owned(), Entry::told);
            return Some((
                format!("key {} of database {}", name.1.escape_ascii(), name.0),
                told(their),
                told(our),
            ));
        }
    }
    None
}

impl Entry {
    fn is_same_as(&self, ours: &Self, with_encodings: bool) -> bool {
        let mode = match self.kind.bytes() {
            b"set" => Mode::Unordered,
            b"hash" => Mode::UnorderedPairs,
            _ => Mode::Exact,
        };
        self.kind == ours.kind
            && (mode.agree(&self.value, &ours.value) || exceptions::numbers_agree(&self.value, &ours.value))
            && Mode::Time.agree(&self.expiry, &ours.expiry)
            && (!with_encodings
                || self.encoding == ours.encoding
                || exceptions::encodings_agree(&self.encoding, &ours.encoding))
    }

    fn told(&self) -> String {
        format!("{} as {}, expiry {}: {}", self.kind, self.encoding, self.expiry, self.value)
    }
}
