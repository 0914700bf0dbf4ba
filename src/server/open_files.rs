//! The limit of open files, which has to allow for the clients that the settings do.

use std::io;

/// Files that the server needs beside one for each client: the log, snapshots, listeners, the runtime.
const RESERVED: u64 = 64;

/// The limit is, and stays, too low.
#[derive(Debug, thiserror::Error)]
#[error(
    "the limit of open files is {allowed}, but {clients_max} clients need {needed}: raise it (ulimit -n), or lower \
     maxclients to {}", .allowed.saturating_sub(RESERVED)
)]
pub(super) struct TooFewFiles {
    allowed: u64,
    needed: u64,
    clients_max: u32,
}

/// Raises the limit of open files to what `clients_max` clients need, as far as this user may.
///
/// # Errors
/// That is too little: clients beyond it will be refused.
pub(super) fn raise(clients_max: u32) -> Result<(), TooFewFiles> {
    let needed = u64::from(clients_max) + RESERVED;
    match raise_to(needed) {
        Ok(allowed) if allowed < needed => Err(TooFewFiles { allowed, needed, clients_max }),
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::warn!(%error, "can't read or raise the limit of open files");
            Ok(())
        }
    }
}

/// Raises the soft limit to `needed`, or to the hard limit where that is lower; returns what it is then.
fn raise_to(needed: u64) -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place for the result, which the call only writes to.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if limit.rlim_cur >= needed {
        return Ok(limit.rlim_cur);
    }
    limit.rlim_cur = needed.min(limit.rlim_max);
    // SAFETY: `limit` is a valid limit, which the call only reads.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(limit.rlim_cur)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_no_further_than_allowed_and_never_lowered() {
        let before = raise_to(0).expect("the limit");
        let after = raise_to(before.saturating_add(1)).expect("the limit");
        assert!(after == before || after == before + 1);
        assert_eq!(raise_to(1).expect("the limit"), after);
        assert!(raise_to(u64::MAX).expect("the limit") >= after);
    }
}
