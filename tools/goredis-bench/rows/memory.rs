//! Resident memory per key, from the system's own accounting.

use super::Row;
use super::{counted, strings};
use crate::bench::{Bench, say};
use crate::error::BenchError;
use crate::load::Command;
use crate::results::{Goal, Quantity, Workload};
use crate::servers::Contender;

pub(super) const METHOD: &str = "Resident memory after a fill of 16-byte keys less that before, over the keys. What \
     a file stands behind (GoRedis maps the end of its log) is resident, but the system may drop it: the second \
     figure is without it. A new server for each figure.";

const VALUE_SIZES: [usize; 3] = [16, 48, 64];

/// Longer than any run.
const SECONDS_TO_LIVE: u32 = 1_000_000;

pub(super) fn measure(bench: &mut Bench) -> Result<(), BenchError> {
    let data = strings(bench.options.usual_keys());
    bench.check_disk(data.keys)?;
    let mut contenders = bench.usual_contenders().to_vec();
    contenders.push(Contender::goredis_in_memory(bench.options.server_threads));
    for value_bytes in VALUE_SIZES {
        let plain = Command::Set { value_bytes };
        let mortal = Command::SetEx { value_bytes, seconds: SECONDS_TO_LIVE };
        for (with, command) in [("", plain), (", with TTL", mortal)] {
            let workload = Workload {
                row: Row::Memory,
                name: format!("{} keys, values of {value_bytes} bytes{with}", counted(data.keys)),
                decides: Quantity::Resident,
                goal: Some(Goal::Less),
            };
            say(&workload);
            for _ in 0..bench.options.rounds() {
                for contender in &contenders {
                    let server = bench.start(contender)?;
                    let before = server.memory()?;
                    bench.fill(&server, command, data)?;
                    bench.settle()?;
                    let after = server.memory()?;
                    let per_key =
                        |before: u64, after: u64| after.saturating_sub(before) as f64 / data.keys as f64;
                    let entry = bench.results.entry(&workload, contender);
                    entry.add(Quantity::Resident, per_key(before.resident, after.resident));
                    entry.add(Quantity::Anonymous, per_key(before.anonymous, after.anonymous));
                }
            }
        }
    }
    Ok(())
}
