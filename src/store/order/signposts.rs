//! Signposts: a sorted copy of the leaves' lower bounds, by which the leaf of a key is found with few comparisons.
//!
//! A search of the skiplist compares a whole key, which lies somewhere else, two or three times for each doubling of
//! the leaves; here it is one window, which lies beside the last. Signposts are a hint and may be old: leaves that came
//! since are not among them, and leaves that went still are, tagged so. Whoever follows one looks whether the key lies
//! below a cell of that leaf, and otherwise searches the skiplist.
//!
//! They are made anew in the background once an eighth of the leaves came or went, which is the work of a few
//! instructions for each key.

use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_skiplist::base::{RefEntry, SkipList};

use crate::prefetch::prefetch;
use crate::store::order::leaf::Leaf;
use crate::store::order::window::{common_prefix, place, window};

/// Posts whose windows begin at the same byte: those and the leaves behind them are eight cache lines.
const GROUP: usize = 32;
const LINE_POSTS: usize = 8;
/// Leaves that are visited under one guard.
const VISIT: usize = 1024;

/// See the module's head.
pub struct Signposts {
    /// All leaves but the first, which has nothing in common with any.
    leaves: Vec<&'static Leaf>,
    windows: Vec<u64>,
    /// Of each group: what its windows skip, and the window of its first post.
    skips: Vec<usize>,
    tops: Vec<u64>,
    top_skip: usize,
    /// Tells these signposts from all others there ever were.
    survey: u64,
    /// What keeps the leaves.
    nodes: Vec<RefEntry<'static, Leaf, ()>>,
}

/// A group of posts, by the index of its first.
#[derive(Clone, Copy)]
pub struct Group(usize);

/// The post that a key was led to once: a hint that is found to be void where there are other signposts by now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Post {
    /// The number of its signposts; 0: of none.
    survey: u64,
    at: usize,
}

/// Surveys so far, of all orders.
static SURVEYS: AtomicU64 = AtomicU64::new(0);

impl Signposts {
    /// Bytes for each leaf: itself, its window, and the reference to its node.
    pub const POST_BYTES: usize =
        size_of::<&Leaf>() + size_of::<u64>() + size_of::<RefEntry<'static, Leaf, ()>>();

    /// Notes the leaves that there are.
    pub fn survey(list: &'static SkipList<Leaf, ()>) -> Self {
        let mut nodes = Vec::with_capacity(list.len());
        let mut more = true;
        while more {
            let guard = crossbeam_epoch::pin();
            let from = nodes.last().map_or(&[][..], |last: &RefEntry<'_, Leaf, ()>| &last.key().low);
            let mut at = list.lower_bound(Bound::Excluded(from), &guard);
            for _ in 0..VISIT {
                let Some(entry) = at else { break };
                nodes.extend(entry.pin());
                at = entry.next();
            }
            more = at.is_some();
        }
        // SAFETY: a node stays while there is a reference to it, and these go with the signposts.
        let leaves = nodes.iter().map(|node| unsafe { &*std::ptr::from_ref(node.key()) }).collect();
        let (windows, skips, tops) = (Vec::new(), Vec::new(), Vec::new());
        // Relaxed: only numbers that differ are wanted.
        let survey = SURVEYS.fetch_add(1, Ordering::Relaxed) + 1;
        let mut signposts = Self { leaves, windows, skips, tops, top_skip: 0, survey, nodes };
        signposts.measure();
        signposts
    }

    fn measure(&mut self) {
        let (Some(first), Some(last)) = (self.leaves.first(), self.leaves.last()) else { return };
        self.top_skip = common_prefix(&first.low, &last.low);
        for group in self.leaves.chunks(GROUP) {
            let first = &group[0].low;
            let skip = common_prefix(first, &group[group.len() - 1].low);
            self.skips.push(skip);
            self.tops.push(window(first, self.top_skip));
            self.windows.extend(group.iter().map(|leaf| window(&leaf.low, skip)));
        }
    }

    /// How many leaves were noted.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    #[inline]
    fn low(&self, at: usize) -> &[u8] {
        &self.leaves[at].low
    }

    /// The group of the leaf of a key, on the way to the cache: the first of two steps.
    #[inline]
    pub fn group(&self, key: &[u8]) -> Option<Group> {
        let low = &self.leaves.first()?.low;
        let place = place(&self.tops, self.top_skip, low, key, |group| self.low(group * GROUP));
        let from = GROUP * at_or_below(place)?;
        let until = self.leaves.len().min(from + GROUP);
        for at in (from..until).step_by(LINE_POSTS) {
            prefetch(&raw const self.windows[at]);
            prefetch(&raw const self.leaves[at]);
        }
        Some(Group(from))
    }

    /// The last post whose leaf begins with `key` or below, which is in this group.
    #[inline]
    pub fn post(&self, Group(from): Group, key: &[u8]) -> Option<Post> {
        let windows = &self.windows[from..self.windows.len().min(from + GROUP)];
        let place = place(windows, self.skips[from / GROUP], self.low(from), key, |at| self.low(from + at));
        Some(Post { survey: self.survey, at: from + at_or_below(place)? })
    }

    /// The leaf of a post, if that is one of these.
    #[inline]
    pub fn leaf(&self, post: Post) -> Option<&Leaf> {
        if post.survey == self.survey { self.leaves.get(post.at).copied() } else { None }
    }

    /// The last leaf that begins with `key` or below; `post` may tell.
    #[inline]
    pub fn lead(&self, key: &[u8], post: Post) -> Option<&Leaf> {
        self.leaf(post).or_else(|| self.leaf(self.post(self.group(key)?, key)?))
    }

    /// Lets the nodes go. Nobody looks at them here any more.
    pub fn release(self) {
        for node in self.nodes {
            node.release_with_pin(crossbeam_epoch::pin);
        }
    }
}

/// The last that is not above, given where a key is.
#[inline]
fn at_or_below(place: Result<usize, usize>) -> Option<usize> {
    place.map_or_else(|above| above.checked_sub(1), Some)
}
