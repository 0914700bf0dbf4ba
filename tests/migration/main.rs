//! Moving here from a real Redis: Debian's redis-server is followed in this process, and what both hold is compared.
//!
//! A program that is missing fails the test: `tools/test` installs them.
//!
//! | module | shows |
//! |---|---|
//! | `data_set` | that everything arrives, at once, or nothing |
//! | `writes` | that what is written meanwhile arrives, whatever breaks |
//! | `live` | the same with a process of ours, under load, and every key compared by its DUMP |
//! | `played` | what real primaries send only rarely, in pieces of every size |
//! | `offline` | the same from a file |

mod contents;
mod data_set;
mod live;
mod offline;
mod played;
mod redis;
mod replica;
mod writes;
