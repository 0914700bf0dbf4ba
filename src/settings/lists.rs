//! Settings of several words: their forms, what each refuses, and the types that their readers get.
//!
//! A list is kept as canonical text, which CONFIG GET shows as it is. The reading functions take that text, so
//! they meet only what [`List::parse`] has let pass.

use super::kind::{BadValue, integer};
use super::memory;
use std::fmt::Write as _;

/// The most addresses that `bind` takes.
const ADDRESSES_MAX: usize = 16;

/// The name under which percentiles are configured; their complaints repeat it.
const PERCENTILES: &str = "latency-tracking-info-percentiles";

const SHUTDOWN_WORDS: &[&str] = &["default", "save", "nosave", "now", "force"];

/// The form of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Pairs of seconds and changes; more directives add, an empty one clears.
    Save,
    /// Class, hard limit, soft limit, seconds; classes not named keep theirs.
    OutputLimits,
    /// Addresses, `*`, `::*`; a leading `-` forgives an address that is not there.
    Bind,
    /// Percentages.
    Percentiles,
    /// Three adjustments of the kernel's out-of-memory score.
    OomScores,
    /// Host and port, or nothing.
    ReplicaOf,
    /// How a signal shuts the server down.
    ShutdownWords,
}

impl List {
    /// Reads `text` into its canonical form; `base` is the canonical text that it adds to.
    ///
    /// # Errors
    /// What is wrong, in Redis's words.
    pub(super) fn parse(self, text: &[u8], base: &[u8]) -> Result<Vec<u8>, BadValue> {
        let words: Vec<&[u8]> = words(text).collect();
        match self {
            Self::Save => save(&words, base),
            Self::OutputLimits => output_limits_merged(&words, base),
            Self::Bind if words.len() > ADDRESSES_MAX => Err(BadValue::TooManyAddresses),
            Self::Bind if !words.iter().all(|word| is_host(word)) => Err(BadValue::NotAddress),
            Self::Bind => Ok(words.join(&b' ')),
            Self::Percentiles => percentiles_canonical(&words),
            Self::OomScores => oom_scores(&words),
            Self::ReplicaOf => replica_of(&words),
            Self::ShutdownWords => shutdown_words(&words),
        }
    }

    /// What the list looks like, for an error or the help.
    pub(super) fn allowed(self) -> &'static str {
        match self {
            Self::Save => "pairs of seconds and changes such as 3600 1 300 100, or \"\"",
            Self::OutputLimits => "normal|replica|pubsub, hard limit, soft limit, seconds; once or more",
            Self::Bind => "up to 16 addresses, such as 127.0.0.1 -::1, or *",
            Self::Percentiles => "percentages from 0 to 100",
            Self::OomScores => "three numbers from -2000 to 2000",
            Self::ReplicaOf => "host:port, host and port, or no one",
            Self::ShutdownWords => "default, or some of save, nosave, now, force",
        }
    }

    /// The texts of the directives that configure this value in a file.
    pub(super) fn directives(self, canonical: &[u8]) -> Vec<Vec<u8>> {
        let words: Vec<&[u8]> = words(canonical).collect();
        let size = match self {
            Self::Save => 2,
            Self::OutputLimits => 4,
            // Why: as in Redis, a server that follows nobody has no such line.
            Self::ReplicaOf if words.is_empty() => return Vec::new(),
            _ => return vec![canonical.to_vec()],
        };
        if words.is_empty() {
            return vec![Vec::new()];
        }
        words.chunks(size).map(|group| group.join(&b' ')).collect()
    }
}

/// Whether a word could be an address or the name of a host: it has no byte that neither of them has.
fn is_host(word: &[u8]) -> bool {
    word.iter().all(|byte| byte.is_ascii_alphanumeric() || b".:*%-_[]".contains(byte))
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// One automatic snapshot rule: after so many seconds, if so many keys have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// Seconds since the last snapshot.
    pub seconds: u64,
    /// Changes since the last snapshot.
    pub changes: u64,
}

fn save(words: &[&[u8]], base: &[u8]) -> Result<Vec<u8>, BadValue> {
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let mut pairs = words.chunks_exact(2);
    let valid = |pair: &[&[u8]]| {
        integer(pair[0]).is_ok_and(|seconds| seconds >= 1)
            && integer(pair[1]).is_ok_and(|changes| changes >= 0)
    };
    if words.len() % 2 != 0 || !pairs.all(valid) {
        return Err(BadValue::NotSave);
    }
    let mut all: Vec<&[u8]> = self::words(base).collect();
    all.extend(words);
    Ok(all.join(&b' '))
}

/// Reads the canonical text of `save`.
pub(super) fn save_points(canonical: &[u8]) -> Vec<SavePoint> {
    let numbers: Vec<u64> = words(canonical).map(number).collect();
    numbers.chunks_exact(2).map(|pair| SavePoint { seconds: pair[0], changes: pair[1] }).collect()
}

fn number(word: &[u8]) -> u64 {
    integer(word).unwrap_or_default() as u64
}

/// The classes of clients whose output has a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientClass {
    /// Ordinary clients.
    Normal,
    /// Peers that follow this server.
    Replica,
    /// Subscribers.
    Pubsub,
}

/// How much unread output a client may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes at which the client is cut off at once; 0 is no limit.
    pub hard_bytes: u64,
    /// Bytes that it may not exceed for long; 0 is no limit.
    pub soft_bytes: u64,
    /// How long, in seconds.
    pub soft_seconds: u64,
}

/// The three classes' limits: hard, soft and seconds, for normal, replica and pubsub.
pub(super) type OutputLimits = [[u64; 3]; 3];

fn output_limits_merged(words: &[&[u8]], base: &[u8]) -> Result<Vec<u8>, BadValue> {
    if words.is_empty() || words.len() % 4 != 0 {
        return Err(BadValue::LimitCount);
    }
    let mut limits = output_limits(base);
    for group in words.chunks_exact(4) {
        let class = match group[0].to_ascii_lowercase().as_slice() {
            b"normal" => 0,
            b"replica" | b"slave" => 1,
            b"pubsub" => 2,
            _ => return Err(BadValue::LimitClass),
        };
        let bytes = |word| memory::parse(word).ok_or(BadValue::LimitNumber);
        let seconds = integer(group[3]).ok().and_then(|n| u64::try_from(n).ok());
        limits[class] = [bytes(group[1])?, bytes(group[2])?, seconds.ok_or(BadValue::LimitNumber)?];
    }
    let mut text = String::new();
    // Why: Redis 7.2 still shows the class as "slave", and tools read that.
    for (class, [hard, soft, seconds]) in ["normal", "slave", "pubsub"].iter().zip(limits) {
        let gap = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{gap}{class} {hard} {soft} {seconds}");
    }
    Ok(text.into_bytes())
}

/// Reads the canonical text of `client-output-buffer-limit`; without text, no class has a limit.
pub(super) fn output_limits(canonical: &[u8]) -> OutputLimits {
    let words: Vec<&[u8]> = words(canonical).collect();
    let mut limits = OutputLimits::default();
    for (limit, group) in limits.iter_mut().zip(words.chunks_exact(4)) {
        *limit = [number(group[1]), number(group[2]), number(group[3])];
    }
    limits
}

/// One address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindAddress {
    /// An address, a host name, `*` (all of IPv4) or `::*` (all of IPv6).
    pub address: String,
    /// Whether the server starts without it when this machine does not have it.
    pub optional: bool,
}

/// Reads the canonical text of `bind`.
pub(super) fn bind_addresses(canonical: &[u8]) -> Vec<BindAddress> {
    words(canonical)
        .map(|word| {
            let (address, optional) = word.strip_prefix(b"-").map_or((word, false), |rest| (rest, true));
            BindAddress { address: String::from_utf8_lossy(address).into_owned(), optional }
        })
        .collect()
}

fn percentiles_canonical(words: &[&[u8]]) -> Result<Vec<u8>, BadValue> {
    let mut shown = Vec::new();
    for word in words {
        let number = std::str::from_utf8(word).ok().and_then(|word| word.parse::<f64>().ok());
        let number =
            number.filter(|number| number.is_finite()).ok_or(BadValue::NotPercentiles(PERCENTILES))?;
        if !(0.0..=100.0).contains(&number) {
            return Err(BadValue::PercentileRange(PERCENTILES));
        }
        shown.push(number.abs().to_string());
    }
    Ok(shown.join(" ").into_bytes())
}

/// Reads the canonical text of `latency-tracking-info-percentiles`.
pub(super) fn percentiles(canonical: &[u8]) -> Vec<f64> {
    let text = String::from_utf8_lossy(canonical);
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn oom_scores(words: &[&[u8]]) -> Result<Vec<u8>, BadValue> {
    if words.len() != 3 {
        return Err(BadValue::WordCount);
    }
    if !words.iter().all(|word| integer(word).is_ok_and(|score| (-2000..=2000).contains(&score))) {
        return Err(BadValue::OomRange);
    }
    Ok(words.join(&b' '))
}

fn replica_of(words: &[&[u8]]) -> Result<Vec<u8>, BadValue> {
    let (host, port) = match words {
        [] => return Ok(Vec::new()),
        [no, one] if no.eq_ignore_ascii_case(b"no") && one.eq_ignore_ascii_case(b"one") => {
            return Ok(Vec::new());
        }
        [host, port] => (*host, *port),
        [both] => host_and_port(both).ok_or(BadValue::WordCount)?,
        _ => return Err(BadValue::WordCount),
    };
    let is_port = integer(port).is_ok_and(|port| (0..=65535).contains(&port));
    if is_host(host) && !host.is_empty() && is_port {
        Ok([host, port].join(&b' '))
    } else {
        Err(BadValue::PrimaryPort)
    }
}

/// Takes `host:port` or `[address]:port` apart.
fn host_and_port(both: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = both.iter().rposition(|&byte| byte == b':')?;
    let (host, port) = (&both[..colon], &both[colon + 1..]);
    let bare = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]"));
    Some((bare.unwrap_or(host), port))
}

/// The server that `replicaof` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Primary {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Reads the canonical text of `replicaof`.
pub(super) fn primary(canonical: &[u8]) -> Option<Primary> {
    let text = std::str::from_utf8(canonical).ok()?;
    let (host, port) = text.split_once(' ')?;
    Some(Primary { host: host.to_owned(), port: port.parse().ok()? })
}

fn shutdown_words(words: &[&[u8]]) -> Result<Vec<u8>, BadValue> {
    let known = |word: &&[u8]| SHUTDOWN_WORDS.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(word));
    if words.is_empty() || !words.iter().all(known) {
        return Err(BadValue::NotAmong(SHUTDOWN_WORDS));
    }
    let has = |name: &str| words.iter().any(|word| word.eq_ignore_ascii_case(name.as_bytes()));
    if has("save") && has("nosave") {
        return Err(BadValue::SaveAndNosave);
    }
    let chosen: Vec<&str> = SHUTDOWN_WORDS[1..].iter().copied().filter(|name| has(name)).collect();
    Ok(if chosen.is_empty() { b"default".to_vec() } else { chosen.join(" ").into_bytes() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    const LIMITS: &str = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";

    fn shown(list: List, text: &str, base: &str) -> Result<String, String> {
        let canonical = list.parse(text.as_bytes(), base.as_bytes()).map_err(|bad| bad.to_string())?;
        Ok(String::from_utf8_lossy(&canonical).into_owned())
    }

    #[test]
    fn lists_read_into_the_form_that_redis_shows() {
        for (list, text, base, expected) in [
            (List::Save, "3600 1  300 100", "", "3600 1 300 100"),
            (List::Save, "5 5", "900 1", "900 1 5 5"),
            (List::Save, "", "900 1", ""),
            (List::OutputLimits, "slave 1mb 2mb 3 PUBSUB 0 0 0", LIMITS, {
                "normal 0 0 0 slave 1048576 2097152 3 pubsub 0 0 0"
            }),
            (List::OutputLimits, "replica 1 2 3", "", "normal 0 0 0 slave 1 2 3 pubsub 0 0 0"),
            (List::Bind, "127.0.0.1 -::1", "", "127.0.0.1 -::1"),
            (List::Percentiles, "0.0 50.0 99.9 100.0", "", "0 50 99.9 100"),
            (List::Percentiles, "", "50", ""),
            (List::OomScores, "0 200 800", "", "0 200 800"),
            (List::ReplicaOf, "no one", "", ""),
            (List::ReplicaOf, "host 7000", "", "host 7000"),
            (List::ReplicaOf, "127.0.0.1:7000", "", "127.0.0.1 7000"),
            (List::ReplicaOf, "[::1]:7000", "", "::1 7000"),
            (List::ShutdownWords, "nosave force now", "", "nosave now force"),
            (List::ShutdownWords, "default", "", "default"),
        ] {
            assert_eq!(shown(list, text, base).as_deref(), Ok(expected), "{list:?} {text}");
        }
    }

    #[test]
    fn bad_lists_are_refused_with_the_sentence_of_redis() {
        for (list, text, expected) in [
            (List::Save, "1", "Invalid save parameters"),
            (List::Save, "1 b", "Invalid save parameters"),
            (List::Save, "0 1", "Invalid save parameters"),
            (List::OutputLimits, "", "Wrong number of arguments in buffer limit configuration."),
            (List::OutputLimits, "normal 1 2", "Wrong number of arguments in buffer limit configuration."),
            (List::OutputLimits, "x 1 2 3", "Invalid client class specified in buffer limit configuration."),
            (List::OutputLimits, "normal 1 a 3", {
                "Error in hard, soft or soft_seconds setting in buffer limit configuration."
            }),
            (List::Bind, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "Too many bind addresses specified."),
            (List::Bind, "127.0.0.1 \"::1", "Failed to bind to specified addresses."),
            (List::Percentiles, "a", "Invalid latency-tracking-info-percentiles parameters"),
            (List::Percentiles, "nan", "Invalid latency-tracking-info-percentiles parameters"),
            (List::Percentiles, "50 101.0", {
                "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
            }),
            (List::OomScores, "1", "wrong number of arguments"),
            (List::OomScores, "1 2 5000", {
                "Invalid oom-score-adj-values, elements must be between -2000 and 2000."
            }),
            (List::ReplicaOf, "host abc", "Invalid master port"),
            (List::ReplicaOf, "host", "wrong number of arguments"),
            (List::ReplicaOf, "host:", "Invalid master port"),
            (List::ReplicaOf, ":7000", "Invalid master port"),
            (List::ReplicaOf, "a 1 b", "wrong number of arguments"),
            (List::ShutdownWords, "", {
                "argument(s) must be one of the following: default, save, nosave, now, force"
            }),
            (List::ShutdownWords, "save nosave", {
                "shutdown options SAVE and NOSAVE can't be used simultaneously"
            }),
        ] {
            assert_eq!(shown(list, text, ""), Err(expected.to_owned()), "{list:?} {text}");
        }
    }

    #[test]
    fn readers_get_typed_values() {
        assert_eq!(
            save_points(b"3600 1 300 100"),
            [SavePoint { seconds: 3600, changes: 1 }, SavePoint { seconds: 300, changes: 100 }]
        );
        assert_eq!(output_limits(LIMITS.as_bytes())[1], [268_435_456, 67_108_864, 60]);
        let addresses = bind_addresses(b"127.0.0.1 -::1");
        assert_eq!(addresses[1], BindAddress { address: "::1".into(), optional: true });
        assert!(!addresses[0].optional);
        assert_eq!(percentiles(b"50 99.9"), [50.0, 99.9]);
    }

    quickcheck! {
        fn save_rules_survive_their_directives(rules: Vec<(u32, u32)>) -> bool {
            let text = rules.iter().fold(String::new(), |text, (seconds, changes)| {
                format!("{text} {} {changes}", u64::from(*seconds) + 1)
            });
            let canonical = List::Save.parse(text.as_bytes(), b"").unwrap();
            let directives = List::Save.directives(&canonical);
            let again = directives.iter().fold(Vec::new(), |base, line| List::Save.parse(line, &base).unwrap());
            again == canonical && save_points(&canonical).len() == rules.len()
        }

        fn output_limits_survive_their_directives(normal: (u32, u32, u32), pubsub: (u32, u32, u32)) -> bool {
            let text = format!(
                "pubsub {} {} {} normal {} {} {}",
                pubsub.0, pubsub.1, pubsub.2, normal.0, normal.1, normal.2
            );
            let canonical = List::OutputLimits.parse(text.as_bytes(), LIMITS.as_bytes()).unwrap();
            let directives = List::OutputLimits.directives(&canonical);
            let again =
                directives.iter().fold(Vec::new(), |base, line| List::OutputLimits.parse(line, &base).unwrap());
            let limits = output_limits(&canonical);
            again == canonical
                && limits[0] == [normal.0, normal.1, normal.2].map(u64::from)
                && limits[1] == [268_435_456, 67_108_864, 60]
        }

        fn percentiles_survive_showing(numbers: Vec<u16>) -> bool {
            let numbers: Vec<f64> = numbers.into_iter().map(|n| f64::from(n % 10_001) / 100.0).collect();
            let text: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            let canonical = List::Percentiles.parse(text.join(" ").as_bytes(), b"").unwrap();
            percentiles(&canonical) == numbers
        }
    }
}
