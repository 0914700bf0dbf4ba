//! What the servers tell of keys that change (`notify-keyspace-events`): the same, in the same order.

use crate::frame::Frame;
use crate::servers::Side;
use std::fmt;

/// What is published when all else was.
const LAST: &str = "__keyevent@0__:last";

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name with the database.
    pub name: String,
    key: Vec<u8>,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.key.escape_ascii())
    }
}

/// Lets a side's listener hear all events.
pub fn listen(side: &mut Side) {
    let reply = side.listener.ask("PSUBSCRIBE __keyevent@*");
    assert_eq!(reply.parts().len(), 3, "{reply}");
}

/// The first place where two streams of events part.
pub fn difference<'a>(
    theirs: &'a [Event],
    ours: &'a [Event],
) -> Option<(usize, Option<&'a Event>, Option<&'a Event>)> {
    let number = (0..theirs.len().max(ours.len())).find(|&at| theirs.get(at) != ours.get(at))?;
    Some((number, theirs.get(number), ours.get(number)))
}

/// The events since the last look, but for those of keys that have died: each server notices at a time of its own.
pub fn heard(side: &mut Side) -> Vec<Event> {
    side.onlooker.call(&["PUBLISH", LAST, ""]);
    let mut events = Vec::new();
    loop {
        let message = side.listener.reply();
        let [.., channel, Frame::Bulk(_, key)] = message.parts() else { panic!("no event: {message}") };
        if channel.bytes() == LAST.as_bytes() {
            return events;
        }
        let name = String::from_utf8_lossy(channel.bytes()).replace("__", "");
        if !name.ends_with(":expired") {
            events.push(Event { name, key: key.clone() });
        }
    }
}
