//! Why a primary is not followed, in one sentence that says what to do.

use crate::command::upstream::Target;
use crate::replication::decide::{Line, Refusal};

/// Why a primary is not followed that this server is among the `above` servers of.
pub(super) fn loops(above: usize, target: &Target) -> String {
    let Target { host, port, .. } = target;
    let what = match above {
        1 => "is this server itself".to_owned(),
        _ => "follows this server, itself or over others, so that none of them would take writes".to_owned(),
    };
    format!(
        "the primary {host}:{port} {what}; nothing here is touched. To take writes here: REPLICAOF NO ONE"
    )
}

/// Why a primary of the line `theirs` is not followed.
pub(super) fn not_ours(refusal: Refusal, own: &Line, theirs: &Line, target: &Target) -> String {
    let (host, port) = (&target.host, target.port);
    let history = theirs.history.name();
    let what = match refusal {
        Refusal::Behind => format!(
            "the primary {host}:{port} is behind: its log ends at {} and this one at {}; it was emptied, or an older \
             state of it was restored",
            theirs.end, own.end
        ),
        Refusal::Restored => format!(
            "the primary {host}:{port} has lost what is here, up to {}, and has gone on without it: it was restored, or \
             recovered from the loss of its machine",
            own.end
        ),
        Refusal::Unrelated => {
            format!("the data of the primary {host}:{port} has nothing to do with what is here")
        }
    };
    format!(
        "{what}; nothing here is touched. To drop what is here and follow it all the same: \
         REPLICAOF {host} {port} HISTORY {history}"
    )
}
