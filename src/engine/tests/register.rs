//! A checker of linearizability that knows nothing but calls, returns and results (Wing and Gong's search with Lowe's
//! memory of what was tried).
//!
//! Linearizability is local: a history is linearizable when the history of each key is. What a transaction did to one
//! key is an atomic operation on it between its call and its return: it expects a content, or sets one, or both.

use std::collections::HashSet;

use super::history::{Act, Content, Event, Key};
use crate::engine::DbIndex;

/// An operation on one key.
#[derive(Clone, Debug)]
struct Op {
    called: u64,
    returned: u64,
    expects: Option<Content>,
    sets: Option<Content>,
}

impl Op {
    /// The content after it; none if it cannot happen to `content`.
    fn after(&self, content: &Content) -> Option<Content> {
        if self.expects.as_ref().is_some_and(|expected| expected != content) {
            return None;
        }
        Some(self.sets.clone().unwrap_or_else(|| content.clone()))
    }
}

/// Calls and returns in order of time, as a list from which operations are lifted.
struct Timeline {
    /// The operation, and whether this is its call.
    moments: Vec<(usize, bool)>,
    /// By operation: where it returns.
    returns: Vec<usize>,
    next: Vec<usize>,
    previous: Vec<usize>,
}

const START: usize = 0;

impl Timeline {
    fn new(ops: &[Op]) -> Self {
        let mut order: Vec<(u64, usize, bool)> = Vec::new();
        for (at, op) in ops.iter().enumerate() {
            order.extend([(op.called, at, true), (op.returned, at, false)]);
        }
        order.sort_unstable();
        // Moment 0 is the start, the last is the end.
        let mut moments = vec![(0, false)];
        moments.extend(order.iter().map(|(_, op, call)| (*op, *call)));
        let mut returns = vec![0; ops.len()];
        for (at, (op, call)) in moments.iter().enumerate().skip(1) {
            if !call {
                returns[*op] = at;
            }
        }
        let len = moments.len();
        Self {
            moments,
            returns,
            next: (1..=len).collect(),
            previous: (0..=len).map(|at| at.max(1) - 1).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.next[START] == self.moments.len()
    }

    /// Takes an operation's call and return out.
    fn lift(&mut self, call: usize) {
        for at in [call, self.returns[self.moments[call].0]] {
            self.next[self.previous[at]] = self.next[at];
            self.previous[self.next[at]] = self.previous[at];
        }
    }

    /// Puts back the operation that was lifted last.
    fn put_back(&mut self, call: usize) {
        for at in [self.returns[self.moments[call].0], call] {
            self.next[self.previous[at]] = at;
            self.previous[self.next[at]] = at;
        }
    }
}

/// Whether some order of the operations explains them, beginning with no content.
fn is_linearizable(ops: &[Op]) -> bool {
    let mut line = Timeline::new(ops);
    let mut content: Content = None;
    let mut done = vec![0_u64; ops.len().div_ceil(64)];
    let mut tried: HashSet<(Vec<u64>, Content)> = HashSet::new();
    let mut path: Vec<(usize, Content)> = Vec::new();
    let mut at = line.next[START];
    while !line.is_empty() {
        let (op, is_call) = line.moments[at];
        let bit = 1 << (op % 64);
        if !is_call {
            // An operation returns that did not happen yet: another choice is to be made before.
            let Some((call, before)) = path.pop() else { return false };
            let undone = line.moments[call].0;
            done[undone / 64] &= !(1 << (undone % 64));
            content = before;
            line.put_back(call);
            at = line.next[call];
            continue;
        }
        if let Some(after) = ops[op].after(&content) {
            done[op / 64] |= bit;
            if tried.insert((done.clone(), after.clone())) {
                path.push((at, std::mem::replace(&mut content, after)));
                line.lift(at);
                at = line.next[START];
                continue;
            }
            done[op / 64] &= !bit;
        }
        at = line.next[at];
    }
    true
}

/// What an event did to one key.
fn project(event: &Event, db: DbIndex, key: Key) -> Option<Op> {
    let mut op = Op { called: event.called, returned: event.returned, expects: None, sets: None };
    for act in &event.acts {
        match act {
            Act::Read(d, k, found) if (*d, *k) == (db, key) && op.sets.is_none() => {
                op.expects = Some(found.clone());
            }
            Act::Write(d, k, value) if (*d, *k) == (db, key) => op.sets = Some(value.clone()),
            Act::Flush(gone) if *gone == db => op.sets = Some(None),
            Act::Swap(..) => unreachable!("a swap is no operation on one key"),
            _ => {}
        }
    }
    (op.expects.is_some() || op.sets.is_some()).then_some(op)
}

/// Whether the history of each of the keys `0..keys` of `0..databases` is linearizable; gives the first that is not.
pub(super) fn first_unexplained(events: &[Event], databases: DbIndex, keys: Key) -> Option<(DbIndex, Key)> {
    let all = (0..databases).flat_map(|db| (0..keys).map(move |key| (db, key)));
    let mut all = all.filter(|(db, key)| {
        let ops: Vec<Op> = events.iter().filter_map(|event| project(event, *db, *key)).collect();
        !is_linearizable(&ops)
    });
    all.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a register holds: nothing, or a byte.
    type Held = Option<u8>;

    fn op(called: u64, returned: u64, expects: Option<Held>, sets: Option<Held>) -> Op {
        let content = |content: Option<u8>| content.map(|byte| vec![byte]);
        Op { called, returned, expects: expects.map(content), sets: sets.map(content) }
    }

    #[test]
    fn overlapping_operations_may_come_in_any_order() {
        let write = op(0, 9, None, Some(Some(1)));
        assert!(is_linearizable(&[write.clone(), op(1, 2, Some(None), None), op(3, 4, Some(Some(1)), None)]));
        assert!(!is_linearizable(&[write, op(1, 2, Some(Some(1)), None), op(3, 4, Some(None), None)]));
    }

    #[test]
    fn what_returned_is_seen_by_what_is_called_later() {
        let write = op(0, 1, None, Some(Some(1)));
        assert!(is_linearizable(&[write.clone(), op(2, 3, Some(Some(1)), None)]));
        assert!(!is_linearizable(&[write, op(2, 3, Some(None), None)]));
    }

    #[test]
    fn two_increments_of_the_same_number_are_a_lost_update() {
        let increments = |second| {
            let first = op(0, 9, Some(None), Some(Some(1)));
            [first, op(1, 8, Some(second), Some(Some(second.map_or(1, |n: u8| n + 1))))]
        };
        assert!(is_linearizable(&increments(Some(1))));
        assert!(!is_linearizable(&increments(None)));
    }

    #[test]
    fn a_wrong_choice_is_taken_back() {
        // The two writes overlap; only the reads, much later, tell their order.
        let ops = [
            op(0, 5, None, Some(Some(1))),
            op(1, 4, None, Some(Some(2))),
            op(6, 9, Some(Some(1)), None),
            op(7, 8, Some(Some(1)), None),
        ];
        assert!(is_linearizable(&ops));
        let mut torn = ops.to_vec();
        torn[3].expects = Some(Some(vec![2]));
        assert!(!is_linearizable(&torn));
    }
}
