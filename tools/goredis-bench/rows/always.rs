//! What it costs to be on the disk before the reply.

use super::{Row, strings};
use crate::bench::{Bench, VALUE_BYTES, say_filling};
use crate::error::BenchError;
use crate::load::Command;
use crate::results::{Goal, Quantity, Workload};
use crate::servers::Contender;

pub(super) const METHOD: &str = "SET, one at a time, 50 clients, values of 64 bytes, on the disk that the report's \
     folder is on; a file system in memory would make the figures meaningless.";

pub(super) fn measure(bench: &mut Bench) -> Result<(), BenchError> {
    let data = strings(bench.options.usual_keys());
    bench.check_disk(data.keys)?;
    say_filling(Row::Always);
    let set = Command::Set { value_bytes: VALUE_BYTES };
    let contenders = [Contender::redis_always(), Contender::goredis_always(bench.options.server_threads)];
    let servers = bench.start_all(&contenders)?;
    for server in &servers {
        bench.fill(server, set, data)?;
    }
    bench.settle()?;
    let workload = Workload {
        row: Row::Always,
        name: "SET, pipeline 1".to_owned(),
        decides: Quantity::Throughput,
        goal: Some(Goal::RatioAtLeast(1.5)),
    };
    bench.compare(&workload, &servers, &bench.load(set, data, 1))
}
