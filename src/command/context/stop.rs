//! The wish that the server stops, and who waits for it.

use crate::command::call::Shutdown;
use tokio::sync::watch;

/// The wish that the server stops: said by a signal or SHUTDOWN, heard by the listener and every connection.
#[derive(Debug)]
pub struct Stop {
    wish: watch::Sender<Option<Shutdown>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// Nobody wants the server to stop yet.
    pub fn new() -> Self {
        Self { wish: watch::Sender::new(None) }
    }

    /// Asks the server to stop; the first wish counts.
    pub fn request(&self, how: Shutdown) {
        self.wish.send_if_modified(|wish| {
            let first = wish.is_none();
            if first {
                *wish = Some(how);
            }
            first
        });
    }

    /// Takes the wish back, for a shutdown that could not be done. Tells whether there was one.
    pub fn withdraw(&self) -> bool {
        self.wish.send_replace(None).is_some()
    }

    /// How the server is to stop, if it is.
    pub fn requested(&self) -> Option<Shutdown> {
        *self.wish.borrow()
    }

    /// Waits until the server is to stop.
    pub async fn wait(&self) -> Shutdown {
        let mut wishes = self.wish.subscribe();
        loop {
            let wish = *wishes.borrow_and_update();
            if let Some(how) = wish {
                return how;
            }
            if wishes.changed().await.is_err() {
                // Why: the sender is `self`, which outlives this borrow; a closed channel means a stop at once.
                return Shutdown::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_wish_is_heard_by_all() {
        let stop = Stop::new();
        assert!(stop.requested().is_none());
        stop.request(Shutdown { save: Some(true), ..Shutdown::default() });
        stop.request(Shutdown { save: Some(false), ..Shutdown::default() });
        assert_eq!(stop.wait().await.save, Some(true));
        assert_eq!(stop.wait().await.save, Some(true));
    }

    #[test]
    fn a_wish_can_be_taken_back() {
        let stop = Stop::new();
        assert!(!stop.withdraw());
        stop.request(Shutdown::default());
        assert!(stop.withdraw());
        assert!(stop.requested().is_none());
    }
}
