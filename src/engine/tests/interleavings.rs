//! The engine's protocols under the shuttle model checker: the real engine in memory, without its threads.
//!
//! See `store::interleavings` for how the models are run and repeated. Each plays two to four short transactions
//! against each other; then the history is checked (`history`: the log's order explains what everybody read), what
//! the engine holds is compared with what the history ends with, and whatever a transaction saw must have been
//! committed in the log itself when it returned, or else a kill takes back what somebody was told.
//!
//! What each step is there for was shown by taking it out:
//!
//! | taken out | models that fail |
//! |---|---|

mod cells;
mod root;
mod transactions;
mod writes;

use std::sync::{Arc, Mutex};

use super::history::{Event, Key, State, Tape, Ticks, check, dump, run};
use crate::engine::{DbIndex, Engine, EngineOptions};
use crate::log::{Location, LogOptions};
use crate::lsn::Lsn;
use crate::store::interleavings::{explore, play};
use crate::store::keyspace::Keyspace;

const DATABASES: DbIndex = 2;

/// One run of a model.
#[derive(Clone)]
struct Scene {
    engine: Arc<Engine>,
    ticks: Arc<Ticks>,
    start: State,
    events: Arc<Mutex<Vec<Event>>>,
}

/// Something that a thread of the model does.
type Part = Box<dyn FnOnce() + Send>;

impl Scene {
    /// An engine that holds these numbers.
    fn new(numbers: &[(DbIndex, Key, i64)]) -> Self {
        let log = LogOptions {
            memory_segment_bytes: 8192,
            memory_retained_bytes: 16_384,
            blob_bytes: 4096,
            payload_bytes_max: 4096,
            ..LogOptions::new(Location::Memory)
        };
        let options = EngineOptions { databases: DATABASES, ..EngineOptions::new(log) };
        let (engine, _) = Engine::recover(options, &|_| {}).unwrap();
        let ticks = Arc::new(Ticks::default());
        for &(db, key, number) in numbers {
            run(&engine, &ticks, false, |tape| tape.set_number(db, key, number));
        }
        let start = dump(&engine, DATABASES);
        Self { engine, ticks, start, events: Arc::default() }
    }

    fn record(&self, alone: bool, body: impl FnMut(&mut Tape<'_, '_>)) {
        let event = run(&self.engine, &self.ticks, alone, body);
        assert!(
            event.lsn == Lsn::ZERO || self.engine.log.is_committed(event.lsn),
            "a kill now would take back what was seen: {event:?}"
        );
        self.events.lock().unwrap().push(event);
    }

    /// Runs a transaction.
    fn run(&self, body: impl FnMut(&mut Tape<'_, '_>)) {
        self.record(false, body);
    }

    /// Runs a transaction alone.
    fn alone(&self, body: impl FnMut(&mut Tape<'_, '_>)) {
        self.record(true, body);
    }

    /// A thread that does `part`.
    fn part(&self, part: impl FnOnce(&Self) + Send + 'static) -> Part {
        let scene = self.clone();
        Box::new(move || part(&scene))
    }

    fn keyspace(&self, db: DbIndex) -> Arc<Keyspace> {
        Arc::clone(&self.engine.root.load(&crossbeam_epoch::pin()).keyspaces[usize::from(db)])
    }

    /// Plays the parts against each other, and checks what came of it.
    fn play(self, parts: Vec<Part>) {
        play(parts);
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        let end = check(self.start, &events).unwrap_or_else(|reason| panic!("{reason}"));
        assert_eq!(dump(&self.engine, DATABASES), end, "after {events:#?}");
    }
}
