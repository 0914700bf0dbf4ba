//! How long a server is away after it was killed.

use goredis::resp::Value;

use super::{Row, counted, strings};
use crate::bench::{Bench, VALUE_BYTES, say, say_filling};
use crate::error::BenchError;
use crate::load::Command;
use crate::results::{Goal, Quantity, Workload};
use crate::servers::Program;

pub(super) const METHOD: &str = "From the start of the process until it answers a PING, with the files in the page \
     cache: GoRedis with what kill -9 left of it, Redis with an RDB file that it was told to save before. That no key \
     is missing is checked.";

pub(super) fn measure(bench: &mut Bench) -> Result<(), BenchError> {
    let data = strings(bench.options.keys());
    bench.check_disk(data.keys)?;
    say_filling(Row::Recovery);
    let mut servers = bench.start_all(&bench.usual_contenders())?;
    for server in &servers {
        bench.fill(server, Command::Set { value_bytes: VALUE_BYTES }, data)?;
        if server.contender().program == Program::Redis {
            server.control()?.ask(&["SAVE"])?;
        }
    }
    let workload = Workload {
        row: Row::Recovery,
        name: format!("start with {} keys", counted(data.keys)),
        decides: Quantity::Seconds,
        goal: Some(Goal::RatioAtMost(0.5)),
    };
    say(&workload);
    for _ in 0..bench.options.rounds() {
        for server in &mut servers {
            server.kill();
            let took = server.restart()?;
            let mut control = server.control()?;
            let keys = control.key_count()?;
            if keys != data.keys {
                return Err(control.wrong("DBSIZE", &Value::Int(keys as i64), &data.keys.to_string()));
            }
            bench.note_figure(&workload, server, took.as_secs_f64());
        }
    }
    Ok(())
}
