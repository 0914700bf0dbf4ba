//! CPU per operation: the figure that moves least with whatever else a machine does.

use super::{Row, strings};
use crate::bench::{Bench, VALUE_BYTES, say_filling};
use crate::error::BenchError;
use crate::load::{Command, DataSet};
use crate::results::{Goal, Quantity, Workload};
use crate::servers::Contender;

pub(super) const METHOD: &str = "50 clients, random keys that exist, values of 64 bytes, INCR on counters of their \
     own. CPU is the server's user and system time of all its threads, compaction included.";

const PIPELINES: [usize; 3] = [1, 16, 64];

pub(super) fn measure(bench: &mut Bench) -> Result<(), BenchError> {
    let keys = bench.options.usual_keys();
    let mut contenders = bench.usual_contenders().to_vec();
    if bench.options.all_modes {
        contenders.push(Contender::redis_logging());
        contenders.push(Contender::goredis_in_memory(bench.options.server_threads));
    }
    bench.check_disk(2 * keys)?;
    say_filling(Row::Cpu);
    let set = Command::Set { value_bytes: VALUE_BYTES };
    let counters = DataSet { name: b"num:", keys };
    let servers = bench.start_all(&contenders)?;
    for server in &servers {
        bench.fill(server, set, strings(keys))?;
        bench.fill(server, Command::SetOne, counters)?;
    }
    bench.settle()?;
    let commands = [
        ("GET", Command::Get, strings(keys)),
        ("SET", set, strings(keys)),
        ("INCR", Command::Incr, counters),
    ];
    for (name, command, data) in commands {
        for pipeline in PIPELINES {
            let workload = Workload {
                row: Row::Cpu,
                name: format!("{name}, pipeline {pipeline}"),
                decides: Quantity::CpuPerOperation,
                goal: goal(command, pipeline),
            };
            bench.compare(&workload, &servers, &bench.load(command, data, pipeline))?;
        }
    }
    Ok(())
}

fn goal(command: Command, pipeline: usize) -> Option<Goal> {
    match (command, pipeline) {
        (Command::Incr, 1) => None,
        (_, 1) => Some(Goal::RatioAtMost(0.90)),
        (Command::Get, _) => Some(Goal::RatioAtMost(0.40)),
        _ => Some(Goal::RatioAtMost(0.50)),
    }
}
