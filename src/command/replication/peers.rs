//! REPLCONF, PSYNC and SYNC: what a replica of Redis's own kind sends.

use crate::command::call::{Call, CommandError};

/// Answers a replica of Redis that this is no primary for it.
pub(super) fn refuse(_call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let text = "ERR this server feeds only replicas of its own kind (goredis --replicaof host:port); a replica of \
                Redis cannot follow it";
    Err(CommandError::Text(text.into()))
}
