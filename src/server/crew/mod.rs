//! How many of the runtime's threads are at work: as many as the load needs, and not one more.
//!
//! Every thread that is woken to share a little work costs more than it saves: with 50 clients that send one
//! command at a time, two threads need a sixth more CPU per command than one. So threads rest until they are
//! needed: a resting thread sleeps inside a task of its own, and the runtime, which takes it for busy, wakes the
//! others only. A thread that is called back steals what waits, as any thread does that has run out of work.
//!
//! And where threads are in each other's way, because all of them write one key, fewer get as much done with less: see
//! [`contention`].
//!
//! A watch of its own (no thread of the runtime could do it) looks at the runtime's own figures, and asks
//! [`judge`] what they mean. It looks more often while there is something to do, so a command that takes long
//! holds up the clients of its thread for a few milliseconds at most, until another thread takes over.
//!
//! | who | does |
//! |---|---|
//! | the watch | decides how many rest, sends them to rest one by one, calls them back |
//! | a thread of the runtime | rests in [`Shared::rest`] until fewer are to rest than do |
//!
//! Invariant: fewer threads rest than there are, so one always serves.

mod contention;
mod judge;

pub(super) use contention::Work;
use judge::{Advice, Judge, Look};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};
use tokio::runtime::{Handle, RuntimeMetrics};

/// Time between two looks while there is work.
const LOOK_EVERY_BUSY: Duration = Duration::from_millis(10);

/// Time between two looks while there is none.
const LOOK_EVERY_IDLE: Duration = Duration::from_millis(100);

/// Decides how many threads of a runtime work, until it is dropped; then all do.
pub(super) struct Crew {
    shared: Arc<Shared>,
    watch: Option<JoinHandle<()>>,
}

/// What was done so far.
type Figures = Box<dyn Fn() -> Work + Send>;

struct Shared {
    /// What a thread does before it rests: let go of what others may need.
    before_rest: Box<dyn Fn() + Send + Sync>,
    state: Mutex<State>,
    /// Threads that rest wait here.
    fewer_rest: Condvar,
    /// The watch waits here between two looks.
    stopping: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Threads that are to rest.
    wanted: usize,
    /// Threads that rest.
    resting: usize,
    /// A thread was sent to rest and does not yet.
    sent: bool,
    stopping: bool,
}

impl Shared {
    /// A panic elsewhere leaves the state whole: each change is one store.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rests, on a thread of the runtime, for as long as it is one of those that are to.
    fn rest(&self) {
        (self.before_rest)();
        let mut state = self.lock();
        state.sent = false;
        state.resting += 1;
        while !state.stopping && state.resting <= state.wanted {
            state = self.fewer_rest.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.resting -= 1;
    }

    /// Sleeps until the next look; tells whether there is one.
    fn sleep(&self, time: Duration) -> bool {
        let state = self.lock();
        let waited = self.stopping.wait_timeout_while(state, time, |state| !state.stopping);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !state.stopping
    }
}

impl Crew {
    /// Watches over the threads of the runtime behind `runtime`. `before_rest` is called by each that goes to rest,
    /// `figures` tells what was done so far.
    ///
    /// # Errors
    /// The watch cannot be started; all threads work.
    pub(super) fn start(
        runtime: Handle,
        before_rest: impl Fn() + Send + Sync + 'static,
        figures: impl Fn() -> Work + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            before_rest: Box::new(before_rest),
            state: Mutex::default(),
            fewer_rest: Condvar::new(),
            stopping: Condvar::new(),
        });
        let figures = Box::new(figures);
        let watch = Watch { shared: Arc::clone(&shared), metrics: runtime.metrics(), runtime, figures };
        let builder = thread::Builder::new().name("goredis-crew".to_owned());
        let watch = builder.spawn(move || watch.run())?;
        Ok(Self { shared, watch: Some(watch) })
    }

    /// How many threads rest.
    #[cfg(test)]
    fn resting(&self) -> usize {
        self.shared.lock().resting
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.fewer_rest.notify_all();
        self.shared.stopping.notify_all();
        if let Some(watch) = self.watch.take()
            && watch.join().is_err()
        {
            tracing::error!("the watch over the threads had panicked");
        }
    }
}

/// The thread that looks and decides.
struct Watch {
    shared: Arc<Shared>,
    runtime: Handle,
    metrics: RuntimeMetrics,
    figures: Figures,
}

impl Watch {
    fn run(self) {
        let threads = self.metrics.num_workers();
        let mut judge = Judge::new(threads, Instant::now());
        while self.shared.sleep(if judge.is_idle() { LOOK_EVERY_IDLE } else { LOOK_EVERY_BUSY }) {
            let look = self.look();
            match judge.judge(&look, Instant::now()) {
                Advice::Stay => {}
                Advice::Rest => self.send_to_rest(threads),
                Advice::Call { threads } => self.call_back(threads),
            }
        }
    }

    fn look(&self) -> Look {
        let workers = 0..self.metrics.num_workers();
        Look {
            resting: self.shared.lock().resting,
            parks: workers.clone().map(|worker| self.metrics.worker_park_unpark_count(worker)).collect(),
            busy: workers.map(|worker| self.metrics.worker_total_busy_duration(worker)).collect(),
            work: (self.figures)(),
        }
    }

    /// Has one more thread rest, unless one is on its way or no other would be left.
    fn send_to_rest(&self, threads: usize) {
        {
            let mut state = self.shared.lock();
            if state.sent || state.resting + 1 >= threads {
                return;
            }
            state.sent = true;
            state.wanted = state.resting + 1;
        }
        let shared = Arc::clone(&self.shared);
        self.runtime.spawn(async move {
            leave_tasks_to_others();
            shared.rest();
        });
        // Why: the thread may have taken other tasks along; a thread that wakes for this one steals them.
        self.runtime.spawn(async {});
    }

    fn call_back(&self, threads: usize) {
        let mut state = self.shared.lock();
        state.wanted = state.resting.saturating_sub(threads);
        drop(state);
        self.shared.fewer_rest.notify_all();
    }
}

/// Puts the task that the calling thread of the runtime is to run next, out of turn, among those that wait for it.
///
/// Why: others steal what waits as soon as they have nothing else to do (and if they always have, the watch calls the
/// thread back), but never that one. A newer one takes its place.
fn leave_tasks_to_others() {
    tokio::spawn(async {});
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn until(what: &str, reached: impl Fn() -> bool) {
        let started = Instant::now();
        while !reached() {
            assert!(started.elapsed() < Duration::from_secs(30), "not reached: {what}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn runtime() -> tokio::runtime::Runtime {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(3).enable_all().build().expect("a runtime")
    }

    /// A client once got no reply for as long as one thread was enough: its task waited for the thread that went to rest,
    /// and no other stole it.
    #[test]
    fn a_thread_that_goes_to_rest_leaves_no_task_behind() {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        // Why: the order to rest is then taken before the thread's own tasks most of the time.
        let runtime =
            builder.worker_threads(2).global_queue_interval(2).enable_all().build().expect("a runtime");
        let shared = Arc::new(Shared {
            before_rest: Box::new(|| ()),
            state: Mutex::default(),
            fewer_rest: Condvar::new(),
            stopping: Condvar::new(),
        });
        let watch = Watch {
            shared: Arc::clone(&shared),
            metrics: runtime.metrics(),
            runtime: runtime.handle().clone(),
            figures: Box::new(Work::default),
        };
        let turns: Vec<_> = (0..3).map(|_| Arc::new(AtomicU64::new(0))).collect();
        for turns in &turns {
            let (to_other, mut from_one) = tokio::sync::mpsc::unbounded_channel();
            let (reply, mut replies) = tokio::sync::mpsc::unbounded_channel();
            runtime.spawn(async move { while from_one.recv().await.is_some() && reply.send(()).is_ok() {} });
            let turns = Arc::clone(turns);
            runtime.spawn(async move {
                while to_other.send(()).is_ok() && replies.recv().await.is_some() {
                    // Why: a thread that never runs out of work steals none.
                    if turns.fetch_add(1, Ordering::Relaxed) % 16 == 0 {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
            });
        }
        let crew = Crew { shared: Arc::clone(&shared), watch: None };
        for _ in 0..200 {
            watch.send_to_rest(2);
            until("one rests", || shared.lock().resting == 1);
            for turns in &turns {
                let before = turns.load(Ordering::Relaxed);
                until("another turn", || turns.load(Ordering::Relaxed) > before);
            }
            watch.call_back(1);
            until("none rests", || shared.lock().resting == 0);
        }
        drop(crew);
        runtime.shutdown_background();
    }

    #[test]
    fn idle_threads_go_to_rest_but_for_one_and_all_work_again_in_the_end() {
        let runtime = runtime();
        let crew = Crew::start(runtime.handle().clone(), || (), Work::default).expect("a watch");
        until("two rest", || crew.resting() == 2);
        thread::sleep(LOOK_EVERY_IDLE * 3);
        assert_eq!(crew.resting(), 2);
        assert_eq!(runtime.block_on(async { tokio::spawn(async { 7 }).await.expect("a task runs") }), 7);
        let shared = Arc::clone(&crew.shared);
        drop(crew);
        until("none rests", || shared.lock().resting == 0);
    }

    #[test]
    fn a_thread_takes_over_from_one_that_does_not_come_back() {
        let runtime = runtime();
        let crew = Crew::start(runtime.handle().clone(), || (), Work::default).expect("a watch");
        until("two rest", || crew.resting() == 2);
        let (release, released) = std::sync::mpsc::channel::<()>();
        runtime.spawn(async move { released.recv() });
        let (done, is_done) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            done.send(()).expect("the test waits");
        });
        is_done.recv_timeout(Duration::from_secs(30)).expect("a second thread serves the timer");
        assert!(crew.resting() < 2);
        release.send(()).expect("the first thread waits");
        until("two rest again", || crew.resting() == 2);
    }
}
