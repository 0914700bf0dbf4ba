//! Which arguments of a given call are keys.
//!
//! COMMAND GETKEYS asks this, and so does all that must know a command's keys before it runs. Positions are found
//! from the key specs, in one pass without allocation for up to four keys; a command of which these do not tell
//! enough brings a function of its own.

use super::CommandSpec;
use super::bits::{Flags, KeyFlags};
use super::keys::{BeginSearch, FindKeys, KeySpec};
use crate::resp::{Args, number::parse_i64};
use smallvec::SmallVec;

/// One key of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyAt {
    /// The argument that is the key; the command's name is argument 0.
    pub index: usize,
    /// What the command does with it.
    pub flags: KeyFlags,
}

/// The keys of a call, in the order of the arguments as the specs find them.
pub type KeyPositions = SmallVec<[KeyAt; 4]>;

/// Finds the keys of a call, given with its name, that has as many arguments as the command takes.
pub type KeyFinder = fn(Args<'_>) -> KeyPositions;

/// Why the keys of a call cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The command never takes a key.
    #[error("The command has no key arguments")]
    NoKeys,
    /// The call has more or fewer arguments than the command takes.
    #[error("Invalid number of arguments specified for command")]
    Arity,
    /// The arguments do not fit the command's key specs.
    #[error("Invalid arguments specified for command")]
    Invalid,
}

/// Finds the keys among `arguments`, the first of which is the command's name.
///
/// # Errors
/// [`KeyError`], with Redis's sentence for it.
pub fn key_positions(spec: &CommandSpec, arguments: Args<'_>) -> Result<KeyPositions, KeyError> {
    if !spec.has_keys() {
        return Err(KeyError::NoKeys);
    }
    if !spec.accepts(arguments.len()) {
        return Err(KeyError::Arity);
    }
    let found = match (find_all(spec, arguments), spec.key_finder) {
        (Err(_), Some(finder)) => Ok(finder(arguments)),
        (found, _) => found,
    };
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        // Why: a script without keys is an ordinary call, and one with a bad count is the script command's to refuse.
        _ if spec.flags.contains(Flags::NO_MANDATORY_KEYS) => Ok(KeyPositions::new()),
        _ => Err(KeyError::Invalid),
    }
}

/// The keys that all specs find together.
fn find_all(spec: &CommandSpec, arguments: Args<'_>) -> Result<KeyPositions, KeyError> {
    let mut found = KeyPositions::new();
    for keys in spec.keys.iter().filter(|keys| !keys.flags.contains(KeyFlags::NOT_KEY)) {
        find(keys, arguments, &mut found)?;
    }
    Ok(found)
}

/// Adds the keys that one spec finds.
fn find(spec: &KeySpec, arguments: Args<'_>, found: &mut KeyPositions) -> Result<(), KeyError> {
    let Some(begin) = begin(spec.begin, arguments)? else { return Ok(()) };
    let (first, last, step) = extent(spec.find, begin, arguments)?;
    let count = arguments.len() as i64;
    if first < 1 || last < first || last >= count || step < 1 || spec.flags.contains(KeyFlags::INCOMPLETE) {
        return Err(KeyError::Invalid);
    }
    let flags = flags_in(spec, arguments);
    let places = (first as usize..=last as usize).step_by(step as usize);
    found.extend(places.map(|index| KeyAt { index, flags }));
    Ok(())
}

/// The argument where the search begins, if there is one.
fn begin(begin: BeginSearch, arguments: Args<'_>) -> Result<Option<i64>, KeyError> {
    match begin {
        BeginSearch::Index(index) => Ok(Some(i64::from(index))),
        BeginSearch::Keyword { keyword, start_from } => Ok(behind_keyword(keyword, start_from, arguments)),
        BeginSearch::Unknown => Err(KeyError::Invalid),
    }
}

/// The argument behind a word, if it stands there.
fn behind_keyword(keyword: &str, start_from: i32, arguments: Args<'_>) -> Option<i64> {
    let is_keyword = |at: &usize| arguments[*at].eq_ignore_ascii_case(keyword.as_bytes());
    let at = if start_from > 0 {
        (start_from as usize..arguments.len()).find(is_keyword)
    } else {
        let from = (arguments.len() + 1).saturating_sub(start_from.unsigned_abs() as usize);
        (1..from).rev().find(is_keyword)
    };
    at.map(|at| at as i64 + 1)
}

/// First and last key and the step between them, not yet checked against the number of arguments.
fn extent(find: FindKeys, begin: i64, arguments: Args<'_>) -> Result<(i64, i64, i64), KeyError> {
    let count = arguments.len() as i64;
    match find {
        FindKeys::Range { last, step, limit } => {
            let last = match (last, limit) {
                (0.., _) => begin + i64::from(last),
                (_, 0) => count + i64::from(last),
                (_, limit) => begin + (count - begin) / i64::from(limit) + i64::from(last),
            };
            Ok((begin, last, i64::from(step)))
        }
        FindKeys::KeyNum { count_at, first, step } => {
            let count = usize::try_from(begin + i64::from(count_at)).ok().and_then(|at| arguments.get(at));
            let keys = count.and_then(parse_i64).filter(|keys| (1..=arguments.len() as i64).contains(keys));
            let keys = keys.ok_or(KeyError::Invalid)?;
            let first = begin + i64::from(first);
            Ok((first, first + (keys - 1) * i64::from(step), i64::from(step)))
        }
        FindKeys::Unknown => Err(KeyError::Invalid),
    }
}

/// What the command does with the keys of one spec in this call.
fn flags_in(spec: &KeySpec, arguments: Args<'_>) -> KeyFlags {
    let Some(varied) = spec.varied else { return spec.flags };
    // Why: options stand behind the command, its key and its value.
    let mut options = arguments.from(3).iter();
    let stands = options.any(|word| word.eq_ignore_ascii_case(varied.token.as_bytes()));
    if stands { varied.with } else { varied.without }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::spec::Group;
    use crate::resp::OwnedRequest;

    /// The places of the keys in a call, given as words.
    fn places(spec: &CommandSpec, call: &str) -> Result<Vec<usize>, KeyError> {
        let request: OwnedRequest = call.split(' ').collect();
        key_positions(spec, request.as_args()).map(|found| found.iter().map(|key| key.index).collect())
    }

    fn spec(keys: &'static [KeySpec]) -> CommandSpec {
        CommandSpec::new("x", -1, Group::Generic, "1.0.0").keys(keys)
    }

    const RO: &[KeyFlags] = &[KeyFlags::RO];

    #[test]
    fn ranges_count_from_the_first_key_or_from_the_end() {
        let pairs = spec(const { &[KeySpec::range(1, -1, 2, RO)] });
        assert_eq!(places(&pairs, "x a 1 b 2"), Ok(vec![1, 3]));
        assert_eq!(places(&pairs, "x"), Err(KeyError::Invalid));
        let all_but_last = spec(const { &[KeySpec::range(1, -2, 1, RO)] });
        assert_eq!(places(&all_but_last, "x a b timeout"), Ok(vec![1, 2]));
        let two = spec(const { &[KeySpec::range(1, 1, 1, RO)] });
        assert_eq!(places(&two, "x a b c"), Ok(vec![1, 2]));
        assert_eq!(places(&two, "x a"), Err(KeyError::Invalid));
    }

    #[test]
    fn a_limit_takes_the_first_part_of_the_arguments() {
        const HALF: KeySpec = KeySpec {
            begin: BeginSearch::Keyword { keyword: "STREAMS", start_from: 1 },
            find: FindKeys::Range { last: -1, step: 1, limit: 2 },
            ..KeySpec::at(1, RO)
        };
        let streams = spec(const { &[HALF] });
        assert_eq!(places(&streams, "x count 1 streams a b 1-0 2-0"), Ok(vec![4, 5]));
        assert_eq!(places(&streams, "x a b"), Err(KeyError::Invalid));
    }

    #[test]
    fn a_count_says_how_many_keys_follow() {
        let counted = spec(const { &[KeySpec::counted(2, RO)] });
        assert_eq!(places(&counted, "x script 2 a b c"), Ok(vec![3, 4]));
        for wrong in [
            "x script",
            "x script two a b",
            "x script 3 a b",
            "x script -1 a",
            "x script 99999999999999999 a",
        ] {
            assert_eq!(places(&counted, wrong), Err(KeyError::Invalid), "{wrong}");
        }
        let script = counted.flags(&[Flags::NO_MANDATORY_KEYS]);
        assert_eq!(places(&script, "x script 0 a"), Ok(vec![]));
    }

    #[test]
    fn a_keyword_may_be_sought_from_the_end() {
        const BACKWARDS: KeySpec =
            KeySpec { begin: BeginSearch::Keyword { keyword: "KEYS", start_from: -2 }, ..KeySpec::at(1, RO) };
        let backwards = spec(const { &[BACKWARDS] });
        assert_eq!(places(&backwards, "x keys a keys b"), Ok(vec![4]));
        assert_eq!(places(&backwards, "x a b keys"), Err(KeyError::Invalid));
    }

    #[test]
    fn what_the_specs_do_not_find_the_commands_own_function_does() {
        let finder: KeyFinder = |call| {
            let last = KeyAt { index: call.len() - 1, flags: KeyFlags::RO };
            std::iter::once(last).filter(|key| key.index > 1).collect()
        };
        let own = spec(const { &[KeySpec::at(1, RO), KeySpec::unknown(RO)] });
        assert_eq!(places(&own, "x a b c"), Err(KeyError::Invalid));
        assert_eq!(places(&own.keys_found_by(finder), "x a b c"), Ok(vec![3]));
        assert_eq!(places(&own.keys_found_by(finder), "x a"), Err(KeyError::Invalid));
        let known = spec(const { &[KeySpec::at(1, RO)] });
        assert_eq!(places(&known.keys_found_by(finder), "x a b c"), Ok(vec![1]));
    }

    #[test]
    fn flags_vary_with_the_options_behind_the_value() {
        let varied = spec(const { &[KeySpec::at(1, RO).varies("GET", &[KeyFlags::RW], &[KeyFlags::OW])] });
        let flags = |call: &str| {
            let request: OwnedRequest = call.split(' ').collect();
            key_positions(&varied, request.as_args()).map(|found| found[0].flags)
        };
        assert_eq!(flags("x key get"), Ok(KeyFlags::OW));
        assert_eq!(flags("x key value ex 1 gEt"), Ok(KeyFlags::RW));
    }

    #[test]
    fn no_call_makes_the_search_leave_the_arguments() {
        #[expect(clippy::needless_pass_by_value, reason = "quickcheck hands over values")]
        fn property(words: Vec<Vec<u8>>) -> bool {
            let request: OwnedRequest = words.iter().collect();
            let inside = |key: &KeyAt| (1..words.len()).contains(&key.index);
            crate::command::table::all()
                .filter_map(|spec| key_positions(spec, request.as_args()).ok())
                .all(|found| found.iter().all(inside))
        }
        quickcheck::quickcheck(property as fn(Vec<Vec<u8>>) -> bool);
    }
}
