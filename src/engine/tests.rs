//! The engine as a whole: with files and without, across restarts, under contention.
//!
//! | module | what it shows |
//! |---|---|
//! | `basics` | single commands and small transactions, and what is found again |
//! | `model` | random operations against a naive map, with restarts, kills, lost machines and snapshots among them |
//! | `lab` | a folder of database files that tests stop, damage and open again |

mod basics;
mod lab;
mod model;
