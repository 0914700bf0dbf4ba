//! From the name in a request to the spec of the command.
//!
//! This runs once for every command, so it neither allocates nor folds a copy of the name: a hash of the length and
//! of the first and last bytes, letters folded, leads into a static table with mostly empty slots. A name that is not
//! a command ends at the first empty slot. The table is built when the program is compiled.

use super::COMMANDS;
use crate::command::spec::CommandSpec;

/// Slots of the table, a power of two; most must stay empty.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 10;

/// Sets the bit in which the two cases of a letter differ, in every byte of a word.
const FOLD: u64 = 0x2020_2020_2020_2020;

static TABLE: [Option<&'static CommandSpec>; SLOTS] = build(COMMANDS);

/// Finds a command, in any case of letters.
#[inline]
pub fn lookup(name: &[u8]) -> Option<&'static CommandSpec> {
    let mut slot = hash(name);
    while let Some(spec) = TABLE[slot] {
        if spec.name.as_bytes().eq_ignore_ascii_case(name) {
            return Some(spec);
        }
        slot = (slot + 1) % SLOTS;
    }
    None
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
pub fn resolve<A: AsRef<[u8]>>(arguments: &[A]) -> Option<&'static CommandSpec> {
    let (name, rest) = arguments.split_first()?;
    let command = lookup(name.as_ref())?;
    match rest.first() {
        Some(subcommand) if command.is_container() => command.subcommand(subcommand.as_ref()),
        _ => Some(command),
    }
}

/// The slot where the search for a name starts.
///
/// Two overlapping words hold all bytes of a name of up to 16, and enough of a longer one.
#[inline]
const fn hash(name: &[u8]) -> usize {
    let (head, tail) = ends(name);
    let word = (head | FOLD) ^ (tail | FOLD).rotate_left(23) ^ (name.len() as u64);
    (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - SLOT_BITS)) as usize
}

/// The first and the last bytes of a name, up to eight of each.
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
            let inner = name[name.len() / 2] as u64;
            (*first as u64 | inner << 8, name[name.len() - 1] as u64)
        }
    }
}

/// Puts every command into the first empty slot from its hash on.
const fn build(commands: &'static [CommandSpec]) -> [Option<&'static CommandSpec>; SLOTS] {
    assert!(commands.len() * 4 <= SLOTS, "too many commands for the lookup table: double its slots");
    let mut table: [Option<&'static CommandSpec>; SLOTS] = [None; SLOTS];
    let mut at = 0;
    while at < commands.len() {
        let mut slot = hash(commands[at].name.as_bytes());
        while table[slot].is_some() {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = Some(&commands[at]);
        at += 1;
    }
    table
}
