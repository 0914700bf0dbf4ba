//! The engine as a whole: with files and without, across restarts, under contention.

mod basics;
