//! Commands on strings and numbers.
//!
//! | file | commands |
//! |---|---|
//! | [`set`] | SET SETNX SETEX PSETEX GETSET |
//! | [`get`] | GET GETDEL GETEX STRLEN |
//! | [`multi`] | MGET MSET MSETNX |
//! | [`counters`] | INCR DECR INCRBY DECRBY INCRBYFLOAT, with [`decimal`] |
//! | [`ranges`] | APPEND SETRANGE GETRANGE SUBSTR |
//! | [`conditional`] | DELIFEQ |
//! | [`lcs`] | LCS, with [`subsequence`] |
//!
//! Each function is a [`Handler`](super::call::Handler): it reads and writes through the attempt it is given and
//! writes one reply. None of them waits, and none but LCS takes longer than its value is long.

pub mod conditional;
pub mod counters;
pub mod decimal;
pub mod get;
pub mod lcs;
pub mod multi;
pub mod options;
pub mod ranges;
pub mod set;
pub mod subsequence;
pub mod value;
