//! SORT and its twin that only reads.

use crate::command::spec::argument::{block, integer, key, one_of, pattern, token};
use crate::command::spec::bits::flag::{DENYOOM, READONLY, WRITE};
use crate::command::spec::bits::key::{ACCESS, OW, RO, UPDATE};
use crate::command::spec::{
    Argument, Categories, CommandSpec, Group, KeyAt, KeyFlags, KeyPositions, KeySpec,
};
use crate::resp::Args;
use smallvec::smallvec;

/// The commands of this file.
pub(super) const COMMANDS: &[CommandSpec] = &[
    command("sort", -2, "1.0.0")
        .summary("Sorts the elements of a list, set or sorted set, and stores them if asked.")
        .complexity("O(N+M*log(M)) to sort N elements and return M; O(N) if they are not sorted")
        .flags(&[WRITE, DENYOOM])
        .categories(&[Categories::SET, Categories::SORTEDSET, Categories::LIST, Categories::DANGEROUS])
        .keys(&[
            KeySpec::at(1, &[RO, ACCESS]),
            KeySpec::unknown(&[RO, ACCESS]).notes("`BY` and `GET`: named after the elements that are sorted"),
            KeySpec::unknown(&[OW, UPDATE]).notes("`STORE`: anywhere among the options"),
        ])
        .keys_found_by(keys_of_sort)
        .arguments(&[
            key("key", 0),
            BY,
            LIMIT,
            GET,
            ORDER,
            ALPHA,
            key("destination", 2).after("STORE").optional(),
        ]),
    command("sort_ro", -2, "7.0.0")
        .summary("Sorts the elements of a list, set or sorted set.")
        .complexity("O(N+M*log(M)) to sort N elements and return M; O(N) if they are not sorted")
        .flags(&[READONLY])
        .categories(&[Categories::SET, Categories::SORTEDSET, Categories::LIST, Categories::DANGEROUS])
        .keys(&[
            KeySpec::at(1, &[RO, ACCESS]),
            KeySpec::unknown(&[RO, ACCESS]).notes("`BY` and `GET`: named after the elements that are sorted"),
        ])
        .keys_found_by(keys_of_sort_ro)
        .arguments(&[key("key", 0), BY, LIMIT, GET, ORDER, ALPHA]),
];

/// What to compare in place of the elements.
const BY: Argument = pattern("by-pattern").found_by(1).after("BY").optional().display("pattern");

/// Which of the sorted elements to take.
const LIMIT: Argument = block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional();

/// What to answer in place of the elements.
const GET: Argument =
    pattern("get-pattern").found_by(1).after("GET").optional().multiple_token().display("pattern");

/// Which way to sort.
const ORDER: Argument = one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional();

/// Whether to compare as strings, not as numbers.
const ALPHA: Argument = token("sorting", "ALPHA").optional();

/// The keys of a call of `SORT`: the one that is sorted, and the last one behind STORE.
fn keys_of_sort(call: Args<'_>) -> KeyPositions {
    let mut store = None;
    let mut at = 2;
    while let Some(word) = call.get(at) {
        at += match word.to_ascii_lowercase().as_slice() {
            b"limit" => 3,
            b"by" | b"get" => 2,
            b"store" => {
                store = Some(at + 1);
                2
            }
            _ => 1,
        };
    }
    let store = store.filter(|index| *index < call.len());
    let store = store.map(|index| KeyAt { index, flags: KeyFlags::of(&[OW, UPDATE]) });
    keys_of_sort_ro(call).into_iter().chain(store).collect()
}

/// The key of a call of `SORT_RO`: the one that is sorted.
fn keys_of_sort_ro(_call: Args<'_>) -> KeyPositions {
    smallvec![KeyAt { index: 1, flags: KeyFlags::of(&[RO, ACCESS]) }]
}

/// A command of this group.
const fn command(name: &'static str, arity: i32, since: &'static str) -> CommandSpec {
    CommandSpec::new(name, arity, Group::Generic, since)
}
