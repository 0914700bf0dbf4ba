//! The shortest sequence with the same difference that leaving out commands leads to (Zeller and Hildebrandt,
//! "Simplifying and isolating failure-inducing input", 2002).

use crate::generate::Sequence;
use crate::play::{Difference, Ending, Tally, play};
use crate::servers::Pair;

/// So often is a sequence played at most.
const TRIES_MAX: usize = 600;

/// Leaves out what the difference does not need.
pub fn shrink(
    pair: &mut Pair,
    sequence: Sequence,
    ending: Ending,
    difference: Difference,
) -> (Sequence, Difference) {
    let mut best = (sequence, difference);
    let mut tries = 0;
    best.0.steps.truncate(best.1.steps);
    let mut attempt = |candidate: Sequence, best: &mut (Sequence, Difference)| {
        tries += 1;
        match play(pair, &candidate, ending, &mut Tally::default()) {
            Some(found) if found.signature == best.1.signature => {
                *best = (candidate, found);
                best.0.steps.truncate(best.1.steps);
                (true, tries < TRIES_MAX)
            }
            _ => (false, tries < TRIES_MAX),
        }
    };
    let mut size = best.0.steps.len().div_ceil(2);
    while size > 0 {
        let (mut at, mut removed) = (0, false);
        while at < best.0.steps.len() {
            let mut candidate = best.0.clone();
            candidate.steps.drain(at..(at + size).min(best.0.steps.len()));
            let (same, go_on) = attempt(candidate, &mut best);
            if !go_on {
                return best;
            }
            removed |= same;
            if !same {
                at += size;
            }
        }
        if !(removed && size == 1) {
            size /= 2;
        }
    }
    // Fewer arguments, as far as the reply stays.
    for step in 0..best.0.steps.len() {
        let mut at = 1;
        while step < best.0.steps.len() && at < best.0.steps[step].args.len() {
            let mut candidate = best.0.clone();
            candidate.steps[step].args.remove(at);
            let (same, go_on) = attempt(candidate, &mut best);
            if !go_on {
                return best;
            }
            at += usize::from(!same);
        }
    }
    best
}
