//! FOLLOW, which a replica of this server's kind sends; REPLCONF, PSYNC and SYNC, which one of Redis's kind does.

use crate::command::call::{Call, CommandError, Later};
use crate::command::replicas::Introduction;

/// The version of the protocol between two servers of this kind.
const VERSION: &[u8] = b"1";

/// `FOLLOW version port ip server`: hands the connection over to who feeds replicas.
pub(super) fn follow(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    if &call.args[1] != VERSION {
        let text = "ERR this server knows version 1 of the replication protocol only";
        return Err(CommandError::Text(text.into()));
    }
    let port = std::str::from_utf8(&call.args[2]).ok().and_then(|port| port.parse().ok());
    let port =
        port.ok_or(CommandError::Text("ERR the port that the replica listens on is no port".into()))?;
    let announced = String::from_utf8_lossy(&call.args[3]).into_owned();
    let client = &call.session.client;
    let ip = if announced.is_empty() { ip_of(&client.endpoint().peer) } else { announced };
    let server = std::str::from_utf8(&call.args[4]).ok().and_then(|id| id.parse().ok());
    let server = server.ok_or(CommandError::Text("ERR a server is named by 32 hexadecimal digits".into()))?;
    let introduction = Introduction { server: Some(server), client_id: client.id(), ip, port };
    call.later = Some(Later::Feed(introduction));
    Ok(())
}

/// The address in `ip:port` or `[ip]:port`.
fn ip_of(peer: &str) -> String {
    let ip = peer.rsplit_once(':').map_or(peer, |(ip, _)| ip);
    ip.trim_start_matches('[').trim_end_matches(']').to_owned()
}

/// Answers a replica of Redis that this is no primary for it.
pub(super) fn refuse(_call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let text = "ERR this server feeds only replicas of its own kind (goredis --replicaof host:port); a replica of \
                Redis cannot follow it";
    Err(CommandError::Text(text.into()))
}
