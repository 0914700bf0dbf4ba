//! Tests against a real Redis, and against one that is played.
