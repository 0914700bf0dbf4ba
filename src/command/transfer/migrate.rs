//! MIGRATE: keys move to another server.
//!
//! Redis stops everything while it sends keys. Here that is the work of a thread of its own, and everybody else goes
//! on; so a key may change on the way. What holds instead:
//!
//! 1. The value, with what is left of its time, is read in one transaction; the record that made it is remembered.
//! 2. It is sent as RESTORE, with nothing held: no lock, no guard, no transaction.
//! 3. Where the other server has said OK, a second transaction deletes the key *if that record still is its latest*.
//!
//! So no write is ever lost: a key that was written in between stays, the reply is an error that tells so, and the other
//! server has the value that was read. A key that was deleted in between is deleted here and is there, as if it had
//! been copied just before. If the connection fails between 2 and 3, both servers have the key, as in Redis.
//!
//! Keys are sent in parcels, to hold neither the values of all in memory nor the replies to all in the other server's.
//! Each call has a connection of its own, and asks for the database before it sends the first key: nothing is restored
//! where AUTH or SELECT fails. Inside MULTI it is refused: a transaction waits for nobody.

use std::time::{Duration, Instant};

use crate::clock::Millis;
use crate::command::args::{Options, integer, is};
use crate::command::call::{Call, CommandError, Later};
use crate::command::context::Context;
use crate::command::dispatch::{engine_error, waits_for_storage};
use crate::command::pubsub::tell_done;
use crate::command::transfer::peer::{Peer, Refusal, write_request};
use crate::command::transfer::portable::export;
use crate::engine::{DbIndex, EngineError};
use crate::lsn::Lsn;
use crate::rdb;
use crate::resp::Args;
use crate::settings::EventClass;

/// Keys that are sent before the replies to them are read.
const PARCEL_KEYS_MAX: usize = 256;
/// Bytes of requests from which on no more keys are put in a parcel.
const PARCEL_BYTES_FULL: usize = 1 << 20;
/// The timeout where none is asked for.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(1);
/// Between two looks at whether writes go on.
const PAUSE_LOOK_EVERY: Duration = Duration::from_millis(5);

/// What is to be sent where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Plan {
    host: String,
    port: String,
    keys: Vec<Vec<u8>>,
    /// The database here.
    from: DbIndex,
    /// The database there.
    to: i64,
    timeout: Duration,
    /// Whether the keys stay here.
    copy: bool,
    /// Whether keys there are replaced.
    replace: bool,
    /// What AUTH is to be sent there.
    credentials: Vec<Vec<u8>>,
}

impl Plan {
    fn parse(args: Args<'_>, from: DbIndex) -> Result<Self, CommandError> {
        let (mut copy, mut replace) = (false, false);
        let mut credentials = Vec::new();
        let mut keys = vec![args[3].to_vec()];
        let mut options = Options::new(args, 6);
        while let Some(word) = options.next() {
            if is(word, "COPY") {
                copy = true;
            } else if is(word, "REPLACE") {
                replace = true;
            } else if is(word, "AUTH") {
                credentials = vec![options.value()?.to_vec()];
            } else if is(word, "AUTH2") {
                credentials = vec![options.value()?.to_vec(), options.value()?.to_vec()];
            } else if is(word, "KEYS") {
                if !args[3].is_empty() {
                    return Err(CommandError::Text(
                        "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
                            .into(),
                    ));
                }
                keys = options.by_ref().map(<[u8]>::to_vec).collect();
            } else {
                return Err(CommandError::Syntax);
            }
        }
        let timeout = u64::try_from(integer(&args[5])?).ok().filter(|millis| *millis > 0);
        let to = integer(&args[4])?;
        let text = |at: usize| String::from_utf8_lossy(&args[at]).into_owned();
        Ok(Self {
            host: text(1),
            port: text(2),
            keys,
            from,
            to,
            timeout: timeout.map_or(TIMEOUT_DEFAULT, Duration::from_millis),
            copy,
            replace,
            credentials,
        })
    }
}

/// Why keys were not moved; displays as the error reply.
#[derive(Debug, thiserror::Error)]
enum MigrateError {
    #[error("IOERR error or timeout connecting to the client")]
    Connecting,
    #[error("IOERR error or timeout writing to target instance")]
    Writing,
    #[error("IOERR error or timeout reading to target instance")]
    Reading,
    #[error("ERR Target instance replied with error: {0}")]
    Refused(String),
    #[error(
        "ERR keys that changed while they were sent: {0}; they are still here, and at the target as they were before"
    )]
    Changed(usize),
    #[error("{}", engine_error(.0))]
    Engine(#[from] EngineError),
}

impl From<Refusal> for MigrateError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.0)
    }
}

/// `MIGRATE host port key|"" destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password]
/// [KEYS key [key ...]]`
///
/// # Errors
/// Unknown options, numbers that are none, inside MULTI; whatever prevents that all keys that are here get there.
pub fn migrate(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let plan = Plan::parse(call.args, call.db())?;
    if call.session.in_exec() {
        return Err(CommandError::Text("ERR MIGRATE is not possible inside a transaction".into()));
    }
    if plan.keys.iter().all(|key| call.txn.peek(plan.from, key).is_none()) {
        call.reply.simple("NOKEY");
        return Ok(());
    }
    call.later = Some(Later::Blocking(Box::new(move |context, reply| match run(context, &plan) {
        Ok(0) => reply.simple("NOKEY"),
        Ok(_) => reply.ok(),
        Err(error) => reply.error(&error.to_string()),
    })));
    Ok(())
}

/// Does it; gives how many keys were there to be sent.
fn run(context: &Context, plan: &Plan) -> Result<usize, MigrateError> {
    let mut journey = Journey { context, plan, sent: 0, refused: None, changed: 0 };
    let mut peer = open(plan)?;
    let mut keys = &plan.keys[..];
    while !keys.is_empty() {
        let (parcel, rest) = journey.pack(keys)?;
        keys = rest;
        journey.deliver(&mut peer, &parcel)?;
    }
    if let Some(refusal) = journey.refused {
        return Err(refusal.into());
    }
    if journey.changed > 0 {
        return Err(MigrateError::Changed(journey.changed));
    }
    Ok(journey.sent)
}

/// Connects to the other server, and has it ready for keys.
fn open(plan: &Plan) -> Result<Peer, MigrateError> {
    let port = plan.port.parse().map_err(|_| MigrateError::Connecting)?;
    let mut peer = Peer::connect(&plan.host, port, plan.timeout).map_err(|_| MigrateError::Connecting)?;
    if !plan.credentials.is_empty() {
        let words = std::iter::once(&b"AUTH"[..]).chain(plan.credentials.iter().map(Vec::as_slice));
        ask(&mut peer, &words.collect::<Vec<_>>())?;
    }
    ask(&mut peer, &[b"SELECT", plan.to.to_string().as_bytes()])?;
    Ok(peer)
}

fn ask(peer: &mut Peer, args: &[&[u8]]) -> Result<(), MigrateError> {
    let mut request = Vec::new();
    write_request(&mut request, args);
    peer.send(&request).map_err(|_| MigrateError::Writing)?;
    Ok(peer.hear().map_err(|_| MigrateError::Reading)??)
}

/// Keys on their way.
#[derive(Default)]
struct Parcel<'p> {
    requests: Vec<u8>,
    /// The keys in it, each with the record that made what was read.
    keys: Vec<(&'p [u8], Lsn)>,
}

/// One call at work.
struct Journey<'c> {
    context: &'c Context,
    plan: &'c Plan,
    /// Keys that were sent.
    sent: usize,
    /// The first error of the other server.
    refused: Option<Refusal>,
    /// Keys that were changed on the way.
    changed: usize,
}

impl<'c> Journey<'c> {
    /// Reads keys until there are enough for a parcel; gives it and the keys that are left.
    fn pack(&self, keys: &'c [Vec<u8>]) -> Result<(Parcel<'c>, &'c [Vec<u8>]), MigrateError> {
        let (mut parcel, mut taken, mut seen) = (Parcel::default(), 0, Lsn::ZERO);
        for key in keys {
            if parcel.keys.len() >= PARCEL_KEYS_MAX || parcel.requests.len() >= PARCEL_BYTES_FULL {
                break;
            }
            taken += 1;
            let engine = self.context.engine();
            let mut batch = engine.batch(Millis::now(), false);
            let read = batch.run(|txn| {
                let (now, live) = (txn.now(), txn.get(self.plan.from, key));
                let told = live.and_then(|live| Some((live, export(live.value, now)?)));
                Ok::<_, std::convert::Infallible>(told.map(|(live, value)| {
                    // Why at least 1: 0 would be a key that stays.
                    let left = live.expiry.map_or(0, |end| now.until(end).max(1));
                    (rdb::dump(&value), left, live.lsn)
                }))
            })?;
            seen = seen.max(batch.seen());
            if let Ok(Some((payload, left, lsn))) = read {
                let left = left.to_string();
                let mut request = vec![&b"RESTORE"[..], key, left.as_bytes(), &payload];
                request.extend(self.plan.replace.then_some(&b"REPLACE"[..]));
                write_request(&mut parcel.requests, &request);
                parcel.keys.push((key, lsn));
            }
        }
        // Why: what nobody here may know yet, nobody there may.
        self.wait_durable(seen)?;
        Ok((parcel, &keys[taken..]))
    }

    /// Sends a parcel, and deletes what has arrived.
    fn deliver(&mut self, peer: &mut Peer, parcel: &Parcel<'_>) -> Result<(), MigrateError> {
        self.sent += parcel.keys.len();
        peer.send(&parcel.requests).map_err(|_| MigrateError::Writing)?;
        let (mut arrived, mut broken) = (Vec::new(), false);
        for &key in &parcel.keys {
            match peer.hear() {
                Ok(Ok(())) => arrived.push(key),
                Ok(Err(refusal)) => _ = self.refused.get_or_insert(refusal),
                Err(_) => {
                    broken = true;
                    break;
                }
            }
        }
        if !self.plan.copy {
            self.delete(&arrived)?;
        }
        match self.refused.take() {
            Some(refusal) if broken => Err(refusal.into()),
            None if broken => Err(MigrateError::Reading),
            refused => {
                self.refused = refused;
                Ok(())
            }
        }
    }

    /// Deletes those keys that are as they were read.
    fn delete(&mut self, keys: &[(&[u8], Lsn)]) -> Result<(), MigrateError> {
        let (context, db, now) = (self.context, self.plan.from, Millis::now());
        let started = Instant::now();
        loop {
            let engine = context.engine();
            let mut batch = engine.batch(now, false);
            let mut deleted = Vec::new();
            let mut changed = 0;
            let done = batch.run(|txn| {
                (deleted, changed) = (Vec::new(), 0);
                for &(key, lsn) in keys {
                    match txn.watch(db, key) {
                        Some(latest) if latest == lsn && txn.delete(db, key) => deleted.push(key),
                        Some(_) => changed += 1,
                        None => {}
                    }
                }
                Ok::<_, std::convert::Infallible>(())
            });
            let seen = batch.seen();
            drop(batch);
            match done {
                Ok(_) => {
                    self.changed += changed;
                    for key in deleted {
                        let event = (db, "del", key);
                        tell_done(&context.hub, &context.settings, EventClass::GENERIC, event, (seen, now));
                    }
                    return self.wait_durable(seen);
                }
                Err(EngineError::Paused) if started.elapsed() < self.plan.timeout => {
                    std::thread::sleep(PAUSE_LOOK_EVERY);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until what was seen or done is on stable storage, where replies wait for that.
    fn wait_durable(&self, lsn: Lsn) -> Result<(), MigrateError> {
        if lsn > Lsn::ZERO && waits_for_storage(self.context) {
            self.context.engine().wait_durable_blocking(lsn)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    fn parsed(words: &[&str]) -> Result<Plan, String> {
        let request: OwnedRequest = words.iter().copied().collect();
        Plan::parse(request.as_args(), 3).map_err(|error| error.to_string())
    }

    #[test]
    fn a_plan_is_read_from_its_options() {
        let plan = parsed(&[
            "MIGRATE", "h", "6379", "", "9", "0", "copy", "REPLACE", "AUTH2", "user", "word", "KEYS", "a",
            "COPY",
        ]);
        let plan = plan.expect("valid");
        assert!(plan.copy && plan.replace);
        assert_eq!(plan.credentials, [b"user".to_vec(), b"word".to_vec()]);
        assert_eq!(plan.keys, [b"a".to_vec(), b"COPY".to_vec()]);
        assert_eq!((plan.from, plan.to, plan.timeout), (3, 9, TIMEOUT_DEFAULT));
        let plan = parsed(&["MIGRATE", "h", "6379", "k", "0", "50", "AUTH", "KEYS"]).expect("valid");
        assert_eq!((plan.keys, plan.timeout), (vec![b"k".to_vec()], Duration::from_millis(50)));
        assert_eq!(plan.credentials, [b"KEYS".to_vec()]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let empty = "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string";
        let integer = "ERR value is not an integer or out of range";
        for (words, error) in [
            (&["MIGRATE", "h", "1", "k", "0", "1", "KEYS", "a"][..], empty),
            (&["MIGRATE", "h", "1", "k", "0", "1", "MOVE"], "ERR syntax error"),
            (&["MIGRATE", "h", "1", "k", "0", "1", "AUTH"], "ERR syntax error"),
            (&["MIGRATE", "h", "1", "k", "0", "1", "AUTH2", "u"], "ERR syntax error"),
            (&["MIGRATE", "h", "1", "k", "0", "x"], integer),
            (&["MIGRATE", "h", "1", "k", "x", "1"], integer),
        ] {
            assert_eq!(parsed(words), Err(error.to_owned()), "{words:?}");
        }
    }
}
