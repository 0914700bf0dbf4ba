//! A data set off the connection.
//!
//! ```text
//! $<length>\r\n               so many bytes of an RDB file
//! $EOF:<40 bytes>\r\n         an RDB file, then the same 40 bytes: the primary does not know how long it is
//! ```
//!
//! Before that come empty lines while the primary prepares it. We send such while we load, so that it does not take us
//! for gone.

use std::time::Duration;

use tokio::time::Instant;

use super::link::{Link, unexpected};
use super::load::{LoadError, Loaded, Loader, Then};
use super::{FollowError, Progress};
use crate::command::context::Context;

/// How often the primary hears of us meanwhile.
const SIGN_EVERY: Duration = Duration::from_secs(1);
const MARK_BYTES: usize = 40;

/// How a data set ends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With these bytes behind it.
    Mark(Box<[u8]>),
}

/// Receives a data set and puts it in force; gives how many keys it has.
///
/// # Errors
/// It did not come whole or cannot be taken over: then nothing has changed.
pub(super) async fn receive(
    context: &Context,
    link: &mut Link,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<u64, FollowError> {
    let place = "before its data set";
    let told = link.line(place).await?;
    if let Some(error) = told.strip_prefix('-') {
        return Err(FollowError::NotReady(error.to_owned()));
    }
    let framing = framing(&told).ok_or_else(|| unexpected(place, told.as_bytes()))?;
    let total = match &framing {
        Framing::Length(total) => Some(*total),
        Framing::Mark(_) => None,
    };
    let loader = load(context, link, total, progress).await?;
    match framing {
        Framing::Length(said) if loader.offset() != said => {
            return Err(LoadError::Length { found: loader.offset(), said }.into());
        }
        Framing::Length(_) => {}
        Framing::Mark(mark) => {
            while link.unread().len() < MARK_BYTES {
                link.more(Instant::now() + SIGN_EVERY).await?;
            }
            if link.unread()[..MARK_BYTES] != *mark {
                return Err(link.unexpected("behind its data set"));
            }
            link.take(MARK_BYTES);
        }
    }
    let Loaded { keys, functions, module_notes, .. } = loader.install()?;
    if functions > 0 || module_notes > 0 {
        tracing::warn!(
            functions,
            module_notes,
            "left out of the primary's data set: this server has neither"
        );
    }
    Ok(keys)
}

async fn load(
    context: &Context,
    link: &mut Link,
    total: Option<u64>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Loader, FollowError> {
    let engine = context.database();
    let mut loader = Loader::begin(engine.clone(), true)?;
    let mut next_sign = Instant::now() + SIGN_EVERY;
    loop {
        // Why no further: behind a data set of known length are commands.
        let left = total.map_or(u64::MAX, |total| total.saturating_sub(loader.offset()));
        let visible = link.unread().len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let taken = loader.take(&link.unread()[..visible])?;
        link.take(taken.bytes);
        if Instant::now() >= next_sign {
            link.send(b"\n").await?;
            progress(Progress::DataSet { done: loader.offset(), total });
            next_sign = Instant::now() + SIGN_EVERY;
        }
        match taken.then {
            Then::Nothing => {
                progress(Progress::DataSet { done: loader.offset(), total });
                return Ok(loader);
            }
            Then::Again => tokio::task::yield_now().await,
            Then::More(wants) if (visible - taken.bytes + wants) as u64 > left - taken.bytes as u64 => {
                return Err(loader.cut().into());
            }
            Then::More(_) => {
                if let Some(delay) = engine.write_delay() {
                    tokio::time::sleep(delay).await;
                }
                link.more(next_sign).await?;
            }
        }
    }
}

fn framing(line: &str) -> Option<Framing> {
    let length = line.strip_prefix('$')?;
    match length.strip_prefix("EOF:") {
        Some(mark) => (mark.len() == MARK_BYTES).then(|| Framing::Mark(mark.as_bytes().into())),
        None => length.parse().ok().map(Framing::Length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_set_ends_after_its_length_or_with_its_mark() {
        let mark = "0123456789012345678901234567890123456789";
        for (line, expected) in [
            ("$17", Some(Framing::Length(17))),
            (&format!("$EOF:{mark}")[..], Some(Framing::Mark(mark.as_bytes().into()))),
            ("$EOF:short", None),
            ("$-1", None),
            ("17", None),
            ("+OK", None),
        ] {
            assert_eq!(framing(line), expected, "{line}");
        }
    }
}
