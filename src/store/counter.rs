//! A sum that many threads add to without sharing a cache line.

use std::cell::Cell;

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicI64, AtomicUsize, Ordering};

const STRIPES: usize = 32;

static NEXT_STRIPE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static STRIPE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The stripe of the calling thread; threads share one only when there are more than stripes.
#[inline]
pub fn stripe() -> usize {
    STRIPE.with(|mine| {
        mine.get().unwrap_or_else(|| {
            // Relaxed: only shares the numbers out.
            let stripe = NEXT_STRIPE.fetch_add(1, Ordering::Relaxed) % STRIPES;
            mine.set(Some(stripe));
            stripe
        })
    })
}

/// A striped counter. Reading it adds the stripes up, so it is exact only when nobody writes.
#[derive(Debug)]
pub struct Counter {
    stripes: Box<[CachePadded<AtomicI64>; STRIPES]>,
}

impl Default for Counter {
    fn default() -> Self {
        Self { stripes: Box::new(std::array::from_fn(|_| CachePadded::new(AtomicI64::new(0)))) }
    }
}

impl Counter {
    /// Adds to the sum.
    #[inline]
    pub fn add(&self, amount: i64) {
        // Relaxed: a figure; nothing is read on the strength of it.
        self.stripes[stripe()].fetch_add(amount, Ordering::Relaxed);
    }

    /// The sum.
    pub fn sum(&self) -> i64 {
        self.stripes.iter().map(|stripe| stripe.load(Ordering::Relaxed)).sum()
    }

    /// The sum, of what cannot be negative; a torn look that seems so reads as zero.
    pub fn count(&self) -> u64 {
        u64::try_from(self.sum()).unwrap_or(0)
    }
}
