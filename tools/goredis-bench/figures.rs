//! What the system says of processes and of the machine: everything that is read from `/proc`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::param::{clock_ticks_per_second, page_size};

use crate::error::BenchError;

/// Processor time of a process since its start, user's and system's together. It moves in steps of a clock tick,
/// usually 10 ms.
pub(crate) fn cpu_time(process: u32) -> Result<Duration, BenchError> {
    let path = PathBuf::from(format!("/proc/{process}/stat"));
    let ticks = cpu_ticks(&read(&path)?).ok_or_else(|| unreadable(&path))?;
    Ok(Duration::from_secs(ticks) / u32::try_from(clock_ticks_per_second()).unwrap_or(100))
}

/// User and system ticks in the text of `/proc/PID/stat`. The name, which may hold anything, ends with the last `)`.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Resident memory of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// All of it, in bytes.
    pub(crate) resident: u64,
    /// What of it no file stands behind, in bytes: without programs and a mapped log.
    pub(crate) anonymous: u64,
}

/// Resident memory of a process now.
pub(crate) fn memory(process: u32) -> Result<Memory, BenchError> {
    let path = PathBuf::from(format!("/proc/{process}/statm"));
    memory_of(&read(&path)?, page_size() as u64).ok_or_else(|| unreadable(&path))
}

fn memory_of(statm: &str, page_bytes: u64) -> Option<Memory> {
    let mut fields = statm.split_whitespace().skip(1);
    let resident: u64 = fields.next()?.parse().ok()?;
    let shared: u64 = fields.next()?.parse().ok()?;
    Some(Memory { resident: resident * page_bytes, anonymous: resident.saturating_sub(shared) * page_bytes })
}

/// The machine, as far as it matters for the figures.
#[derive(Debug)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    memory_gb: f64,
}

impl Machine {
    /// This machine.
    pub(crate) fn this() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let memory_kb = field(&text("/proc/meminfo"), "MemTotal")
            .and_then(|value| value.split_whitespace().next()?.parse().ok())
            .unwrap_or(0.0);
        Self {
            cpu: field(&text("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: cores(),
            kernel: text("/proc/sys/kernel/osrelease").trim().to_owned(),
            memory_gb: memory_kb / 1e6,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, kernel, memory_gb } = self;
        write!(f, "{cpu}, {cores} cores, {memory_gb:.1} GB of memory, Linux {kernel}")
    }
}

/// Cores that this program may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The value of the first line `name: value`.
fn field(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

fn read(path: &Path) -> Result<String, BenchError> {
    fs::read_to_string(path).map_err(BenchError::file("read", path))
}

fn unreadable(path: &Path) -> BenchError {
    BenchError::file("understand", path)(std::io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_brackets_does_not_shift_the_fields() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 10 0 0 0 123 45 0 0 20 0 4 0 100 1000 200";
        assert_eq!(cpu_ticks(stat), Some(168));
        assert_eq!(cpu_ticks("42 (short) S 1"), None);
    }

    #[test]
    fn mapped_files_are_told_from_other_memory() {
        let memory = memory_of("1000 300 120 5 0 400 0\n", 4096).expect("understood");
        assert_eq!(memory, Memory { resident: 300 * 4096, anonymous: 180 * 4096 });
    }

    #[test]
    fn this_process_has_used_time_and_memory() {
        let process = std::process::id();
        let memory = memory(process).expect("read");
        assert!(memory.resident > memory.anonymous && memory.anonymous > 0, "{memory:?}");
        cpu_time(process).expect("read");
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "model name extra\t: no\nmodel name\t: Some CPU\nmodel name\t: another\n";
        assert_eq!(field(text, "model name").as_deref(), Some("Some CPU"));
        assert_eq!(field(text, "model"), None);
    }
}
