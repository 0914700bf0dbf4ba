//! TIME and LOLWUT.

use crate::command::call::{Call, CommandError};
use crate::command::context::{GOREDIS_VERSION, REDIS_VERSION};
use std::time::{SystemTime, UNIX_EPOCH};

/// TIME
pub fn time(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    call.reply.array(2);
    call.reply.bulk_int(now.as_secs() as i64);
    call.reply.bulk_int(i64::from(now.subsec_micros()));
    Ok(())
}

/// `LOLWUT [VERSION version] [...]`: what follows is for other drawings, and passed over.
pub fn lolwut(call: &mut Call<'_, '_>) -> Result<(), CommandError> {
    let drawing = skyline(call.context.identity.run_id.as_bytes());
    let text = format!("{drawing}Redis ver. {REDIS_VERSION}, GoRedis ver. {GOREDIS_VERSION}\n");
    call.reply.verbatim(*b"txt", &text);
    Ok(())
}

/// The towers of a town by night, one per digit of the id of this run.
fn skyline(digits: &[u8]) -> String {
    const FLOORS: u32 = 8;
    let heights: Vec<u32> =
        digits.iter().map(|digit| char::from(*digit).to_digit(16).unwrap_or(0) / 2).collect();
    let mut drawing = String::new();
    for floor in (0..FLOORS).rev() {
        let tower = |height: &u32| if *height >= floor { '#' } else { ' ' };
        let row: String = heights.iter().map(tower).collect();
        drawing.push_str(row.trim_end());
        drawing.push('\n');
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::context::fixture::Fixture;

    #[test]
    fn time_is_seconds_and_microseconds() {
        let reply = Fixture::new().run(time, "TIME");
        let numbers: Vec<u64> = reply.lines().filter_map(|line| line.parse().ok()).collect();
        assert!(reply.starts_with("*2\r\n$10\r\n"));
        assert!(numbers[0] > 1_600_000_000 && numbers[1] < 1_000_000);
    }

    #[test]
    fn lolwut_draws_and_tells_the_version() {
        let reply = Fixture::new().run(lolwut, "LOLWUT VERSION 5 1 1 1");
        assert!(reply.contains("Redis ver. 7.2.4"));
        assert_eq!(skyline(b"0f"), format!("{}##\n", " #\n".repeat(7)));
    }
}
