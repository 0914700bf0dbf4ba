//! Members as a key's new value: the end of all commands that store their result.

use crate::command::call::Call;
use crate::command::sorted_sets::score;
use crate::settings::EventClass;
use crate::store::value::collection::Type;
use crate::store::value::form::write_scored;

/// Puts a sorted set of these members, of which no two are the same, in the key's place, tells `event`, and answers how
/// many there are. Without any the key goes.
pub fn store<'m>(
    call: &mut Call<'_, '_>,
    key: &[u8],
    event: &'static str,
    members: impl Iterator<Item = (f64, &'m [u8])>,
) {
    let (mut data, mut ends, mut entry) = (Vec::new(), Vec::new(), Vec::new());
    for (score, member) in members {
        write_scored(score::kept(score), member, &mut entry);
        data.extend_from_slice(&entry);
        ends.push(data.len());
    }
    let db = call.db();
    if ends.is_empty() {
        if call.txn.delete(db, key) {
            call.notify(EventClass::GENERIC, "del", key);
        }
    } else {
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let entries = starts.zip(&ends).map(|(start, end)| &data[start..*end]).collect();
        let put = call.txn.put_collection(db, key, Type::SortedSet, entries, None);
        put.expect("no score is NaN");
        call.notify(EventClass::ZSET, event, key);
    }
    call.reply.int(ends.len() as i64);
}
