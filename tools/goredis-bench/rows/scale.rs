//! What a hundred times the keys cost a GET.

use super::{Row, counted, strings};
use crate::bench::{Bench, Measured, VALUE_BYTES, say, say_filling};
use crate::error::BenchError;
use crate::load::Command;
use crate::results::{Goal, Quantity, Workload};

pub(super) const METHOD: &str = "GET with a pipeline of 64, 50 clients, values of 64 bytes. The factor is CPU per \
     operation among the many keys over that among the few, of the same round.";

const PIPELINE: usize = 64;

/// The larger data set is so many times the smaller.
const TIMES: u64 = 100;

pub(super) fn measure(bench: &mut Bench) -> Result<(), BenchError> {
    let many = strings(bench.options.keys());
    let few = strings(many.keys / TIMES);
    bench.check_disk(many.keys)?;
    say_filling(Row::Scale);
    let set = Command::Set { value_bytes: VALUE_BYTES };
    let mut servers = Vec::new();
    for contender in bench.usual_contenders() {
        let pair = [(few, bench.start(&contender)?), (many, bench.start(&contender)?)];
        for (data, server) in &pair {
            bench.fill(server, set, *data)?;
        }
        servers.push(pair);
    }
    bench.settle()?;
    let workload = |name, decides, goal| Workload { row: Row::Scale, name, decides, goal };
    let among = |keys| workload(format!("GET among {} keys", counted(keys)), Quantity::CpuPerOperation, None);
    let factor = workload(
        format!("{} keys against {}", counted(many.keys), counted(few.keys)),
        Quantity::Factor,
        Some(Goal::AtMost(1.3)),
    );
    say(&factor);
    for _ in 0..bench.options.rounds() {
        for pair in &servers {
            let mut costs = [0.0; 2];
            for ((data, server), cost) in pair.iter().zip(&mut costs) {
                let measured = Measured::of(server, &bench.load(Command::Get, *data, PIPELINE))?;
                bench.note(&among(data.keys), server, &measured)?;
                *cost = measured.cpu_per_operation();
            }
            let [cost_of_few, cost_of_many] = costs;
            // Why: a run too short for the system's clock has no cost, and nothing is a multiple of that.
            if cost_of_few > 0.0 {
                bench.note_figure(&factor, &pair[0].1, cost_of_many / cost_of_few);
            }
        }
    }
    Ok(())
}
