//! What the operating system says of this process, for INFO and MEMORY.
//!
//! Read from `/proc`; a figure that cannot be read is 0.

use std::fs;
use std::time::Duration;

/// Bytes of memory that are resident now.
pub(super) fn resident_bytes() -> u64 {
    status_bytes("VmRSS:")
}

/// Bytes of memory of the machine.
pub(super) fn machine_bytes() -> u64 {
    kilobytes(&read("/proc/meminfo"), "MemTotal:")
}

/// Name, release and architecture, as `uname` tells them.
pub(super) fn system() -> String {
    let part = |name: &str| read(&format!("/proc/sys/kernel/{name}")).trim().to_owned();
    format!("{} {} {}", part("ostype"), part("osrelease"), std::env::consts::ARCH)
}

/// Processor time of the process and of children that it has waited for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CpuTimes {
    pub(super) user: Duration,
    pub(super) system: Duration,
    pub(super) children_user: Duration,
    pub(super) children_system: Duration,
}

/// Processor time used so far.
pub(super) fn cpu_times() -> CpuTimes {
    let (user, system) = usage(libc::RUSAGE_SELF);
    let (children_user, children_system) = usage(libc::RUSAGE_CHILDREN);
    CpuTimes { user, system, children_user, children_system }
}

/// User and system time of `who`.
fn usage(who: libc::c_int) -> (Duration, Duration) {
    // SAFETY: `rusage` is a C struct of integers, for which all zeros is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a live `rusage` of this function, which is all that getrusage writes to.
    let failed = unsafe { libc::getrusage(who, &raw mut usage) } != 0;
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    if failed { Default::default() } else { (time(usage.ru_utime), time(usage.ru_stime)) }
}

fn status_bytes(field: &str) -> u64 {
    kilobytes(&read("/proc/self/status"), field)
}

/// The figure behind `field` in a table of kilobytes, in bytes.
fn kilobytes(table: &str, field: &str) -> u64 {
    let line = table.lines().find_map(|line| line.strip_prefix(field));
    let figure = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    figure.unwrap_or(0) * 1024
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_this_process_are_plausible() {
        let (resident, machine) = (resident_bytes(), machine_bytes());
        assert!(resident > 1 << 16 && resident < machine, "{resident} of {machine}");
        assert!(system().starts_with("Linux "));
        let mut sum = 0_u64;
        while cpu_times().user + cpu_times().system == Duration::ZERO {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }

    #[test]
    fn a_missing_figure_is_zero() {
        assert_eq!(kilobytes("VmRSS:\t  12 kB\n", "VmRSS:"), 12 * 1024);
        assert_eq!(kilobytes("VmRSS:\t  12 kB\n", "VmHWM:"), 0);
        assert_eq!(read("/nowhere"), "");
    }
}
