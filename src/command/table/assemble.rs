//! Puts the groups together into the table, when the program is compiled.
//!
//! The files of the groups declare specs as people think of them; here each gets its number, and all that
//! follows from what it says. Commands are numbered first, in the order of the groups, subcommands after them.

use crate::command::spec::{CommandSpec, Group};

/// How many commands the groups have, subcommands apart.
pub(super) const fn commands_in(groups: &[&[CommandSpec]]) -> usize {
    let mut total = 0;
    let mut group = 0;
    while group < groups.len() {
        total += groups[group].len();
        group += 1;
    }
    total
}

/// How many subcommands the groups have.
pub(super) const fn subcommands_in(groups: &[&[CommandSpec]]) -> usize {
    let mut total = 0;
    let mut group = 0;
    while group < groups.len() {
        let mut at = 0;
        while at < groups[group].len() {
            total += groups[group][at].subcommands.len();
            at += 1;
        }
        group += 1;
    }
    total
}

/// All subcommands in the order of their containers, numbered from `first_index` on.
pub(super) const fn subcommands<const N: usize>(
    groups: &[&[CommandSpec]],
    first_index: usize,
) -> [CommandSpec; N] {
    let mut table = [BLANK; N];
    let mut filled = 0;
    let mut group = 0;
    while group < groups.len() {
        let mut at = 0;
        while at < groups[group].len() {
            let inner = groups[group][at].subcommands;
            let mut sub = 0;
            while sub < inner.len() {
                table[filled] = inner[sub].finished((first_index + filled) as u16);
                filled += 1;
                sub += 1;
            }
            at += 1;
        }
        group += 1;
    }
    assert!(filled == N, "the table of subcommands has another size than its contents");
    table
}

/// All commands, containers pointing at their share of `subcommands`.
pub(super) const fn commands<const N: usize>(
    groups: &[&[CommandSpec]],
    subcommands: &'static [CommandSpec],
) -> [CommandSpec; N] {
    let mut table = [BLANK; N];
    let mut rest = subcommands;
    let mut filled = 0;
    let mut group = 0;
    while group < groups.len() {
        let mut at = 0;
        while at < groups[group].len() {
            let spec = groups[group][at];
            let (own, others) = rest.split_at(spec.subcommands.len());
            rest = others;
            table[filled] = spec.subcommands(own).finished(filled as u16);
            filled += 1;
            at += 1;
        }
        group += 1;
    }
    assert!(filled == N && rest.is_empty(), "the table of commands has another size than its contents");
    table
}

/// What fills an array until the specs are in.
const BLANK: CommandSpec = CommandSpec::new("", 0, Group::Generic, "");
