//! The engine's protocols under the shuttle model checker: the real engine in memory, without its threads.
//!
//! See `store::interleavings` for how the models are run and repeated. Each plays two to four short transactions
//! against each other; then the history is checked (`history`: the log's order explains what everybody read), what
//! the engine holds is compared with what the history ends with, and whatever a transaction saw must have been
//! committed in the log itself when it returned, or else a kill takes back what somebody was told.
//!
//! What each step is there for was shown by taking it out:
//!
//! | taken out | fails |
//! |---|---|
//! | who meets a version that is not marked committed marks its record | nearly all of `writes`, `cells`, `root` and `transactions` |
//! | ... the record before the version, by its owner and by helpers | `increments_are_not_lost_and_what_is_read_is_committed` and more |
//! | a write to one key looks at the root again | `a_write_comes_before_a_flush_or_stays` and more |
//! | a write to several keys looks at the root again | `databases_that_change_places_do_so_between_transactions` |
//! | a read looks at the root again | `databases_that_change_places_do_so_between_transactions` and more |
//! | a read of several keys looks at them again | `a_reader_of_two_keys_sees_a_transaction_whole_or_not_at_all` and more |
//! | what is only read is installed too | `two_transactions_that_read_what_the_other_writes_come_one_after_the_other` and more |
//! | an undecided transaction is aborted before it is replaced | crashes: its descriptor is freed while it is installed |
//! | a descriptor that leaves raises the word's count | `what_a_transaction_read_is_not_overwritten_by_an_earlier_record_of_one_key` and more |
//! | ... and a transaction of several keys heeds it where it writes | `what_a_transaction_read_is_not_overwritten_by_an_earlier_record_of_several_keys` and more |
//! | who runs alone waits for the writes in flight | `databases_that_change_places_do_so_between_transactions` |
//! | a root that is not installed yet leads to the one before | `keys_and_databases_change_in_one_instant` |
//! | a root is installed before its keys are tidied | `keys_and_databases_change_in_one_instant` |
//! | a writer takes no dead cell | `a_write_to_a_cell_that_is_being_swept_is_not_lost` |
//! | a second look takes no dead cell | `a_reader_that_looks_twice_does_not_take_a_dead_cell_for_an_absent_key` |
//! | a cell that a transaction passes through stays a candidate | `a_cell_that_a_transaction_passed_through_is_swept_later` |
//! | a key that was faster than the expirer keeps its timer | `a_key_that_is_set_again_when_its_time_has_come_is_removed_when_that_has` and more |

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
