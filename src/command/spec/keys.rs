//! Where the keys of a command are, as data.
//!
//! A key spec tells where to begin to look and how to go on from there. Most commands have their keys at fixed
//! places: for these [`KeyRange`] is found once, when the table is built, and costs nothing to apply.

use super::bits::KeyFlags;

/// Where to begin to look for keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeginSearch {
    /// At this argument; the command's name is argument 0.
    Index(i32),
    /// Behind this word.
    Keyword {
        /// The word, in any case of letters.
        keyword: &'static str,
        /// The argument from which to look for it; a negative one counts from the end and looks backwards.
        start_from: i32,
    },
    /// It takes the command's own code to know.
    Unknown,
}

/// How to go on from where the search begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindKeys {
    /// Every `step`-th argument up to the last one.
    Range {
        /// The last key, counted from the first; a negative one counts from the end of the arguments.
        last: i32,
        /// From one key to the next.
        step: i32,
        /// With `last` -1: only the first `1 / limit` of the arguments are looked at; 0 and 1 mean all.
        limit: i32,
    },
    /// As many as an argument says.
    KeyNum {
        /// The argument with the number, counted from where the search begins.
        count_at: i32,
        /// The first key, counted from where the search begins.
        first: i32,
        /// From one key to the next.
        step: i32,
    },
    /// It takes the command's own code to know.
    Unknown,
}

/// Flags that depend on whether a word stands among the arguments behind the key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariedFlags {
    /// The word, in any case of letters.
    pub token: &'static str,
    /// The flags where it stands.
    pub with: KeyFlags,
    /// The flags where it does not.
    pub without: KeyFlags,
}

/// Where some of the keys of a command are, and what happens to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// What happens to the keys; with [`KeyFlags::VARIABLE_FLAGS`], at most.
    pub flags: KeyFlags,
    /// Where to begin to look.
    pub begin: BeginSearch,
    /// How to go on from there.
    pub find: FindKeys,
    /// A remark for the reader.
    pub notes: Option<&'static str>,
    /// What the flags are in a given call, where they vary.
    pub varied: Option<VariedFlags>,
}

impl KeySpec {
    /// One key, at this argument.
    pub const fn at(index: i32, flags: &[KeyFlags]) -> Self {
        Self::range(index, 0, 1, flags)
    }

    /// Keys from argument `first` on; `last` counts from `first`, or if negative from the end.
    pub const fn range(first: i32, last: i32, step: i32, flags: &[KeyFlags]) -> Self {
        Self {
            flags: KeyFlags::of(flags),
            begin: BeginSearch::Index(first),
            find: FindKeys::Range { last, step, limit: 0 },
            notes: None,
            varied: None,
        }
    }

    /// As many keys as the argument at `index` says, right behind it.
    pub const fn counted(index: i32, flags: &[KeyFlags]) -> Self {
        Self { find: FindKeys::KeyNum { count_at: 0, first: 1, step: 1 }, ..Self::at(index, flags) }
    }

    /// All that stands behind a word; see [`BeginSearch::Keyword`] for where to look for it.
    pub const fn behind(keyword: &'static str, start_from: i32, flags: &[KeyFlags]) -> Self {
        Self { begin: BeginSearch::Keyword { keyword, start_from }, ..Self::range(1, -1, 1, flags) }
    }

    /// Keys that only the command's own code can find.
    pub const fn unknown(flags: &[KeyFlags]) -> Self {
        Self { begin: BeginSearch::Unknown, find: FindKeys::Unknown, ..Self::at(1, flags) }
    }

    /// Adds a remark for the reader.
    pub const fn notes(mut self, notes: &'static str) -> Self {
        self.notes = Some(notes);
        self
    }

    /// Says what the flags are with and without a word among the options.
    pub const fn varies(mut self, token: &'static str, with: &[KeyFlags], without: &[KeyFlags]) -> Self {
        self.varied = Some(VariedFlags { token, with: KeyFlags::of(with), without: KeyFlags::of(without) });
        self
    }
}

/// First, last and step of a command's keys: the oldest and fastest description of them.
///
/// It tells all keys of a command that lacks [`super::Flags::MOVABLE_KEYS`]; of others, some or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRange {
    /// Argument of the first key; 0 if there is none.
    pub first: i32,
    /// Argument of the last key; a negative one counts from the end, -1 being the last argument.
    pub last: i32,
    /// From one key to the next.
    pub step: i32,
}

impl KeyRange {
    /// No keys.
    pub const NONE: Self = Self { first: 0, last: 0, step: 0 };

    /// The range that describes `specs`, and whether it tells all keys that they tell.
    pub(super) const fn covering(specs: &[KeySpec]) -> (Self, bool) {
        let mut range = Self::NONE;
        let mut complete = true;
        let mut at = 0;
        while at < specs.len() {
            let incomplete = specs[at].flags.contains(KeyFlags::INCOMPLETE);
            match Self::of(&specs[at]) {
                Some(next) if at == 0 && specs.len() == 1 => range = next,
                Some(next) if next.step == 1 && (range.first == 0 || range.continues_with(next)) => {
                    range.first = if range.first == 0 { next.first } else { range.first };
                    range.last = next.last;
                    range.step = 1;
                }
                _ => complete = false,
            }
            complete = complete && !incomplete;
            at += 1;
        }
        (range, complete)
    }

    /// The range that one spec describes, if it is that simple.
    const fn of(spec: &KeySpec) -> Option<Self> {
        match (spec.begin, spec.find) {
            (BeginSearch::Index(first), FindKeys::Range { last, step, .. }) => {
                Some(Self { first, last: if last < 0 { last } else { first + last }, step })
            }
            _ => None,
        }
    }

    /// Whether `next` starts right behind the last key.
    const fn continues_with(self, next: Self) -> bool {
        self.last > 0 && self.last + 1 == next.first
    }

    /// The places of the keys among `count` arguments; none beyond the last argument.
    #[inline]
    pub fn places(self, count: usize) -> std::iter::StepBy<std::ops::Range<usize>> {
        let last = if self.last < 0 { count as i64 + i64::from(self.last) } else { i64::from(self.last) };
        let end = if self.first == 0 { 0 } else { (last + 1).clamp(0, count as i64) };
        (self.first as usize..end as usize).step_by(self.step.max(1) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RO: &[KeyFlags] = &[KeyFlags::RO];

    #[test]
    fn one_range_is_taken_as_it_is() {
        let range = KeyRange { first: 1, last: -1, step: 2 };
        assert_eq!(KeyRange::covering(&[KeySpec::range(1, -1, 2, RO)]), (range, true));
        assert_eq!(range.places(5).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(range.places(1).count(), 0);
        assert_eq!(range.places(0).count(), 0);
    }

    #[test]
    fn adjoining_ranges_become_one() {
        let range = KeyRange { first: 1, last: 2, step: 1 };
        assert_eq!(KeyRange::covering(&[KeySpec::at(1, RO), KeySpec::at(2, RO)]), (range, true));
        assert_eq!(range.places(3).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_gap_or_a_count_is_not_covered() {
        let counted = KeySpec::counted(2, RO);
        let first = KeyRange { first: 1, last: 1, step: 1 };
        assert_eq!(KeyRange::covering(&[KeySpec::at(1, RO), KeySpec::at(3, RO)]), (first, false));
        assert_eq!(KeyRange::covering(&[KeySpec::at(1, RO), counted]), (first, false));
        assert_eq!(KeyRange::covering(&[counted]), (KeyRange::NONE, false));
        assert_eq!(KeyRange::covering(&[]), (KeyRange::NONE, true));
    }
}
