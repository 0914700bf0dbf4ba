//! Which arguments of a given call are keys.
//!
//! COMMAND GETKEYS asks this, and so does all that must know a command's keys before it runs. Positions are found
//! from the key specs alone, in one pass without allocation for up to four keys.

use super::CommandSpec;
use super::bits::{Flags, KeyFlags};
use super::keys::{BeginSearch, FindKeys, KeySpec};
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
pub fn key_positions<A: AsRef<[u8]>>(spec: &CommandSpec, arguments: &[A]) -> Result<KeyPositions, KeyError> {
    if !spec.has_keys() {
        return Err(KeyError::NoKeys);
    }
    if !spec.accepts(arguments.len()) {
        return Err(KeyError::Arity);
    }
    let mut found = KeyPositions::new();
    for keys in spec.keys.iter().filter(|keys| !keys.flags.contains(KeyFlags::NOT_KEY)) {
        find(keys, arguments, &mut found)?;
    }
    if found.is_empty() && !spec.flags.contains(Flags::NO_MANDATORY_KEYS) {
        return Err(KeyError::Invalid);
    }
    Ok(found)
}

/// Adds the keys that one spec finds.
fn find<A: AsRef<[u8]>>(spec: &KeySpec, arguments: &[A], found: &mut KeyPositions) -> Result<(), KeyError> {
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
fn begin<A: AsRef<[u8]>>(begin: BeginSearch, arguments: &[A]) -> Result<Option<i64>, KeyError> {
    match begin {
        BeginSearch::Index(index) => Ok(Some(i64::from(index))),
        BeginSearch::Keyword { keyword, start_from } => Ok(behind_keyword(keyword, start_from, arguments)),
        BeginSearch::Unknown => Err(KeyError::Invalid),
    }
}

/// The argument behind a word, if it stands there.
fn behind_keyword<A: AsRef<[u8]>>(keyword: &str, start_from: i32, arguments: &[A]) -> Option<i64> {
    let is_keyword = |at: &usize| arguments[*at].as_ref().eq_ignore_ascii_case(keyword.as_bytes());
    let at = if start_from > 0 {
        (start_from as usize..arguments.len()).find(is_keyword)
    } else {
        let from = (arguments.len() + 1).saturating_sub(start_from.unsigned_abs() as usize);
        (1..from).rev().find(is_keyword)
    };
    at.map(|at| at as i64 + 1)
}

/// First and last key and the step between them, not yet checked against the number of arguments.
fn extent<A: AsRef<[u8]>>(find: FindKeys, begin: i64, arguments: &[A]) -> Result<(i64, i64, i64), KeyError> {
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
            let keys = usize::try_from(begin + i64::from(count_at)).ok().and_then(|at| arguments.get(at));
            let keys: i64 = keys.and_then(|keys| number(keys.as_ref())).ok_or(KeyError::Invalid)?;
            let first = begin + i64::from(first);
            Ok((first, first + (keys - 1) * i64::from(step), i64::from(step)))
        }
        FindKeys::Unknown => Err(KeyError::Invalid),
    }
}

/// A number of keys: decimal digits without anything else, and small enough to count arguments.
fn number(text: &[u8]) -> Option<i64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let canonical = digits && (text.len() == 1 || text[0] != b'0');
    let text = std::str::from_utf8(text).ok().filter(|_| canonical)?;
    text.parse::<u32>().ok().map(i64::from)
}

/// What the command does with the keys of one spec in this call.
fn flags_in<A: AsRef<[u8]>>(spec: &KeySpec, arguments: &[A]) -> KeyFlags {
    let Some(varied) = spec.varied else { return spec.flags };
    // Why: options stand behind the command, its key and its value.
    let options = arguments.get(3..).unwrap_or_default();
    let stands = options.iter().any(|word| word.as_ref().eq_ignore_ascii_case(varied.token.as_bytes()));
    if stands { varied.with } else { varied.without }
}
