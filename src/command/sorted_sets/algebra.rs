//! Unions, intersections and differences of sorted sets, and of sets, whose members count as having the score 1.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::command::call::{Call, CommandError};
use crate::command::sorted_sets::answer::Row;
use crate::command::sorted_sets::request::{Aggregate, Operation, Request};
use crate::command::sorted_sets::store;
use crate::engine::WrongType;
use crate::store::value::collection::{Collection, SetRef, SortedRef};
use crate::store::value::form::compare_scored;

/// `ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]`
///
/// # Errors
/// Keys of other types, options that are none.
pub fn zunion(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, "zunion", Operation::Union)
}

/// `ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]`
///
/// # Errors
/// As [`zunion`].
pub fn zinter(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, "zinter", Operation::Intersection)
}

/// `ZDIFF numkeys key [key ...] [WITHSCORES]`
///
/// # Errors
/// As [`zunion`].
pub fn zdiff(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    answer(call, "zdiff", Operation::Difference)
}

/// `ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]`
///
/// # Errors
/// As [`zunion`].
pub fn zunionstore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    store(call, "zunionstore", Operation::Union)
}

/// `ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]`
///
/// # Errors
/// As [`zunion`].
pub fn zinterstore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    store(call, "zinterstore", Operation::Intersection)
}

/// `ZDIFFSTORE destination numkeys key [key ...]`
///
/// # Errors
/// As [`zunion`].
pub fn zdiffstore(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    store(call, "zdiffstore", Operation::Difference)
}

/// `ZINTERCARD numkeys key [key ...] [LIMIT limit]`
///
/// # Errors
/// As [`zunion`].
pub fn zintercard(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let (sources, request) = read(call, "zintercard", 1, Operation::Cardinality)?;
    let limit = if request.limit == 0 { usize::MAX } else { request.limit as usize };
    let count = intersection(sources, Aggregate::Sum).take(limit).count();
    call.reply.int(count as i64);
    Ok(())
}

fn answer(call: &mut Call<'_, '_>, command: &'static str, operation: Operation) -> Result<(), CommandError> {
    let (sources, request) = read(call, command, 1, operation)?;
    let members = combine(sources, operation, request.aggregate);
    let row = Row::of(call.reply, request.with_scores);
    row.members(call.reply, members.len() as u64, members.into_iter());
    Ok(())
}

fn store(call: &mut Call<'_, '_>, command: &'static str, operation: Operation) -> Result<(), CommandError> {
    let (sources, request) = read(call, command, 2, operation)?;
    let members = combine(sources, operation, request.aggregate);
    let destination = call.args.get(1).unwrap_or_default();
    store::store(call, destination, command, members.into_iter());
    Ok(())
}

/// What is combined: what a key holds, and what its scores are multiplied by.
#[derive(Clone, Copy)]
struct Source<'g> {
    held: Held<'g>,
    weight: f64,
}

#[derive(Clone, Copy)]
enum Held<'g> {
    Nothing,
    Sorted(SortedRef<'g>),
    Set(SetRef<'g>),
}

/// The score of a set's members.
const SET_SCORE: f64 = 1.0;

impl<'g> Source<'g> {
    fn len(&self) -> u64 {
        match &self.held {
            Held::Nothing => 0,
            Held::Sorted(set) => set.len(),
            Held::Set(set) => set.len(),
        }
    }

    /// A member's score, weighted.
    fn score(&self, member: &[u8]) -> Option<f64> {
        let score = match &self.held {
            Held::Nothing => None,
            Held::Sorted(set) => set.score(member),
            Held::Set(set) => set.contains(member).then_some(SET_SCORE),
        };
        score.map(|score| score * self.weight)
    }

    /// All members with their scores, weighted; what is no number then is 0.
    fn members(self) -> Box<dyn Iterator<Item = (f64, &'g [u8])> + 'g> {
        let weighted = move |score: f64| {
            let score = score * self.weight;
            if score.is_nan() { 0.0 } else { score }
        };
        match self.held {
            Held::Nothing => Box::new(std::iter::empty()),
            Held::Sorted(set) => Box::new(set.forward(0).map(move |(score, one)| (weighted(score), one))),
            Held::Set(set) => Box::new(set.iter().map(move |one| (weighted(SET_SCORE), one))),
        }
    }
}

/// Reads the request, of which `first` is the number of keys, and what the keys hold.
fn read<'g>(
    call: &mut Call<'_, 'g>,
    command: &'static str,
    first: usize,
    operation: Operation,
) -> Result<(Vec<Source<'g>>, Request), CommandError> {
    let keys = Request::keys(call.args, first, command)?;
    let db = call.db();
    let mut sources = Vec::with_capacity(keys.len());
    for key in keys.clone() {
        let held = match call.txn.get(db, &call.args[key]).map(|live| live.value.collection()) {
            None => Held::Nothing,
            Some(Some(Collection::SortedSet(set))) => Held::Sorted(set),
            Some(Some(Collection::Set(set))) => Held::Set(set),
            Some(_) => return Err(WrongType.into()),
        };
        sources.push(Source { held, weight: 1.0 });
    }
    // Why only now: Redis looks at the keys before the options.
    let request = Request::parse(call.args, keys, operation, first == 2)?;
    for (source, weight) in sources.iter_mut().zip(&request.weights) {
        source.weight = *weight;
    }
    Ok((sources, request))
}

/// The members of the result, in its order.
fn combine(sources: Vec<Source<'_>>, operation: Operation, aggregate: Aggregate) -> Vec<(f64, &[u8])> {
    let mut members: Vec<_> = match operation {
        Operation::Union => union(sources, aggregate).into_iter().map(swap).collect(),
        Operation::Intersection | Operation::Cardinality => intersection(sources, aggregate).collect(),
        Operation::Difference => difference(&sources).into_iter().map(swap).collect(),
    };
    members.sort_unstable_by(|a, b| compare_scored(*a, *b));
    members
}

fn swap((member, score): (&[u8], f64)) -> (f64, &[u8]) {
    (score, member)
}

fn union(mut sources: Vec<Source<'_>>, aggregate: Aggregate) -> HashMap<&[u8], f64> {
    // Why: sums are rounded in this order, as in Redis.
    sources.sort_by_key(Source::len);
    let mut all = HashMap::new();
    for (score, member) in sources.into_iter().flat_map(Source::members) {
        match all.entry(member) {
            Entry::Occupied(mut known) => *known.get_mut() = aggregate.of(*known.get(), score),
            Entry::Vacant(place) => _ = place.insert(score),
        }
    }
    all
}

/// The members that all sources have. Looks at those of the smallest.
fn intersection(mut sources: Vec<Source<'_>>, aggregate: Aggregate) -> impl Iterator<Item = (f64, &[u8])> {
    sources.sort_by_key(Source::len);
    let (smallest, others) =
        sources.split_first().map_or((None, Vec::new()), |(first, others)| (Some(*first), others.to_vec()));
    smallest.into_iter().flat_map(Source::members).filter_map(move |(score, member)| {
        let mut others = others.iter().map(|other| other.score(member));
        let score = others.try_fold(score, |sum, other| other.map(|other| aggregate.of(sum, other)))?;
        Some((score, member))
    })
}

/// The members of the first source that no other has.
fn difference<'g>(sources: &[Source<'g>]) -> HashMap<&'g [u8], f64> {
    let Some((first, others)) = sources.split_first() else { return HashMap::new() };
    let mut left: HashMap<_, _> = first.members().map(|(score, member)| (member, score)).collect();
    for other in others {
        if other.len() < left.len() as u64 {
            other.members().for_each(|(_, member)| _ = left.remove(member));
        } else {
            left.retain(|member, _| other.score(member).is_none());
        }
    }
    left
}
