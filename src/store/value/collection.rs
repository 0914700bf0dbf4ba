//! Reading a collection.
//!
//! A reader sees one whole state, that of the version that it has found, for as long as its guard lives. Nothing is
//! copied.

use crate::clock::Millis;
use crate::store::value::form::{Due, FieldRef, Form, compare_scored, key_hash, score_rank, scored};
use crate::store::value::seq::Seq;
use crate::store::value::tree::{Tree, TreeRef};

/// What kind of value a key holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// A string.
    String,
    /// A list.
    List,
    /// A set.
    Set,
    /// A sorted set.
    SortedSet,
    /// A hash.
    Hash,
}

impl Type {
    /// The name that TYPE answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "zset",
            Self::Hash => "hash",
        }
    }
}

/// The trees of a large collection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trees {
    /// List: elements. Set: members. Hash: fields. Sorted set: by score.
    pub main: Tree,
    /// Sorted set: by member. Hash: what expires, by time; none if nothing does.
    pub second: Option<Tree>,
}

impl Trees {
    /// Bytes of all nodes.
    pub fn bytes(self) -> u64 {
        self.main.bytes + self.second.map_or(0, |tree| tree.bytes)
    }
}

/// A collection of some type.
#[derive(Clone, Copy, Debug)]
pub enum Collection<'g> {
    /// A list.
    List(ListRef<'g>),
    /// A set.
    Set(SetRef<'g>),
    /// A sorted set.
    SortedSet(SortedRef<'g>),
    /// A hash.
    Hash(HashRef<'g>),
}

impl<'g> Collection<'g> {
    /// Its type.
    pub fn type_of(&self) -> Type {
        match self {
            Self::List(_) => Type::List,
            Self::Set(_) => Type::Set,
            Self::SortedSet(_) => Type::SortedSet,
            Self::Hash(_) => Type::Hash,
        }
    }

    /// All that it is made of, in the order that it is kept in.
    pub fn entries(&self) -> Seq<'g> {
        match self {
            Self::List(list) => list.seq,
            Self::Set(set) => set.seq,
            Self::SortedSet(set) => set.ranked,
            Self::Hash(hash) => hash.seq,
        }
    }

    /// Redis's name of the encoding.
    pub fn encoding(&self) -> &'static str {
        match (self, self.entries()) {
            (Self::Set(SetRef { is_ints: true, .. }), Seq::Packed(_)) => "intset",
            (Self::Hash(HashRef { may_expire: true, .. }), Seq::Packed(_)) => "listpackex",
            (_, Seq::Packed(_)) => "listpack",
            (Self::List(_), Seq::Tree(_)) => "quicklist",
            (Self::SortedSet(_), Seq::Tree(_)) => "skiplist",
            (Self::Set(_) | Self::Hash(_), Seq::Tree(_)) => "hashtable",
        }
    }
}

/// A list.
#[derive(Clone, Copy, Debug)]
pub struct ListRef<'g> {
    pub(crate) seq: Seq<'g>,
}

impl<'g> ListRef<'g> {
    /// How many elements there are.
    pub fn len(&self) -> u64 {
        self.seq.len()
    }

    /// Never: an empty list is no key.
    pub fn is_empty(&self) -> bool {
        self.seq.is_empty()
    }

    /// An element. O(log n).
    pub fn get(&self, index: u64) -> Option<&'g [u8]> {
        self.seq.get(index)
    }

    /// The elements from `index` on.
    pub fn forward(&self, index: u64) -> impl Iterator<Item = &'g [u8]> + use<'g> {
        self.seq.forward(index)
    }

    /// The elements before `index`, the last one first.
    pub fn backward(&self, index: u64) -> impl Iterator<Item = &'g [u8]> + use<'g> {
        self.seq.backward(index)
    }
}

/// The entry of a key among those of a set or hash, or of a sorted set by member.
fn find<'g>(seq: Seq<'g>, form: Form, key: &[u8]) -> Option<&'g [u8]> {
    match seq {
        Seq::Packed(block) => block.iter().find(|entry| form.key(entry) == key),
        Seq::Tree(tree) => {
            let hash = key_hash(key);
            let (_, mut cursor) = tree.search(hash, |entry| is_before(form, entry, hash, key));
            cursor.peek().filter(|entry| form.key(entry) == key)
        }
    }
}

/// Whether an entry comes before a key in an order by hash.
#[inline]
pub(super) fn is_before(form: Form, entry: &[u8], hash: u64, key: &[u8]) -> bool {
    let other = form.key(entry);
    (key_hash(other), other) < (hash, key)
}

/// Visits about `count` entries in hash order from `cursor`; gives the next cursor, 0 at the end. Of a packed collection
/// all are visited at once.
fn scan<'g>(seq: Seq<'g>, form: Form, cursor: u64, count: u64, visit: &mut dyn FnMut(&'g [u8])) -> u64 {
    let Seq::Tree(tree) = seq else {
        seq.forward(0).for_each(visit);
        return 0;
    };
    let (_, mut place) = tree.search(cursor, |entry| form.prefix(entry) < cursor);
    let mut last = cursor;
    let mut seen = 0;
    while let Some(entry) = place.peek() {
        let hash = form.prefix(entry);
        // Why not between entries of one hash: the cursor could not tell them apart.
        if seen >= count && hash != last {
            return hash;
        }
        visit(entry);
        place.next();
        (last, seen) = (hash, seen + 1);
    }
    0
}

/// A set.
#[derive(Clone, Copy, Debug)]
pub struct SetRef<'g> {
    pub(crate) seq: Seq<'g>,
    pub(crate) is_ints: bool,
}

impl<'g> SetRef<'g> {
    /// How many members there are.
    pub fn len(&self) -> u64 {
        self.seq.len()
    }

    /// Never: an empty set is no key.
    pub fn is_empty(&self) -> bool {
        self.seq.is_empty()
    }

    /// Whether all members are integers and few, so that they are kept in their order.
    pub fn is_ints(&self) -> bool {
        self.is_ints
    }

    /// Whether it is a member. O(log n), or of a packed set O(n).
    pub fn contains(&self, member: &[u8]) -> bool {
        find(self.seq, Form::Member, member).is_some()
    }

    /// A member by its position, which means nothing: to draw one at random. O(log n).
    pub fn at(&self, index: u64) -> Option<&'g [u8]> {
        self.seq.get(index)
    }

    /// All members.
    pub fn iter(&self) -> impl Iterator<Item = &'g [u8]> + use<'g> {
        self.seq.forward(0)
    }

    /// Visits about `count` members from `cursor`; gives the next cursor, 0 at the end.
    ///
    /// # Consistency
    /// A member that is there from the call with cursor 0 to the call that gives 0 is visited.
    pub fn scan(&self, cursor: u64, count: u64, visit: &mut dyn FnMut(&'g [u8])) -> u64 {
        scan(self.seq, Form::Member, cursor, count, visit)
    }
}

/// A hash.
#[derive(Clone, Copy, Debug)]
pub struct HashRef<'g> {
    pub(crate) seq: Seq<'g>,
    pub(crate) due: Option<TreeRef<'g>>,
    pub(crate) may_expire: bool,
}

impl<'g> HashRef<'g> {
    /// How many fields there are, those included whose time has come but that nobody removed yet.
    pub fn len(&self) -> u64 {
        self.seq.len()
    }

    /// Never: an empty hash is no key.
    pub fn is_empty(&self) -> bool {
        self.seq.is_empty()
    }

    /// How many fields there are at `now`. O(log n), or of a packed hash O(n).
    pub fn live_len(&self, now: Millis) -> u64 {
        let over = match self.due {
            Some(due) => due.search(now.0.saturating_add(1), |entry| Due::of(entry).at <= now).0,
            None if self.may_expire => {
                self.seq.forward(0).filter(|entry| FieldRef::of(entry).is_over(now)).count() as u64
            }
            None => 0,
        };
        self.len() - over
    }

    /// Whether a field may have an expiry.
    pub fn may_expire(&self) -> bool {
        self.may_expire
    }

    /// A field, if it is there at `now`. O(log n), or of a packed hash O(n).
    pub fn get(&self, field: &[u8], now: Millis) -> Option<FieldRef<'g>> {
        find(self.seq, Form::Field, field).map(FieldRef::of).filter(|field| !field.is_over(now))
    }

    /// A field by its position, which means nothing: to draw one at random. It may be over. O(log n).
    pub fn at(&self, index: u64) -> Option<FieldRef<'g>> {
        self.seq.get(index).map(FieldRef::of)
    }

    /// All fields that are there at `now`.
    pub fn iter(&self, now: Millis) -> impl Iterator<Item = FieldRef<'g>> + use<'g> {
        self.seq.forward(0).map(FieldRef::of).filter(move |field| !field.is_over(now))
    }

    /// As [`SetRef::scan`], of the fields that are there at `now`.
    pub fn scan(&self, cursor: u64, count: u64, now: Millis, visit: &mut dyn FnMut(FieldRef<'g>)) -> u64 {
        scan(self.seq, Form::Field, cursor, count, &mut |entry| {
            let field = FieldRef::of(entry);
            if !field.is_over(now) {
                visit(field);
            }
        })
    }

    /// When the first field ends to be, if any does. O(log n), or of a packed hash O(n).
    pub fn next_expiry(&self) -> Option<Millis> {
        match self.due {
            Some(due) => due.get(0).map(|entry| Due::of(entry).at),
            None if self.may_expire => {
                self.seq.forward(0).filter_map(|entry| FieldRef::of(entry).expiry).min()
            }
            None => None,
        }
    }

    /// Fields whose time has come, at most `max`.
    pub fn over(&self, now: Millis, max: usize) -> Vec<&'g [u8]> {
        match self.due {
            Some(due) => {
                let mut place = due.at(0);
                let due = std::iter::from_fn(|| place.next().map(Due::of));
                due.take_while(|due| due.at <= now).take(max).map(|due| due.field).collect()
            }
            None if self.may_expire => {
                let fields = self.seq.forward(0).map(FieldRef::of).filter(|field| field.is_over(now));
                fields.take(max).map(|field| field.field).collect()
            }
            None => Vec::new(),
        }
    }
}

/// A sorted set.
#[derive(Clone, Copy, Debug)]
pub struct SortedRef<'g> {
    /// By score, then member.
    pub(crate) ranked: Seq<'g>,
    /// By member, where it is large.
    pub(crate) members: Option<TreeRef<'g>>,
}

impl<'g> SortedRef<'g> {
    /// How many members there are.
    pub fn len(&self) -> u64 {
        self.ranked.len()
    }

    /// Never: an empty sorted set is no key.
    pub fn is_empty(&self) -> bool {
        self.ranked.is_empty()
    }

    /// A member's score. O(log n), or of a packed set O(n).
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        let by_member = self.members.map_or(self.ranked, Seq::Tree);
        find(by_member, Form::Scored, member).map(|entry| scored(entry).0)
    }

    /// How many members come before this one, and its score. O(log n), or of a packed set O(n).
    pub fn rank(&self, member: &[u8]) -> Option<(u64, f64)> {
        let score = self.score(member)?;
        Some((self.place(score, member), score))
    }

    /// How many members come before this score and member.
    pub(super) fn place(&self, score: f64, member: &[u8]) -> u64 {
        self.ranked.search(score_rank(score), |entry| compare_scored(scored(entry), (score, member)).is_lt())
    }

    /// Score and member at a rank. O(log n).
    pub fn at(&self, rank: u64) -> Option<(f64, &'g [u8])> {
        self.ranked.get(rank).map(scored)
    }

    /// Scores and members from a rank on.
    pub fn forward(&self, rank: u64) -> impl Iterator<Item = (f64, &'g [u8])> + use<'g> {
        self.ranked.forward(rank).map(scored)
    }

    /// Scores and members before a rank, the last one first.
    pub fn backward(&self, rank: u64) -> impl Iterator<Item = (f64, &'g [u8])> + use<'g> {
        self.ranked.backward(rank).map(scored)
    }

    /// How many members have a score below `score`, or (`or_equal`) at most so high. O(log n).
    pub fn count_below(&self, score: f64, or_equal: bool) -> u64 {
        let bound = score_rank(score);
        self.ranked.search(bound, |entry| {
            let rank = score_rank(scored(entry).0);
            rank < bound || or_equal && rank == bound
        })
    }

    /// How many members come before `member` by their bytes, or (`or_equal`) are it, where all scores are equal.
    /// O(log n).
    pub fn count_before(&self, member: &[u8], or_equal: bool) -> u64 {
        let Some((score, _)) = self.at(0) else { return 0 };
        self.ranked.search(score_rank(score), |entry| {
            let other = scored(entry).1;
            other < member || or_equal && other == member
        })
    }

    /// As [`SetRef::scan`].
    pub fn scan(&self, cursor: u64, count: u64, visit: &mut dyn FnMut(f64, &'g [u8])) -> u64 {
        let by_member = self.members.map_or(self.ranked, Seq::Tree);
        scan(by_member, Form::Scored, cursor, count, &mut |entry| {
            let (score, member) = scored(entry);
            visit(score, member);
        })
    }
}
