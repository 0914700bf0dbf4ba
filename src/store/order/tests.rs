//! The order against a sorted set, alone and among threads.

use super::*;
use quickcheck::quickcheck;
use std::collections::{BTreeMap, BTreeSet};

use crate::store::hash::HashSeed;

fn walked(order: &Order, from: Bound<&[u8]>, guard: &Guard) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    order.walk(from, guard, &mut |cell| {
        keys.push(cell.key(guard).to_vec());
        true
    });
    keys
}

fn insert<'g>(order: &'g Order, key: &[u8], guard: &'g Guard) -> &'g Cell {
    order.find_or_insert(key, Post::default(), guard, || Box::new(Cell::new(key)))
}

/// Takes a key out and frees its cell, as the sweeper does, but at once: the test is alone.
fn remove(order: &Order, key: &[u8], guard: &Guard) {
    let cell = insert(order, key, guard);
    if let Some(low) = order.remove(cell, guard) {
        order.unlink(&low, guard);
    }
    let cell = std::ptr::from_ref(cell).cast_mut() as usize;
    // SAFETY: out of the order, and only this thread has it.
    unsafe { guard.defer_unchecked(move || drop(Box::from_raw(cell as *mut Cell))) };
}

quickcheck! {
    fn behaves_like_a_sorted_set(steps: Vec<(bool, Vec<u8>)>, prefix: Vec<u8>, from: Vec<u8>) -> bool {
        let order = Order::default();
        let guard = crossbeam_epoch::pin();
        let mut model = BTreeSet::new();
        for (inserted, key) in steps {
            let key = [&prefix[..], &key].concat();
            if inserted {
                insert(&order, &key, &guard);
                model.insert(key);
            } else {
                remove(&order, &key, &guard);
                model.remove(&key);
            }
        }
        let all: Vec<_> = model.iter().cloned().collect();
        let behind: Vec<_> = model.iter().filter(|key| **key > from).cloned().collect();
        walked(&order, Bound::Unbounded, &guard) == all
            && walked(&order, Bound::Excluded(&from), &guard) == behind
    }

    /// With enough keys for many leaves, among which signposts lead that are put up now and then.
    fn signposts_change_nothing(seed: u64, keys: u16) -> bool {
        const STEPS: u64 = 6_000;
        let order = Order::default();
        let mut model = BTreeMap::new();
        for step in 0..STEPS {
            let random = HashSeed(seed).hash(&step.to_be_bytes()).0;
            let number = random % (u64::from(keys) + 1);
            let key = [&b"key:"[..], b"an:other:", b""][(random >> 32) as usize % 3];
            let key = [key, number.to_string().as_bytes()].concat();
            let is_inserted = (random >> 40) % 100 < if step < STEPS / 2 { 80 } else { 20 };
            let guard = crossbeam_epoch::pin();
            if is_inserted {
                let cell = std::ptr::from_ref(insert(&order, &key, &guard));
                assert_eq!(*model.entry(key).or_insert(cell), cell);
            } else if model.remove(&key).is_some() {
                remove(&order, &key, &guard);
            }
            drop(guard);
            if (random >> 48) % 200 == 0 {
                order.survey();
            }
        }
        walked(&order, Bound::Unbounded, &crossbeam_epoch::pin()).into_iter().eq(model.into_keys())
    }
}

#[test]
fn signposts_lead_to_the_leaf_of_a_key() {
    let order = Order::default();
    let keys: Vec<_> = (0..20_000_u32).map(|n| format!("{}:{n:012}", n % 3).into_bytes()).collect();
    for key in &keys {
        insert(&order, key, &crossbeam_epoch::pin());
    }
    order.survey();
    let guard = crossbeam_epoch::pin();
    let posts = order.signposts(&guard).unwrap();
    assert_eq!(posts.len(), order.leaves() - 1);
    let found = |key: &[u8]| posts.lead(key, Post::default());
    for key in &keys {
        let entry = order.entry(key, &guard);
        let expected = Some(entry.key()).filter(|leaf| !leaf.low.is_empty());
        assert!(found(key).map(std::ptr::from_ref) == expected.map(std::ptr::from_ref), "{key:?}");
    }
    assert!(found(b"").is_none());
}

#[test]
fn a_post_leads_to_the_leaf_of_its_key_until_others_take_its_place() {
    let order = Order::default();
    let key = |n: u32| format!("key:{n:012}").into_bytes();
    let fill = |keys: std::ops::Range<u32>| {
        for n in keys {
            insert(&order, &key(2 * n), &crossbeam_epoch::pin());
        }
        order.survey();
    };
    fill(0..10_000);
    let new: Vec<_> = (0..64).map(|n| key(300 * n + 1)).collect();
    let mut posts = [Post::default(); 64];
    {
        let guard = crossbeam_epoch::pin();
        let mut wanted: Vec<_> = new.iter().map(Vec::as_slice).zip(&mut posts).collect();
        order.prefetch(&mut wanted, &guard);
        let signposts = order.signposts(&guard).unwrap();
        for (key, post) in new.iter().zip(posts).skip(1) {
            let expected = signposts.lead(key, Post::default()).map(std::ptr::from_ref);
            assert!(expected.is_some() && signposts.leaf(post).map(std::ptr::from_ref) == expected);
        }
    }
    // The first half is inserted where its posts say, the other after they have become void.
    let put = |from: usize| {
        let guard = crossbeam_epoch::pin();
        for (key, &post) in new.iter().zip(&posts).skip(from).take(32) {
            order.find_or_insert(key, post, &guard, || Box::new(Cell::new(key)));
        }
    };
    put(0);
    fill(10_000..20_000);
    put(32);
    let guard = crossbeam_epoch::pin();
    assert!(posts.iter().all(|&post| order.signposts(&guard).unwrap().leaf(post).is_none()));
    let walked = walked(&order, Bound::Unbounded, &guard);
    assert!(walked.is_sorted() && new.iter().all(|key| walked.binary_search(key).is_ok()));
    assert_eq!(walked.len(), 20_064);
}

#[test]
fn keys_in_order_fill_their_leaves() {
    let order = Order::default();
    let guard = crossbeam_epoch::pin();
    for n in 0..10_000_u32 {
        insert(&order, format!("key:{n:012}").as_bytes(), &guard);
    }
    assert!(order.leaves() <= 10_000 / (BASE_CELLS_MAX - 1) + 2, "{}", order.leaves());
    assert_eq!(walked(&order, Bound::Unbounded, &guard).len(), 10_000);
}

#[test]
fn emptied_leaves_go_and_the_order_works_on() {
    let order = Order::default();
    for round in 0..3_u32 {
        for n in 0..5_000_u32 {
            insert(&order, &(round * 5_000 + n).to_be_bytes(), &crossbeam_epoch::pin());
        }
        for n in 0..5_000_u32 {
            remove(&order, &(round * 5_000 + n).to_be_bytes(), &crossbeam_epoch::pin());
            if n % 1_000 == 0 {
                order.survey();
            }
        }
        assert!(order.leaves() <= 2, "{}", order.leaves());
    }
    let guard = crossbeam_epoch::pin();
    assert!(walked(&order, Bound::Unbounded, &guard).is_empty());
}

#[test]
fn threads_that_insert_the_same_keys_agree_on_the_cells() {
    let order = Order::default();
    let cells = |step: u64| {
        let mut cells = Vec::new();
        for n in 0..20_000_u64 {
            let key = (n * step % 20_011).to_be_bytes();
            let guard = crossbeam_epoch::pin();
            cells.push((key, std::ptr::from_ref(insert(&order, &key, &guard)) as usize));
        }
        cells.sort_unstable();
        cells
    };
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| cells(7919));
        let other = scope.spawn(|| cells(104_729 % 20_011));
        while !one.is_finished() || !other.is_finished() {
            order.survey();
        }
        (one.join().unwrap(), other.join().unwrap())
    });
    let mut all: Vec<_> = one.iter().chain(&other).copied().collect();
    all.sort_unstable();
    all.dedup();
    let guard = crossbeam_epoch::pin();
    let keys = walked(&order, Bound::Unbounded, &guard);
    assert!(keys.is_sorted() && keys.len() == all.len());
}
