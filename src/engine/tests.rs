//! The engine as a whole: with files and without, across restarts, under contention.
//!
//! | module | what it shows |
//! |---|---|
//! | `basics` | single commands and small transactions, and what is found again |
//! | `model` | random operations against a naive map, with restarts, kills, lost machines and snapshots among them |
//! | `contention` | threads that hammer the same few keys; the history is linearizable, the log's order a serialization |
//! | `collections` | threads that change the same collections |
//! | `parts` | large collections that change while snapshots take them |
//! | `damage` | files damaged at every place are refused, or hold a state that was |
//! | `interleavings` | the protocols under the shuttle model checker (feature `shuttle`) |
//! | `roles` | whose log a database goes on in when it is opened again |
//! | `history`, `register` | what is recorded of a concurrent run, and the two checkers of it |
//! | `lab` | a folder of database files that tests stop, damage and open again |

mod basics;
mod collections;
mod contention;
mod damage;
mod group;
mod history;
#[cfg(feature = "shuttle")]
mod interleavings;
mod lab;
mod model;
mod parts;
mod register;
mod roles;
mod waits;
