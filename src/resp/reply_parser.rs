//! A server's bytes to [`Value`]s.
