//! What a server holds, as clients see it: type, encoding, contents in an order of their own, time to live.

use crate::compare::Mode;
use crate::exceptions;
use crate::frame::{Connection, Frame};

/// Databases that both servers have.
pub const DATABASES: usize = 3;

/// What fetches a value, by type.
const VALUES: [&str; 5] =
    ["GET KEY", "LRANGE KEY 0 -1", "SMEMBERS KEY", "HGETALL KEY", "ZRANGE KEY 0 -1 WITHSCORES"];

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
        let select = [b"SELECT".to_vec(), database.to_string().into_bytes()];
        let found = onlooker.calls(&[&select, &[b"KEYS".to_vec(), b"*".to_vec()]]).remove(1);
        let mut keys: Vec<Vec<u8>> = found.parts().iter().map(|key| key.bytes().to_vec()).collect();
        keys.sort();
        let questions: Vec<Vec<Vec<u8>>> = keys.iter().flat_map(|key| about(key)).collect();
        let mut answers = onlooker.calls(&questions).into_iter();
        for key in keys {
            let [kind, encoding, expiry] = [(); 3].map(|()| answers.next().expect("as many answers"));
            let values: Vec<Frame> = answers.by_ref().take(VALUES.len()).collect();
            // Why so: all but one are errors, as the key has one type.
            let value =
                values.into_iter().find(|value| value.error().is_none()).unwrap_or_else(|| kind.clone());
            entries.push(Entry { name: (database, key), kind, encoding, expiry, value });
        }
    }
    onlooker.ask("SELECT 0");
    entries
}

/// The questions that are asked about a key, the first of which have an answer whatever it holds.
fn about(key: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let ask = |line: &&str| -> Vec<Vec<u8>> {
        line.split(' ')
            .map(|word| if word == "KEY" { key.to_vec() } else { word.as_bytes().to_vec() })
            .collect()
    };
    ["TYPE KEY", "OBJECT ENCODING KEY", "PEXPIRETIME KEY"].iter().chain(&VALUES).map(ask).collect()
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
