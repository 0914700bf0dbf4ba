//! ROLE: this server's part in replication.

use super::applied;
use crate::command::call::{Call, CommandError};
use crate::command::replicas::Feeding;
use crate::command::upstream::{Upstream, UpstreamStatus};

/// ROLE
#[expect(clippy::unnecessary_wraps, reason = "a `Handler`")]
pub(super) fn role(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    match call.context.upstream().and_then(Upstream::status) {
        Some(status) => replica(call, &status),
        None => primary(call),
    }
    Ok(())
}

fn primary(call: &mut Call<'_, '_>) {
    let position = applied(&call.context.engine());
    let mut replicas = call.context.replicas.list();
    replicas.retain(|replica| replica.feeding() == Feeding::Log);
    call.reply.array(3);
    call.reply.bulk(b"master");
    call.reply.int(position.get() as i64);
    call.reply.array(replicas.len());
    for replica in replicas {
        call.reply.array(3);
        call.reply.bulk(replica.introduction().ip.as_bytes());
        call.reply.bulk_int(i64::from(replica.introduction().port));
        call.reply.bulk_int(replica.applied().get() as i64);
    }
}

fn replica(call: &mut Call<'_, '_>, status: &UpstreamStatus) {
    call.reply.array(5);
    call.reply.bulk(b"slave");
    call.reply.bulk(status.host.as_bytes());
    call.reply.int(i64::from(status.port));
    call.reply.bulk(status.link.name().as_bytes());
    call.reply.int(applied(&call.context.engine()).get() as i64);
}
