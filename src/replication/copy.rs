//! Frames of the log that is followed, copied into this one and applied.

use crate::engine::{Engine, FollowError, ForeignSegment};
use crate::log::CopyError;
use crate::lsn::Lsn;
use crate::replication::feed::FRAME_BYTES_MAX;
use crate::replication::frame::Frame;
use crate::replication::greeting::NoLine;
use crate::replication::tail::{Ended, TailError};

/// Takes a frame of the log; tells when that is the end.
pub(super) fn take_log(
    engine: &Engine,
    pending: &mut Vec<u8>,
    frame: Frame<'_>,
) -> Result<Option<Ended>, TailError> {
    match frame {
        Frame::Segment { first, end, capacity, history, lineage } => {
            enter(engine, &ForeignSegment { first, end, capacity, history, lineage })?;
        }
        Frame::Log { at, bytes } => {
            let expected = Lsn::new(engine.log().head().get() + pending.len() as u64);
            if at != expected {
                return Err(TailError::Order { found: at, expected });
            }
            apply(engine, pending, bytes)?;
        }
        Frame::TakeOver { at } if at == engine.log().head() && pending.is_empty() => {
            return Ok(Some(Ended::TakesOver));
        }
        other => return Err(unexpected(&other)),
    }
    Ok(None)
}

/// How far the log is applied here, and on stable storage; zero where there is none.
pub(super) fn place(engine: &Engine) -> (Lsn, Lsn) {
    let durable = if engine.is_persistent() { engine.log().durable() } else { Lsn::ZERO };
    (engine.log().resolved(), durable)
}

fn enter(engine: &Engine, segment: &ForeignSegment) -> Result<(), TailError> {
    let head = engine.log().head();
    if head < segment.first || head > segment.end {
        return Err(TailError::Order { found: segment.first, expected: head });
    }
    Ok(engine.enter_segment(segment)?)
}

/// Applies what is whole of `pending` and `bytes`, and keeps the rest.
fn apply(engine: &Engine, pending: &mut Vec<u8>, bytes: &[u8]) -> Result<(), TailError> {
    if pending.is_empty() {
        let (taken, _) = engine.follower().take(bytes)?;
        pending.extend_from_slice(&bytes[taken..]);
        return Ok(());
    }
    pending.extend_from_slice(bytes);
    let (taken, _) = engine.follower().take(pending)?;
    pending.drain(..taken);
    // Why: a record is never longer than this, so something is wrong with what comes.
    if pending.len() > FRAME_BYTES_MAX + (2 << 28) {
        let what = "it does not end";
        return Err(FollowError::Copy(CopyError::Damaged { lsn: engine.log().head(), what }).into());
    }
    Ok(())
}

/// The error that a frame is that does not belong there.
pub(super) fn unexpected(frame: &Frame<'_>) -> TailError {
    let text: String = format!("{frame:?}").chars().take(60).collect();
    NoLine(text).into()
}
