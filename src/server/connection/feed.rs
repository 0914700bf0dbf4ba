//! A client that has turned out to be a replica: its connection is handed to who feeds replicas.

use super::Connection;
use super::kill::KillSwitch;
use crate::command::clients::ClientType;
use crate::replication::feed;
use std::sync::Arc;

impl Connection {
    /// Feeds the replica until it goes, or somebody closes the connection.
    pub(super) async fn feed(self) {
        // Order: published before who feeds adds to it, or else what came and went so far is lost.
        self.publish_buffers();
        let Some(replica) = self.replica else { return };
        let client = Arc::clone(&self.client);
        client.set_peer(ClientType::Replica);
        let mut kill = KillSwitch::new(&client);
        let (ip, port) = (replica.ip.clone(), replica.port);
        tracing::info!(client = client.id(), %ip, port, "a replica follows");
        let context = Arc::clone(&self.context);
        let fed = feed::serve(context, &client, self.stream.into_halves(), replica);
        match kill.unless_killed(fed).await {
            Ok(Ok(())) => tracing::info!(%ip, port, "the replica is gone"),
            Ok(Err(error)) => tracing::warn!(%ip, port, %error, "the replica is not fed any longer"),
            Err(_) => tracing::info!(%ip, port, "the replica's connection was closed"),
        }
    }
}
