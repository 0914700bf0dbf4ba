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
/// (times O(log n)), whatever was asked for. More than one in [`WALK_DIVISOR`] are in the set's order.
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

/// The members that were not drawn, where those that were are in the set's order.
pub(super) fn others<'g>(set: SetRef<'g>, drawn: &[&[u8]]) -> Vec<&'g [u8]> {
    let mut drawn = drawn.iter().peekable();
    set.iter().filter(|member| drawn.next_if(|next| *next == member).is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::value::block::{Block, BlockBuf};
    use crate::store::value::seq::Seq;

    /// A generator that repeats (`SplitMix64`).
    fn dice() -> impl FnMut() -> u64 {
        let mut state = 7_u64;
        move || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        }
    }

    /// Calls `check` with a set of the bytes 0 to `len - 1`.
    fn with_set(len: u8, check: impl FnOnce(SetRef<'_>)) {
        let mut block = BlockBuf::default();
        (0..len).for_each(|byte| block.push(&[byte]));
        let bytes = block.to_bytes();
        check(SetRef { seq: Seq::Packed(Block::of(&bytes)), is_ints: false });
    }

    #[test]
    fn members_are_different_and_as_many_as_wanted() {
        with_set(40, |set| {
            let mut dice = dice();
            for count in [0, 1, 2, 9, 10, 11, 39, 40, 41, u64::MAX] {
                let members = distinct(set, count, &mut dice);
                assert_eq!(members.len() as u64, count.min(40));
                assert_eq!(members.iter().collect::<HashSet<_>>().len(), members.len());
                if count > 40 / WALK_DIVISOR {
                    assert_eq!(others(set, &members).len() + members.len(), 40);
                }
            }
        });
    }

    #[test]
    fn every_member_has_the_same_chance() {
        const ROUNDS: usize = 20_000;
        with_set(20, |set| {
            let mut dice = dice();
            // By positions, in a walk, and one by one.
            for count in [3, 10, 1] {
                let mut times = [0_usize; 20];
                for _ in 0..ROUNDS {
                    let members =
                        if count == 1 { vec![one(set, &mut dice)] } else { distinct(set, count, &mut dice) };
                    for member in members {
                        times[usize::from(member[0])] += 1;
                    }
                }
                let expected = ROUNDS * count as usize / 20;
                for drawn in times {
                    assert!(drawn.abs_diff(expected) < expected / 5, "{count}: {drawn} of {expected}");
                }
            }
        });
    }

    #[test]
    fn numbers_are_below_their_bound() {
        assert_eq!([below(10, 0), below(10, u64::MAX), below(1, u64::MAX)], [0, 9, 0]);
        assert_eq!(below(10, u64::MAX / 2), 4);
    }
}
