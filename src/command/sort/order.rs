//! Putting elements in order.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use super::query::Query;
use super::{Misses, to_bytes, weight};
use crate::command::call::{Call, CommandError};
use crate::store::value::collection::Collection;
use crate::store::version::StringRef;

/// The elements that a query is about, in its order.
///
/// # Errors
/// Elements or weights that are no numbers.
pub(super) fn elements<'g>(
    call: &mut Call<'_, 'g>,
    collection: Collection<'g>,
    query: &Query<'_>,
    misses: Misses,
) -> Result<Vec<&'g [u8]>, CommandError> {
    let len = collection.entries().len();
    let window = query.window(len);
    if query.is_unsorted {
        return Ok(as_they_are(collection, len, &window, query.is_descending));
    }
    let elements = as_they_are(collection, len, &(0..len), false);
    let window = window.start as usize..window.end as usize;
    let sorter = Sorter { window, is_descending: query.is_descending };
    match (query.is_alpha, query.by) {
        (true, None) => {
            Ok(sorter.sort(elements.into_iter().map(|element| (element, element)).collect(), Ord::cmp))
        }
        (true, Some(by)) => {
            let mut keyed: Vec<(Option<Cow<'g, [u8]>>, _)> = Vec::with_capacity(elements.len());
            for element in elements {
                keyed.push((by.find(call, element, misses).map(to_bytes), element));
            }
            Ok(sorter.sort(keyed, Ord::cmp))
        }
        (false, by) => {
            let mut keyed = Vec::with_capacity(elements.len());
            let mut failure = None;
            for element in elements {
                let value = match by {
                    None => Some(StringRef::Str(element)),
                    Some(by) => by.find(call, element, misses),
                };
                let number = value.map_or(Ok(0.0), weight::of).unwrap_or_else(|error| {
                    failure = Some(error);
                    0.0
                });
                keyed.push(((number, element), element));
            }
            let compare = |a: &(f64, &[u8]), b: &(f64, &[u8])| {
                a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal).then_with(|| a.1.cmp(b.1))
            };
            failure.map_or_else(|| Ok(sorter.sort(keyed, compare)), Err)
        }
    }
}

/// Elements in the order in which they are kept; that of a set means nothing, so that it has no other direction.
fn as_they_are<'g>(
    collection: Collection<'g>,
    len: u64,
    window: &Range<u64>,
    is_descending: bool,
) -> Vec<&'g [u8]> {
    let count = (window.end - window.start) as usize;
    match (collection, is_descending) {
        (Collection::List(list), false) => list.forward(window.start).take(count).collect(),
        (Collection::List(list), true) => list.backward(len - window.start).take(count).collect(),
        (Collection::SortedSet(set), false) => {
            set.forward(window.start).map(|(_, member)| member).take(count).collect()
        }
        (Collection::SortedSet(set), true) => {
            set.backward(len - window.start).map(|(_, member)| member).take(count).collect()
        }
        (Collection::Set(set), _) => set.iter().skip(window.start as usize).take(count).collect(),
        (Collection::Hash(_), _) => Vec::new(),
    }
}

/// How elements with their keys of comparison are sorted, and which of them are wanted.
struct Sorter {
    window: Range<usize>,
    is_descending: bool,
}

impl Sorter {
    fn sort<'g, K>(
        &self,
        mut keyed: Vec<(K, &'g [u8])>,
        compare: impl Fn(&K, &K) -> Ordering,
    ) -> Vec<&'g [u8]> {
        let compare = |a: &(K, _), b: &(K, _)| {
            let order = compare(&a.0, &b.0);
            if self.is_descending { order.reverse() } else { order }
        };
        if self.window.is_empty() {
            return Vec::new();
        }
        if self.window.end < keyed.len() {
            keyed.select_nth_unstable_by(self.window.end, compare);
            keyed.truncate(self.window.end);
        }
        // Why stable: elements without a weight to tell them apart keep their order.
        keyed.sort_by(compare);
        keyed.drain(self.window.clone()).map(|(_, element)| element).collect()
    }
}
