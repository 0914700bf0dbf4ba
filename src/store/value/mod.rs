//! Values that have parts: lists, sets, hashes, sorted sets.
//!
//! A collection is a row of byte strings, its *entries*. A small one is a packed block inside its version, copied
//! whole by each write; a large one is a tree of such blocks, of which a write copies one path. Which is which is a
//! matter of limits ([`limits`]).
//!
//! | file | owns |
//! |---|---|
//! | `block` | a row of entries, packed |
//! | `form` | what an entry means, and the order of a tree |
//! | `node` | the memory of a tree: all that is unsafe about it |
//! | `tree`, `edit`, `builder` | reading, changing, making a tree |
//! | `ledger` | who frees which node |
//! | `seq`, `collection` | reading either form |
//! | `part` | a large one a part at a time, or many keys of it at once |
//! | `draft` | a collection that is being changed |

pub mod block;
pub mod builder;
pub mod collection;
pub mod draft;
pub mod edit;
pub mod form;
pub mod ledger;
pub mod limits;
pub mod node;
mod part;
pub mod seq;
#[cfg(test)]
mod tests;
pub mod tree;
