//! The entries of a collection, small or large, by their positions.

use crate::store::value::block::{Block, block_bytes, join, write};
use crate::store::value::tree::{Cursor, TreeRef};

/// A row of entries.
#[derive(Clone, Copy, Debug)]
pub enum Seq<'g> {
    /// In one block.
    Packed(Block<'g>),
    /// In a tree.
    Tree(TreeRef<'g>),
}

impl<'g> Seq<'g> {
    /// How many entries there are.
    #[inline]
    pub fn len(&self) -> u64 {
        match self {
            Self::Packed(block) => block.len() as u64,
            Self::Tree(tree) => tree.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One entry.
    pub fn get(&self, index: u64) -> Option<&'g [u8]> {
        match self {
            Self::Packed(block) => (index < block.len() as u64).then(|| block.get(index as usize)),
            Self::Tree(tree) => tree.get(index),
        }
    }

    /// The entries from `index` on.
    pub fn forward(&self, index: u64) -> Forward<'g> {
        Forward(match *self {
            Self::Packed(block) => Place::Packed(block, index.min(block.len() as u64) as usize),
            Self::Tree(tree) => Place::Tree(tree.at(index.min(tree.len()))),
        })
    }

    /// The entries before `index`, the last one first.
    pub fn backward(&self, index: u64) -> Backward<'g> {
        Backward(self.forward(index).0)
    }

    /// As [`TreeRef::search`], for entries in an order.
    pub fn search(&self, prefix: u64, is_before: impl Fn(&[u8]) -> bool) -> u64 {
        match self {
            Self::Packed(block) => block.partition(is_before) as u64,
            Self::Tree(tree) => tree.search(prefix, is_before).0,
        }
    }

    /// All entries in one block. Takes time and memory proportional to their bytes.
    pub fn to_block(&self) -> Vec<u8> {
        if let Self::Tree(tree) = self {
            return join(tree.leaves(), tree.len() as usize, tree.handle().bytes() as usize);
        }
        let entries: Vec<&[u8]> = self.forward(0).collect();
        let data_bytes = entries.iter().map(|entry| entry.len()).sum();
        let mut out = vec![0; block_bytes(entries.len(), data_bytes)];
        write(&entries, data_bytes, &mut out);
        out
    }
}

#[derive(Clone, Debug)]
enum Place<'g> {
    Packed(Block<'g>, usize),
    Tree(Cursor<'g>),
}

/// Entries from a place on.
#[derive(Clone, Debug)]
pub struct Forward<'g>(Place<'g>);

impl<'g> Iterator for Forward<'g> {
    type Item = &'g [u8];

    #[inline]
    fn next(&mut self) -> Option<&'g [u8]> {
        match &mut self.0 {
            Place::Packed(block, at) => {
                let entry = (*at < block.len()).then(|| block.get(*at))?;
                *at += 1;
                Some(entry)
            }
            Place::Tree(cursor) => cursor.next(),
        }
    }
}

/// Entries before a place, the last one first.
#[derive(Clone, Debug)]
pub struct Backward<'g>(Place<'g>);

impl<'g> Iterator for Backward<'g> {
    type Item = &'g [u8];

    #[inline]
    fn next(&mut self) -> Option<&'g [u8]> {
        match &mut self.0 {
            Place::Packed(block, at) => {
                *at = at.checked_sub(1)?;
                Some(block.get(*at))
            }
            Place::Tree(cursor) => cursor.prev(),
        }
    }
}
