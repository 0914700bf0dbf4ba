//! From the name in a request to the spec of the command.
//!
//! This runs once for every command, so it neither allocates nor copies. The first and last eight bytes of the name
//! (they overlap in a shorter one) become two words in lower case, which are hashed into a static table of mostly
//! empty slots and compared there as words; only a name of more than 16 bytes is compared byte by byte as well.
//! A name that is not a command ends at the first empty slot. The table is built when the program is compiled.

use super::COMMANDS;
use crate::command::spec::CommandSpec;
use crate::resp::Args;

/// Slots of the table, a power of two; most must stay empty.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 10;

static TABLE: [Option<Entry>; SLOTS] = build(COMMANDS);

/// A command under the fingerprint of its name.
#[derive(Clone, Copy)]
struct Entry {
    fingerprint: Fingerprint,
    spec: &'static CommandSpec,
}

/// The ends of a name in lower case, and its length. Equal fingerprints of up to [`EXACT_BYTES`] bytes are equal
/// names.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fingerprint {
    head: u64,
    tail: u64,
    len: usize,
}

/// How much of a name its two ends hold together.
const EXACT_BYTES: usize = 16;

/// Finds a command, in any case of letters.
#[inline]
pub fn lookup(name: &[u8]) -> Option<&'static CommandSpec> {
    let fingerprint = Fingerprint::of(name);
    let mut slot = fingerprint.slot();
    while let Some(entry) = &TABLE[slot] {
        if entry.fingerprint == fingerprint && entry.is_named(name) {
            return Some(entry.spec);
        }
        slot = (slot + 1) % SLOTS;
    }
    None
}

impl Entry {
    /// Whether this is the command of a name with the same fingerprint.
    #[inline]
    fn is_named(&self, name: &[u8]) -> bool {
        name.len() <= EXACT_BYTES || self.spec.name.as_bytes().eq_ignore_ascii_case(name)
    }
}

impl Fingerprint {
    #[inline]
    const fn of(name: &[u8]) -> Self {
        let (head, tail) = ends(name);
        Self { head: lower_case(head), tail: lower_case(tail), len: name.len() }
    }

    /// The slot where the search starts.
    #[inline]
    const fn slot(self) -> usize {
        let word = self.head ^ self.tail.rotate_left(23) ^ self.len as u64;
        (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - SLOT_BITS)) as usize
    }
}

/// Finds what a full name such as `get` or `client|kill` stands for, in any case of letters.
pub fn by_full_name(full_name: &[u8]) -> Option<&'static CommandSpec> {
    match full_name.iter().position(|byte| *byte == b'|') {
        Some(bar) => lookup(&full_name[..bar])?.subcommand(&full_name[bar + 1..]),
        None => lookup(full_name),
    }
}

/// Finds the command that a request is for: the subcommand where the command is a container.
///
/// A container alone, without a second argument, is found as such.
#[inline]
pub fn resolve(arguments: Args<'_>) -> Option<&'static CommandSpec> {
    let command = lookup(arguments.get(0)?)?;
    if !command.is_container() {
        return Some(command);
    }
    arguments.get(1).map_or(Some(command), |name| command.subcommand(name))
}

/// The first and the last bytes of a name, up to eight of each; together, all of a short one.
#[inline]
const fn ends(name: &[u8]) -> (u64, u64) {
    if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
        return (u64::from_le_bytes(*head), u64::from_le_bytes(*tail));
    }
    if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
        return (u32::from_le_bytes(*head) as u64, u32::from_le_bytes(*tail) as u64);
    }
    match name {
        [] => (0, 0),
        [first, ..] => {
            (u16::from_le_bytes([*first, name[name.len() / 2]]) as u64, name[name.len() - 1] as u64)
        }
    }
}

/// Turns the capital letters among the eight bytes of a word into small ones and leaves all other bytes alone.
#[inline]
const fn lower_case(word: u64) -> u64 {
    const HIGH: u64 = every_byte(0x80);
    // Why: without their high bits, bytes can be added to without carrying into their neighbours; what is added
    // sets the high bit of exactly those bytes that have reached a bound.
    let low = word & !HIGH;
    let from_a = low + every_byte(0x80 - b'A');
    let behind_z = low + every_byte(0x80 - b'Z' - 1);
    let capitals = (from_a & !behind_z) & !word & HIGH;
    word | capitals >> 2
}

/// A word of eight equal bytes.
const fn every_byte(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Puts every command into the first empty slot from its hash on.
#[expect(clippy::large_stack_arrays, reason = "it runs when the program is compiled")]
const fn build(commands: &'static [CommandSpec]) -> [Option<Entry>; SLOTS] {
    assert!(commands.len() * 4 <= SLOTS, "too many commands for the lookup table: double its slots");
    let mut table: [Option<Entry>; SLOTS] = [None; SLOTS];
    let mut at = 0;
    while at < commands.len() {
        let fingerprint = Fingerprint::of(commands[at].name.as_bytes());
        let mut slot = fingerprint.slot();
        while table[slot].is_some() {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = Some(Entry { fingerprint, spec: &commands[at] });
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedRequest;

    /// What [`lookup`] has to find, found the slow way.
    fn expected(name: &[u8]) -> Option<&'static CommandSpec> {
        COMMANDS.iter().find(|spec| spec.name.as_bytes().eq_ignore_ascii_case(name))
    }

    #[test]
    fn every_command_is_found_in_any_case_of_letters() {
        for spec in COMMANDS {
            let upper = spec.name.to_ascii_uppercase();
            let mixed: String = spec
                .name
                .char_indices()
                .map(|(at, c)| if at % 2 == 0 { c } else { c.to_ascii_uppercase() })
                .collect();
            for name in [spec.name, &upper, &mixed] {
                assert_eq!(lookup(name.as_bytes()), Some(spec), "{name}");
            }
        }
    }

    #[test]
    fn a_name_with_any_byte_changed_is_only_what_it_then_says() {
        for spec in COMMANDS {
            for at in 0..spec.name.len() {
                let mut name = spec.name.as_bytes().to_vec();
                for byte in 0..=u8::MAX {
                    name[at] = byte;
                    assert_eq!(lookup(&name), expected(&name), "{:?}", name.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn a_name_cut_or_prolonged_is_only_what_it_then_says() {
        for spec in COMMANDS {
            for end in 0..spec.name.len() {
                let cut = &spec.name.as_bytes()[..end];
                assert_eq!(lookup(cut), expected(cut));
            }
            let longer = [spec.name.as_bytes(), spec.name.as_bytes()].concat();
            assert_eq!(lookup(&longer), expected(&longer));
        }
    }

    #[test]
    fn arbitrary_bytes_are_found_only_if_they_are_a_name() {
        #[expect(clippy::needless_pass_by_value, reason = "quickcheck hands over values")]
        fn property(name: Vec<u8>) -> bool {
            lookup(&name) == expected(&name)
        }
        quickcheck::quickcheck(property as fn(Vec<u8>) -> bool);
    }

    #[test]
    fn no_command_is_far_from_the_slot_of_its_hash() {
        for spec in COMMANDS {
            let start = Fingerprint::of(spec.name.as_bytes()).slot();
            let is_here =
                |step: &usize| TABLE[(start + step) % SLOTS].is_some_and(|entry| entry.spec == spec);
            let steps = (0..SLOTS).find(is_here);
            assert!(steps.is_some_and(|steps| steps <= 2), "{} is {steps:?} slots away", spec.name);
        }
    }

    #[test]
    fn words_are_folded_as_bytes_are() {
        fn property(word: u64) -> bool {
            lower_case(word).to_le_bytes() == word.to_le_bytes().map(|byte| byte.to_ascii_lowercase())
        }
        quickcheck::quickcheck(property as fn(u64) -> bool);
        assert!(
            (0..=u8::MAX).all(|byte| lower_case(every_byte(byte)) == every_byte(byte.to_ascii_lowercase()))
        );
    }

    #[test]
    fn a_request_to_a_container_is_for_its_subcommand() {
        let resolved = |request: &str| {
            let request: OwnedRequest = request.split(' ').collect();
            resolve(request.as_args()).map(|spec| spec.full_name)
        };
        assert_eq!(resolved("CLIENT Kill 127.0.0.1:1"), Some("client|kill"));
        assert_eq!(resolved("client"), Some("client"));
        assert_eq!(resolved("client nosuch"), None);
        assert_eq!(resolved("get kill"), Some("get"));
        assert_eq!(resolved("client|kill x"), None);
        assert_eq!(by_full_name(b"Client|KILL").map(|spec| spec.full_name), Some("client|kill"));
    }
}
