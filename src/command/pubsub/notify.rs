//! Events of keys: how commands tell of them, and the two that nobody has to tell.

use super::hub::{Hub, Postage};
use super::outgoing::publish_event;
use crate::clock::Millis;
use crate::command::call::Call;
use crate::command::context::Context;
use crate::command::session::Session;
use crate::command::spec::{CommandSpec, Flags};
use crate::engine::{DbIndex, Txn, Was, Witness};
use crate::lsn::Lsn;
use crate::settings::{ClientClass, EventClass, Settings};
use bytes::Bytes;
use std::sync::Arc;

impl Call<'_, '_> {
    /// Tells of an event of a key in the selected database, for those who are subscribed to its channels.
    ///
    /// Every command that changes a key calls this once for each event that Redis names, after the change and in
    /// Redis's order: `call.notify(EventClass::STRING, "set", key)`, then `call.notify(EventClass::GENERIC, "expire",
    /// key)`. A command that empties and thereby removes a collection tells its own event, then
    /// `(EventClass::GENERIC, "del")`. What changes nothing tells nothing.
    ///
    /// The event belongs to the attempt: it is published after the attempt has taken effect, in the order of the calls,
    /// and never if the attempt loses or the command fails. So the caller need not know whether it will win.
    ///
    /// Told by itself, and by no command: `new` (class `n`) in front of a key's first event, where the key was not
    /// there before; `expired` (class `x`), also of a key whose time had come when it was written; `hexpired` (class
    /// `h`) of a hash whose fields have ended, with `del` (class `g`) if it went with the last of them; `keymiss` (class
    /// `m`) of commands that are flagged `readonly`. A command that writes but reads as well (GETSET, GETDEL, COPY,
    /// SORT ... STORE) tells `(EventClass::KEY_MISS, "keymiss")` itself of the key that it reads in vain.
    ///
    /// Costs one load where no notifications are configured.
    #[inline]
    pub fn notify(&mut self, class: EventClass, event: &'static str, key: &[u8]) {
        self.notify_in(self.session.db, class, event, key);
    }

    /// Tells of an event of a key in any database; else as [`Call::notify`].
    #[inline]
    pub fn notify_in(&mut self, db: DbIndex, class: EventClass, event: &'static str, key: &[u8]) {
        let wanted = self.context.settings.notify_keyspace_events();
        if !wanted.is_empty() {
            self.notify_wanted(wanted, (db, class, event, key));
        }
    }

    #[cold]
    fn notify_wanted(
        &mut self,
        wanted: EventClass,
        (db, class, event, key): (DbIndex, EventClass, &'static str, &[u8]),
    ) {
        // Why here too: most transactions on a server where nobody listens then gather nothing.
        if !has_channels(wanted) || self.context.hub.is_silent() {
            return;
        }
        let key = Bytes::copy_from_slice(key);
        let tells_fate = wanted.intersects(EventClass::NEW) || wanted.intersects(EventClass::EXPIRED);
        if tells_fate && class != EventClass::KEY_MISS {
            self.notify_fate(wanted, db, class, &key);
        }
        if wanted.intersects(class) {
            self.session.outgoing().event(db, event, &key);
        }
    }

    /// Tells what an event means for the key's being there: that it had expired, that it is new.
    fn notify_fate(&mut self, wanted: EventClass, db: DbIndex, class: EventClass, key: &Bytes) {
        let fate = self.txn.fate(db, key);
        let outgoing = self.session.outgoing();
        let place = (db, key.clone());
        let known = outgoing.alive.insert(place, fate.is_live);
        if known.is_none() && fate.was == Was::Expired && wanted.intersects(EventClass::EXPIRED) {
            outgoing.event(db, "expired", key);
        }
        let was_live = known.unwrap_or(fate.was == Was::Live);
        // Why not for `new` itself: RENAME and COPY tell it of a key that they replace, as Redis does.
        if !was_live && fate.is_live && class != EventClass::NEW && wanted.intersects(EventClass::NEW) {
            outgoing.event(db, "new", key);
        }
    }
}

/// Whether events are published on any channel at all.
fn has_channels(wanted: EventClass) -> bool {
    wanted.intersects(EventClass::KEYSPACE) || wanted.intersects(EventClass::KEYEVENT)
}

/// Whether keys that are looked for in vain are to be told. Asked once per batch.
#[inline]
pub(in crate::command) fn tells_misses(context: &Context) -> bool {
    context.settings.notify_keyspace_events().intersects(EventClass::KEY_MISS)
}

/// Tells of the keys that the command looked for in vain, if it is one that only reads.
#[cold]
pub(in crate::command) fn tell_misses(
    context: &Context,
    session: &mut Session,
    txn: &mut Txn<'_>,
    spec: &CommandSpec,
) {
    let missed = txn.take_misses();
    let wanted = context.settings.notify_keyspace_events();
    if spec.flags.contains(Flags::READONLY) && has_channels(wanted) && !context.hub.is_silent() {
        for (db, key) in missed {
            session.outgoing().event(db, "keymiss", &key.into());
        }
    }
}

/// Publishes what the engine does to keys by itself.
#[derive(Debug)]
struct Herald {
    hub: Arc<Hub>,
    settings: Arc<Settings>,
}

/// Who is to be told of keys that the engine removes.
pub(in crate::command) fn witness(hub: &Arc<Hub>, settings: &Arc<Settings>) -> Box<dyn Witness> {
    Box::new(Herald { hub: Arc::clone(hub), settings: Arc::clone(settings) })
}

/// Publishes an event of a key that no attempt tells, because the change that it tells of has taken effect.
pub(in crate::command) fn tell_done(
    hub: &Hub,
    settings: &Settings,
    class: EventClass,
    event: (DbIndex, &'static str, &[u8]),
    (lsn, now): (Lsn, Millis),
) {
    let wanted = settings.notify_keyspace_events();
    if wanted.intersects(class) {
        let limit = settings.output_limit(ClientClass::Pubsub);
        publish_event(hub, wanted, event, Postage { limit, lsn, now });
    }
}

impl Herald {
    fn tell(&self, class: EventClass, event: (DbIndex, &'static str, &[u8]), lsn: Lsn, now: Millis) {
        tell_done(&self.hub, &self.settings, class, event, (lsn, now));
    }
}

impl Witness for Herald {
    fn expired(&self, db: DbIndex, key: &[u8], lsn: Lsn, now: Millis) {
        self.tell(EventClass::EXPIRED, (db, "expired", key), lsn, now);
    }

    fn fields_expired(&self, db: DbIndex, key: &[u8], is_gone: bool, lsn: Lsn, now: Millis) {
        self.tell(EventClass::HASH, (db, "hexpired", key), lsn, now);
        if is_gone {
            self.tell(EventClass::GENERIC, (db, "del", key), lsn, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::command::context::fixture::Fixture;
    use crate::command::pubsub::psubscribe;
    use crate::command::strings::set::set;

    fn event(channel: &str, payload: &str) -> String {
        let frame = ["pmessage", "*", channel, payload].map(|part| format!("${}\r\n{part}\r\n", part.len()));
        format!("*4\r\n{}", frame.concat())
    }

    #[test]
    fn an_event_is_published_when_its_attempt_has_taken_effect_and_else_forgotten() {
        let mut fixture = Fixture::with(&[("notify-keyspace-events", "KEAn")]);
        fixture.run(psubscribe, "PSUBSCRIBE *");
        fixture.session.outgoing = None;
        fixture.run(set, "SET lost 1");
        fixture.session.abandon_outgoing();
        fixture.run(set, "SET kept 1");
        let expected = ["new", "set"].map(|name| {
            let on_key = event("__keyspace@0__:kept", name);
            on_key + &event(&format!("__keyevent@0__:{name}"), "kept")
        });
        assert_eq!(fixture.deliver(), expected.concat());
    }

    #[test]
    fn nothing_is_gathered_where_nothing_is_wanted_or_nobody_listens() {
        let mut fixture = Fixture::with(&[("notify-keyspace-events", "KEA")]);
        fixture.run(set, "SET a 1");
        assert!(fixture.session.outgoing.is_none());
        let mut fixture = Fixture::new();
        fixture.run(psubscribe, "PSUBSCRIBE *");
        fixture.session.outgoing = None;
        fixture.run(set, "SET a 1");
        assert!(fixture.session.outgoing.is_none());
    }
}
