//! Drawing members of a set at random, all with the same chance.

use std::collections::HashSet;

use crate::store::value::collection::SetRef;

/// From this part of a set on (one in so many), it is gone through instead of drawing positions.
const WALK_DIVISOR: u64 = 4;

/// A number below `bound`, which is not 0, of 64 random bits.
#[inline]
pub(super) fn below(bound: u64, bits: u64) -> u64 {
    ((u128::from(bits) * u128::from(bound)) >> 64) as u64
}

/// One member.
pub(super) fn one<'g>(set: SetRef<'g>, random: &mut impl FnMut() -> u64) -> &'g [u8] {
    set.at(below(set.len(), random())).expect("a position in the set")
}

/// So many different members, or all if there are not so many. Takes time and memory in proportion to what it gives
/// (times O(log n)), whatever was asked for.
pub(super) fn distinct<'g>(set: SetRef<'g>, count: u64, random: &mut impl FnMut() -> u64) -> Vec<&'g [u8]> {
    let len = set.len();
    if count >= len {
        return set.iter().collect();
    }
    if count > len / WALK_DIVISOR {
        return walk(set, count, random);
    }
    // Floyd's method (Bentley, "Programming pearls: a sample of brilliance", 1987): each round adds one position.
    let mut drawn = HashSet::with_capacity(count as usize);
    let mut members = Vec::with_capacity(count as usize);
    for last in len - count..len {
        let mut position = below(last + 1, random());
        if !drawn.insert(position) {
            position = last;
            drawn.insert(position);
        }
        members.push(set.at(position).expect("a position in the set"));
    }
    members
}

/// The same in one walk: each member is taken with the chance that is left for it (Knuth, "The Art of Computer
/// Programming", 3.4.2, algorithm S).
fn walk<'g>(set: SetRef<'g>, count: u64, random: &mut impl FnMut() -> u64) -> Vec<&'g [u8]> {
    let (mut left, mut wanted) = (set.len(), count);
    let mut members = Vec::with_capacity(count as usize);
    for member in set.iter() {
        if below(left, random()) < wanted {
            members.push(member);
            wanted -= 1;
            if wanted == 0 {
                break;
            }
        }
        left -= 1;
    }
    members
}
