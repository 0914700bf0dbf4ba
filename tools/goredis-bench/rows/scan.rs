//! SCAN for the keys of one prefix among many others.

use std::time::Instant;

use goredis::resp::Value;

use super::{Row, counted, strings};
use crate::bench::{Bench, VALUE_BYTES, say, say_filling};
use crate::control::Control;
use crate::error::BenchError;
use crate::load::{Command, DataSet};
use crate::results::{Goal, Quantity, Workload};

pub(super) const METHOD: &str = "The whole iteration, from cursor 0 to cursor 0, of SCAN with MATCH and COUNT 1000, \
     by one client; that it finds all the keys of the prefix is checked.";

pub(super) fn measure(bench: &mut Bench) -> Result<(), BenchError> {
    let others = strings(bench.options.keys());
    let sought = DataSet { name: b"few:", keys: 1000 };
    bench.check_disk(others.keys)?;
    say_filling(Row::Scan);
    let set = Command::Set { value_bytes: VALUE_BYTES };
    let servers = bench.start_all(&bench.usual_contenders())?;
    for server in &servers {
        bench.fill(server, set, others)?;
        bench.fill(server, set, sought)?;
    }
    bench.settle()?;
    let workload = Workload {
        row: Row::Scan,
        name: format!("1,000 keys of a prefix among {}", counted(others.keys)),
        decides: Quantity::Millis,
        goal: Some(Goal::AtMost(1.0)),
    };
    say(&workload);
    for _ in 0..bench.options.rounds() {
        for server in &servers {
            let mut control = server.control()?;
            let begun = Instant::now();
            let found = scan(&mut control, "few:*")?;
            let millis = begun.elapsed().as_secs_f64() * 1e3;
            if found != sought.keys {
                return Err(control.wrong("SCAN", &Value::Int(found as i64), "1000 keys"));
            }
            bench.note_figure(&workload, server, millis);
        }
    }
    Ok(())
}

/// Iterates over the keys that match `pattern`, and counts them.
fn scan(control: &mut Control, pattern: &str) -> Result<u64, BenchError> {
    let mut cursor = "0".to_owned();
    let mut found = 0;
    loop {
        let reply = control.ask(&["SCAN", &cursor, "MATCH", pattern, "COUNT", "1000"])?;
        let Value::Array(parts) = &reply else {
            return Err(control.wrong("SCAN", &reply, "a cursor and keys"));
        };
        let [next, Value::Array(keys)] = parts.as_slice() else {
            return Err(control.wrong("SCAN", &reply, "a cursor and keys"));
        };
        cursor = String::from_utf8_lossy(next.as_bytes().unwrap_or_default()).into_owned();
        found += keys.len() as u64;
        if cursor == "0" {
            return Ok(found);
        }
    }
}
