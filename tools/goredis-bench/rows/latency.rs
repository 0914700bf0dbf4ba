//! Latency while snapshots are taken back to back, under a load that both servers can bear.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use goredis::resp::Value;

use super::{Row, strings};
use crate::bench::{Bench, Measured, VALUE_BYTES, say, say_filling};
use crate::control::Control;
use crate::error::BenchError;
use crate::interrupt;
use crate::load::{Command, Load, Pace};
use crate::results::{Quantity, Workload};
use crate::servers::{Program, Server};

pub(super) const METHOD: &str = "The maximal load is the smaller of what the two servers bear with a pipeline of 16 \
     (one thread each, 50 clients, values of 64 bytes); half of it is put on both, in an open loop: requests are sent \
     when they are due, whatever the server does, and latencies count from then. Meanwhile GoRedis takes snapshots \
     back to back; Redis does nothing beside.";

const PIPELINE: usize = 16;

/// Time between two looks at whether a snapshot is finished.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

pub(super) fn measure(bench: &mut Bench) -> Result<(), BenchError> {
    let data = strings(bench.options.usual_keys());
    bench.check_disk(data.keys)?;
    say_filling(Row::Latency);
    let set = Command::Set { value_bytes: VALUE_BYTES };
    let servers = bench.start_all(&bench.usual_contenders())?;
    for server in &servers {
        bench.fill(server, set, data)?;
    }
    bench.settle()?;
    for (name, command) in [("GET", Command::Get), ("SET", set)] {
        let flat = bench.load(command, data, PIPELINE);
        let mut maximum = f64::INFINITY;
        for server in &servers {
            maximum = maximum.min(flat.run(server)?.throughput());
        }
        let rate = (maximum / 2.0 / 1000.0).floor().max(1.0) * 1000.0;
        let workload = Workload {
            row: Row::Latency,
            name: format!("{name}, pipeline {PIPELINE}, {rate:.0} ops/s"),
            decides: Quantity::P999,
            goal: None,
        };
        let steady = Load { pace: Pace::Steady { rate, time: bench.options.time() }, ..flat };
        compare(bench, &workload, &servers, &steady)?;
    }
    Ok(())
}

fn compare(
    bench: &mut Bench,
    workload: &Workload,
    servers: &[Server],
    load: &Load,
) -> Result<(), BenchError> {
    say(workload);
    for _ in 0..bench.options.rounds() {
        for server in servers {
            let compaction = match server.contender().program {
                Program::GoRedis => Some(Compaction::begin(server)?),
                Program::Redis => None,
            };
            let measured = Measured::of(server, load)?;
            let snapshots = compaction.map_or(Ok(0), Compaction::end)?;
            bench.note(workload, server, &measured)?;
            bench.results.entry(workload, server.contender()).add(Quantity::Snapshots, snapshots.into());
        }
    }
    Ok(())
}

/// Snapshots back to back, asked for by a thread of its own until the end.
#[derive(Debug)]
struct Compaction {
    ends: Arc<AtomicBool>,
    /// `None` when it has been joined.
    thread: Option<JoinHandle<Result<u32, BenchError>>>,
}

impl Compaction {
    /// Asks for the first one.
    fn begin(server: &Server) -> Result<Self, BenchError> {
        let mut control = server.control()?;
        let before = saves(&mut control)?;
        ask(&mut control)?;
        let ends = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let ends = Arc::clone(&ends);
            move || go_on(&mut control, before, &ends)
        });
        Ok(Self { ends, thread: Some(thread) })
    }

    /// Asks for no more, waits for the last one, and tells how many were finished.
    fn end(mut self) -> Result<u32, BenchError> {
        self.join()
    }

    fn join(&mut self) -> Result<u32, BenchError> {
        // Relaxed: a flag of its own.
        self.ends.store(true, Ordering::Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(0),
            Some(Ok(end)) => end,
            Some(Err(_panic)) => Err(BenchError::Generator(io::Error::other("a thread panicked"))),
        }
    }
}

impl Drop for Compaction {
    fn drop(&mut self) {
        // Why: an error of this one follows from the error that came first.
        let _ = self.join();
    }
}

fn go_on(control: &mut Control, before: u32, ends: &AtomicBool) -> Result<u32, BenchError> {
    let mut last = before;
    loop {
        interrupt::sleep(LOOK_INTERVAL)?;
        let now = saves(control)?;
        if now == last {
            continue;
        }
        if ends.load(Ordering::Relaxed) {
            return Ok(now - before);
        }
        last = now;
        ask(control)?;
    }
}

/// Asks for a snapshot; after the one that may be running, which the server can have begun by itself.
fn ask(control: &mut Control) -> Result<(), BenchError> {
    control.ask(&["BGSAVE", "SCHEDULE"]).map(drop)
}

/// How many snapshots the server has finished.
fn saves(control: &mut Control) -> Result<u32, BenchError> {
    let status = control.info("persistence", "rdb_last_bgsave_status")?;
    let count = control.info("persistence", "rdb_saves")?;
    match count.parse() {
        Ok(count) if status == "ok" => Ok(count),
        _ => {
            Err(control.wrong("INFO", &Value::Simple(format!("{status}, {count}")), "snapshots that succeed"))
        }
    }
}
