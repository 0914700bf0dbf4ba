//! Trees and drafts against plain maps and vectors; every node accounted for.

use std::collections::{BTreeMap, HashSet};

use quickcheck::{Arbitrary, Gen, quickcheck};

use super::collection::{Collection, HashRef, ListRef, SetRef, SortedRef, Trees, Type};
use super::draft::{Built, Delta, Desk, HashDraft, ListDraft, Outcome, SetDraft, SortedDraft, apply, load};
use super::edit::TreeEdit;
use super::form::{FieldRef, Form, compare_scored, score_rank};
use super::ledger::Ledger;
use super::limits::{Limits, ListLimit, PackedLimit};
use super::node::NodePtr;
use super::seq::Seq;
use super::tree::Tree;
use crate::clock::Millis;
use crate::store::value::block::Block;

/// Checks the shape of a tree, and what its nodes know of what is below; gives the nodes.
fn audit(tree: Tree, form: Form) -> HashSet<u64> {
    fn below(node: NodePtr, form: Form, is_root: bool, nodes: &mut HashSet<u64>) {
        assert!(nodes.insert(node.address()), "a node is in the tree once");
        assert!(!node.is_fresh(), "a tree that is ended never changes again");
        if node.level() == 0 {
            // SAFETY: a leaf of a tree that the test owns.
            assert!(!unsafe { node.block() }.is_empty());
            return;
        }
        // SAFETY: as above.
        let slots = unsafe { node.slots() };
        assert!(!is_root || slots.len() > 1, "a root has a reason to be");
        for slot in slots {
            assert_eq!(slot.child.level() + 1, node.level());
            // SAFETY: as above.
            assert_eq!(*slot, unsafe { slot.child.as_slot(form) });
            below(slot.child, form, false, nodes);
        }
    }
    let mut nodes = HashSet::new();
    below(tree.root, form, true, &mut nodes);
    // SAFETY: as above.
    let slot = unsafe { tree.root.as_slot(form) };
    assert_eq!((slot.len, slot.bytes), (tree.len, tree.bytes));
    nodes
}

fn free(tree: Option<Tree>) {
    if let Some(tree) = tree {
        // SAFETY: the test is the only one who has the tree.
        unsafe { tree.root.free_whole() };
    }
}

#[derive(Clone, Debug)]
struct Run {
    at: usize,
    remove: usize,
    insert: Vec<u16>,
    ends: bool,
}

impl Arbitrary for Run {
    fn arbitrary(random: &mut Gen) -> Self {
        let many = u8::arbitrary(random) % 8 == 0;
        let insert =
            if many { (0..u16::arbitrary(random) % 900).collect() } else { vec![u16::arbitrary(random)] };
        Self {
            at: usize::arbitrary(random),
            remove: if u8::arbitrary(random) % 4 == 0 { usize::arbitrary(random) % 1000 } else { 0 },
            insert: if u8::arbitrary(random) % 3 == 0 { Vec::new() } else { insert },
            ends: bool::arbitrary(random),
        }
    }
}

fn element(number: u16) -> Vec<u8> {
    number.to_string().repeat(1 + usize::from(number) % 40).into_bytes()
}

quickcheck! {
    fn splices_of_a_tree_are_those_of_a_vector(runs: Vec<Run>, published_every: u8) -> bool {
        let mut naive: Vec<Vec<u8>> = Vec::new();
        let mut tree = None;
        let mut ledger = Ledger::default();
        let mut edit = TreeEdit::new(Form::Element, tree, &ledger);
        for (step, run) in runs.iter().enumerate() {
            let at = if run.ends { if run.at % 2 == 0 { 0 } else { naive.len() } } else { run.at % (naive.len() + 1) };
            let remove = run.remove.min(naive.len() - at);
            let insert: Vec<Vec<u8>> = run.insert.iter().map(|&number| element(number)).collect();
            let borrowed: Vec<&[u8]> = insert.iter().map(Vec::as_slice).collect();
            edit.splice(at as u64, remove as u64, &borrowed, &mut ledger);
            naive.splice(at..at + remove, insert);
            if step % (1 + usize::from(published_every) % 8) == 0 {
                tree = edit.finish(&mut ledger);
                tree.map(|tree| audit(tree, Form::Element));
                // SAFETY: nobody else has the trees.
                unsafe { ledger.settle_unseen() };
                edit = TreeEdit::new(Form::Element, tree, &ledger);
            }
            let read: Vec<&[u8]> = edit.read().map_or(Vec::new(), |tree| Seq::Tree(tree).forward(0).collect());
            assert_eq!(read, naive);
        }
        tree = edit.finish(&mut ledger);
        tree.map(|tree| audit(tree, Form::Element));
        // SAFETY: nobody else has the trees.
        unsafe { ledger.settle_unseen() };
        free(tree);
        true
    }
}

/// A version, as far as these tests need one.
#[derive(Clone, Debug)]
struct Holder(Option<Built>);

impl Holder {
    fn read(&self) -> Option<Collection<'_>> {
        let (of, is_ints, may_expire, seq, trees) = match self.0.as_ref()? {
            Built::Packed { of, is_ints, may_expire, bytes } => {
                (*of, *is_ints, *may_expire, Seq::Packed(Block::of(bytes)), None)
            }
            Built::Trees { of, trees } => {
                // SAFETY: the test frees trees only when it has read them.
                let main = unsafe { trees.main.read() };
                (*of, false, trees.second.is_some(), Seq::Tree(main), Some(*trees))
            }
        };
        // SAFETY: as above.
        let second = trees.and_then(|trees| trees.second).map(|tree| unsafe { tree.read() });
        Some(match of {
            Type::List => Collection::List(ListRef { seq }),
            Type::Set => Collection::Set(SetRef { seq, is_ints }),
            Type::SortedSet => Collection::SortedSet(SortedRef { ranked: seq, members: second }),
            Type::Hash => Collection::Hash(HashRef { seq, due: second, may_expire }),
            Type::String => unreachable!("a string is no collection"),
        })
    }

    fn trees(&self) -> Option<Trees> {
        match self.0 {
            Some(Built::Trees { trees, .. }) => Some(trees),
            _ => None,
        }
    }

    fn audit(&self) {
        if let Some(Built::Trees { of, trees }) = &self.0 {
            let (main, second) = match of {
                Type::Hash => (Form::Field, Form::Due),
                Type::SortedSet => (Form::Ranked, Form::Scored),
                Type::Set => (Form::Member, Form::Member),
                Type::List | Type::String => (Form::Element, Form::Element),
            };
            let mut nodes = audit(trees.main, main);
            let count = nodes.len();
            let others = trees.second.map_or(HashSet::new(), |tree| audit(tree, second));
            let other_count = others.len();
            nodes.extend(others);
            assert_eq!(nodes.len(), count + other_count, "no two trees share a node");
        }
    }

    fn free(self) {
        if let Some(trees) = self.trees() {
            free(Some(trees.main));
            free(trees.second);
        }
    }
}

/// Small enough that drafts outgrow them soon.
fn limits() -> Limits {
    let packed = PackedLimit { entries: 12, value_bytes: 20 };
    Limits { hash: packed, set: packed, ints: 20, sorted_set: packed, list: ListLimit::Bytes(150) }
}

/// Takes an outcome over: checks it, repeats its deltas on what was before, and what is there from its entries.
fn settle(before: &Holder, outcome: Outcome, ledger: &mut Ledger) -> Holder {
    let after = Holder(outcome.built);
    after.audit();
    let entries = |holder: &Holder| holder.read().map(|read| read.entries().to_block());
    if let (Some(read), Some(Built::Packed { of, .. } | Built::Trees { of, .. })) = (after.read(), &after.0) {
        let mut other = Ledger::default();
        let loaded = Holder(load(*of, read.entries().forward(0).collect(), &limits(), &mut other).unwrap());
        loaded.audit();
        assert_eq!(loaded.read().map(|read| sorted(read)), after.read().map(|read| sorted(read)));
        // SAFETY: nobody else has them.
        unsafe { other.settle_unseen() };
        loaded.free();
    }
    if before.0.is_some() && outcome.is_changed {
        repeat(before, &outcome.deltas, entries(&after));
    }
    // SAFETY: nobody else has the trees.
    unsafe { ledger.settle_unseen() };
    after
}

fn sorted(read: Collection<'_>) -> Vec<Vec<u8>> {
    let mut entries: Vec<_> = read.entries().forward(0).map(<[u8]>::to_vec).collect();
    if read.type_of() != Type::List {
        entries.sort();
    }
    entries
}

/// Repeats deltas on a copy of `before`, as a recovery does.
fn repeat(before: &Holder, deltas: &[Delta], expected: Option<Vec<u8>>) {
    let mut ledger = Ledger::default();
    let read = before.read().unwrap();
    let entries = read.entries().forward(0).collect();
    let mut now = Holder(load(read.type_of(), entries, &limits(), &mut ledger).unwrap());
    let blocks: Vec<_> = deltas.iter().map(|delta| delta.entries().to_bytes()).collect();
    let deltas = deltas.iter().zip(&blocks).map(|(delta, block)| delta.with(Block::of(block)));
    let desk = Desk::new(Millis(u64::MAX), limits(), &mut ledger);
    let next = Holder(apply(now.read().unwrap(), deltas, desk).unwrap());
    next.audit();
    // SAFETY: nobody else has the trees.
    unsafe { ledger.settle_unseen() };
    now = next;
    let mut expected: Vec<Vec<u8>> =
        expected.map_or(Vec::new(), |bytes| Block::of(&bytes).iter().map(<[u8]>::to_vec).collect());
    let mut got = now.read().map_or(Vec::new(), sorted);
    if before.read().is_some_and(|read| read.type_of() != Type::List) {
        expected.sort();
        got.sort();
    }
    assert_eq!(got, expected);
    now.free();
}

/// Scores and members in the order of a sorted set.
fn ranked(naive: &BTreeMap<Vec<u8>, f64>) -> Vec<(f64, Vec<u8>)> {
    let mut ranked: Vec<_> = naive.iter().map(|(member, score)| (*score, member.clone())).collect();
    ranked.sort_by(|a, b| compare_scored((a.0, &a.1), (b.0, &b.1)));
    ranked
}

fn member(number: u8) -> Vec<u8> {
    if number % 4 == 3 {
        format!("member:{number}").repeat(1 + usize::from(number) % 3)
    } else {
        number.to_string()
    }
    .into_bytes()
}

quickcheck! {
    fn a_set_is_a_set(steps: Vec<Vec<(u8, bool)>>) -> bool {
        let mut naive = std::collections::BTreeSet::new();
        let mut now = Holder(None);
        for step in steps {
            let mut ledger = Ledger::default();
            let old = now.read().map(|read| if let Collection::Set(set) = read { set } else { unreachable!() });
            let mut draft = SetDraft::new(old, Desk::new(Millis(0), limits(), &mut ledger));
            for (number, add) in step {
                let member = member(number);
                if add {
                    assert_eq!(draft.add(&member), naive.insert(member));
                } else {
                    assert_eq!(draft.remove(&member), naive.remove(&member));
                }
            }
            let outcome = draft.finish();
            now = settle(&now, outcome, &mut ledger);
            let Some(Collection::Set(set)) = now.read() else { assert!(naive.is_empty()); continue };
            assert_eq!(set.iter().map(<[u8]>::to_vec).collect::<std::collections::BTreeSet<_>>(), naive);
            assert!((0..=255).map(member).all(|member| set.contains(&member) == naive.contains(&member)));
            let mut seen = Vec::new();
            let mut cursor = 0;
            loop {
                cursor = set.scan(cursor, 3, &mut |member| seen.push(member.to_vec()));
                if cursor == 0 { break }
            }
            seen.sort();
            assert!(seen.iter().eq(&naive));
        }
        now.free();
        true
    }

    fn a_hash_is_a_map_whose_fields_end(steps: Vec<Vec<(u8, u8, Option<u8>)>>) -> bool {
        let mut naive: BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)> = BTreeMap::new();
        let mut now = Holder(None);
        for (time, step) in (0_u64..).zip(steps) {
            let time = time * 16;
            let mut ledger = Ledger::default();
            let old = now.read().map(|read| if let Collection::Hash(hash) = read { hash } else { unreachable!() });
            let mut draft = HashDraft::new(old, Desk::new(Millis(time), limits(), &mut ledger));
            for (field, value, ttl) in step {
                let field = member(field);
                let is_there = naive.get(&field).is_some_and(|(_, end)| end.is_none_or(|end| end > time));
                assert_eq!(draft.get(&field).is_some(), is_there);
                let expiry = ttl.map(|ttl| time + 1 + u64::from(ttl));
                if value % 8 == 0 {
                    assert_eq!(draft.remove(&field), is_there);
                    naive.remove(&field);
                } else if value % 8 == 1 {
                    assert_eq!(draft.delete(&field), is_there);
                    if is_there { naive.remove(&field); }
                } else if value % 8 == 2 {
                    assert_eq!(draft.set_expiry(&field, expiry.map(Millis)), is_there);
                    if is_there { naive.get_mut(&field).unwrap().1 = expiry; }
                } else {
                    let set = draft.set(&field, &member(value), expiry.map(Millis));
                    assert_eq!(set == super::draft::FieldSet::Replaced, is_there);
                    naive.insert(field, (member(value), expiry));
                }
            }
            let outcome = draft.finish();
            now = settle(&now, outcome, &mut ledger);
            let Some(Collection::Hash(hash)) = now.read() else { assert!(naive.is_empty()); continue };
            assert_eq!(hash.len(), naive.len() as u64);
            assert_eq!(hash.next_expiry(), naive.values().filter_map(|(_, end)| *end).min().map(Millis));
            let over = naive.iter().filter(|(_, (_, end))| end.is_some_and(|end| end <= time)).count();
            assert_eq!(hash.over(Millis(time), usize::MAX).len(), over);
            assert_eq!(hash.live_len(Millis(time)), (naive.len() - over) as u64);
            for (field, (value, end)) in &naive {
                let expected = end.is_none_or(|end| end > time).then_some(FieldRef {
                    field, value, expiry: end.map(Millis),
                });
                assert_eq!(hash.get(field, Millis(time)), expected);
            }
        }
        now.free();
        true
    }

    fn a_sorted_set_is_ordered_by_score_and_member(steps: Vec<Vec<(u8, u8, u8)>>) -> bool {
        let mut naive: BTreeMap<Vec<u8>, f64> = BTreeMap::new();
        let mut now = Holder(None);
        for step in steps {
            let mut ledger = Ledger::default();
            let old = now.read().map(|read| if let Collection::SortedSet(set) = read { set } else { unreachable!() });
            let mut draft = SortedDraft::new(old, Desk::new(Millis(0), limits(), &mut ledger));
            for (name, score, what) in step {
                let name = member(name);
                match what % 8 {
                    0 | 1 => assert_eq!(draft.remove(&name), naive.remove(&name)),
                    2 => {
                        let rank = u64::from(score) % (draft.len() + 1);
                        let count = u64::from(what >> 3).min(draft.len() - rank);
                        draft.remove_ranks(rank, count);
                        let gone: Vec<_> = ranked(&naive).drain(rank as usize..(rank + count) as usize).collect();
                        for (_, member) in &gone {
                            naive.remove(member);
                        }
                    }
                    _ => {
                        let score = f64::from(score % 8) - 4.0;
                        assert_eq!(draft.put(&name, score), naive.insert(name, score));
                    }
                }
            }
            let outcome = draft.finish();
            now = settle(&now, outcome, &mut ledger);
            let Some(Collection::SortedSet(set)) = now.read() else { assert!(naive.is_empty()); continue };
            let expected = ranked(&naive);
            let got: Vec<_> = set.forward(0).map(|(score, member)| (score, member.to_vec())).collect();
            assert_eq!(got, expected);
            let back: Vec<_> = set.backward(set.len()).map(|(score, member)| (score, member.to_vec())).collect();
            assert!(back.iter().rev().eq(&expected));
            for (rank, (score, member)) in (0..).zip(&expected) {
                assert_eq!(set.rank(member), Some((rank, *score)));
            }
            for score in -5..5 {
                let score = f64::from(score);
                let below = |or_equal: bool| expected.iter().filter(|(other, _)| *other < score || or_equal && *other <= score).count() as u64;
                assert_eq!((set.count_below(score, false), set.count_below(score, true)), (below(false), below(true)));
            }
        }
        now.free();
        true
    }

    fn a_list_is_a_vector(steps: Vec<Vec<Run>>) -> bool {
        let mut naive: Vec<Vec<u8>> = Vec::new();
        let mut now = Holder(None);
        for step in steps {
            let mut ledger = Ledger::default();
            let old = now.read().map(|read| if let Collection::List(list) = read { list } else { unreachable!() });
            let mut draft = ListDraft::new(old, Desk::new(Millis(0), limits(), &mut ledger));
            for run in step {
                let at = if run.ends { naive.len() * (run.at % 2) } else { run.at % (naive.len() + 1) };
                let remove = run.remove.min(naive.len() - at);
                let insert: Vec<Vec<u8>> = run.insert.iter().map(|&number| element(number)).collect();
                let borrowed: Vec<&[u8]> = insert.iter().map(Vec::as_slice).collect();
                draft.splice(at as u64, remove as u64, &borrowed);
                naive.splice(at..at + remove, insert);
            }
            let outcome = draft.finish();
            now = settle(&now, outcome, &mut ledger);
            let Some(Collection::List(list)) = now.read() else { assert!(naive.is_empty()); continue };
            assert!(list.forward(0).eq(naive.iter().map(Vec::as_slice)));
            assert!(list.backward(list.len()).eq(naive.iter().rev().map(Vec::as_slice)));
        }
        now.free();
        true
    }
}

#[test]
fn members_of_one_score_are_found_by_their_bytes() {
    let mut ledger = Ledger::default();
    let mut draft = SortedDraft::new(None, Desk::new(Millis(0), limits(), &mut ledger));
    let members: Vec<_> = (0..2000_u32).map(|number| format!("m{number:05}").into_bytes()).collect();
    for member in &members {
        assert_eq!(draft.put(member, 7.0), None);
    }
    let now = Holder(draft.finish().built);
    let Some(Collection::SortedSet(set)) = now.read() else { panic!("a sorted set") };
    for (rank, member) in (0..).zip(&members) {
        assert_eq!(set.count_before(member, false), rank);
        assert_eq!(set.count_before(member, true), rank + 1);
    }
    assert_eq!(score_rank(7.0), score_rank(set.at(0).unwrap().0));
    // SAFETY: nobody else has the trees.
    unsafe { ledger.settle_unseen() };
    now.free();
}
