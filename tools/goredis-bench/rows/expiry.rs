//! What an expiry costs, setting and fulfilling it.

use std::time::{Duration, Instant};

use super::{Row, strings};
use crate::bench::{Bench, Measured, VALUE_BYTES, say, say_filling};
use crate::error::BenchError;
use crate::interrupt;
use crate::load::{Command, DataSet, Load, Pace};
use crate::results::{Goal, Quantity, Workload};
use crate::servers::Server;

pub(super) const METHOD: &str = "SET with EX, pipeline of 16, 50 clients, values of 64 bytes: on keys that exist and \
     have an expiry far away, and on new keys that live for a second; of these, CPU is counted until the server holds \
     no key any more.";

const PIPELINE: usize = 16;

/// Longest time that a server may take to be rid of expired keys.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn measure(bench: &mut Bench) -> Result<(), BenchError> {
    let data = strings(bench.options.usual_keys());
    bench.check_disk(data.keys)?;
    say_filling(Row::Expiry);
    let workload = |name: &str| Workload {
        row: Row::Expiry,
        name: name.to_owned(),
        decides: Quantity::CpuPerOperation,
        goal: Some(Goal::RatioAtMost(0.70)),
    };
    let set = |seconds| Command::SetEx { value_bytes: VALUE_BYTES, seconds };
    let servers = bench.start_all(&bench.usual_contenders())?;
    for server in &servers {
        bench.fill(server, set(100_000), data)?;
    }
    bench.settle()?;
    let refreshing = bench.load(set(100_000), data, PIPELINE);
    bench.compare(&workload("SET EX, keys that exist"), &servers, &refreshing)?;

    // Why new servers: keys that do not expire would change what the search for expired ones costs.
    drop(servers);
    let servers = bench.start_all(&bench.usual_contenders())?;
    let (vanishing, workload) =
        (DataSet { name: b"new:", ..data }, workload("SET EX 1, new keys, until they are gone"));
    let load = Load { pace: Pace::EachKeyOnce, ..bench.load(set(1), vanishing, PIPELINE) };
    say(&workload);
    for _ in 0..bench.options.rounds() {
        for server in &servers {
            let before = server.cpu_time()?;
            let outcome = load.run(server)?;
            wait_until_empty(server)?;
            let server_cpu = server.cpu_time()?.saturating_sub(before);
            let cost = Measured { outcome, server_cpu }.cpu_per_operation();
            bench.note_figure(&workload, server, cost);
        }
    }
    Ok(())
}

fn wait_until_empty(server: &Server) -> Result<(), BenchError> {
    let mut control = server.control()?;
    let begun = Instant::now();
    while control.key_count()? > 0 {
        if begun.elapsed() > PATIENCE {
            return Err(BenchError::TooLong { what: "expired keys to go", seconds: PATIENCE.as_secs() });
        }
        interrupt::sleep(Duration::from_millis(50))?;
    }
    Ok(())
}
