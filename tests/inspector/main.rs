//! The log inspector, driven as a program: `goredis-log` on databases that the log's own code wrote.

mod lab;
mod looking;
mod repairing;
mod verifying;
