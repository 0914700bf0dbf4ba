//! What a second thread brings.

use super::{Row, strings};
use crate::bench::{Bench, VALUE_BYTES, say_filling};
use crate::error::BenchError;
use crate::load::{Command, Load};
use crate::results::{Goal, Quantity, Workload};
use crate::servers::Contender;

pub(super) const METHOD: &str = "Two threads of the server, two of the load generator, 50 clients, pipeline of 16, \
     values of 64 bytes; the ratio is to the faster of Redis's two. With fewer than four cores the generator takes \
     processor time that the servers could use.";

const THREADS: u16 = 2;
const PIPELINE: usize = 16;

pub(super) fn measure(bench: &mut Bench) -> Result<(), BenchError> {
    let data = strings(bench.options.usual_keys());
    bench.check_disk(data.keys)?;
    say_filling(Row::Threads);
    let set = Command::Set { value_bytes: VALUE_BYTES };
    let contenders = [Contender::redis(), Contender::redis_io_threads(THREADS), Contender::goredis(THREADS)];
    let servers = bench.start_all(&contenders)?;
    for server in &servers {
        bench.fill(server, set, data)?;
    }
    bench.settle()?;
    for (name, command) in [("GET", Command::Get), ("SET", set)] {
        let workload = Workload {
            row: Row::Threads,
            name: format!("{name}, pipeline {PIPELINE}"),
            decides: Quantity::Throughput,
            goal: Some(Goal::RatioAtLeast(1.8)),
        };
        let load = Load { threads: usize::from(THREADS), ..bench.load(command, data, PIPELINE) };
        bench.compare(&workload, &servers, &load)?;
    }
    Ok(())
}
