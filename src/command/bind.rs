//! Which function runs which command of the table.

use std::sync::OnceLock;

use crate::command::call::Handler;
use crate::command::spec::CommandSpec;
use crate::command::{
    blocking, connection, hashes, keys, lists, pubsub, replication, server, sets, sort, sorted_sets, strings,
    table, transactions, transfer,
};

/// How an attempt at a command runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Course {
    /// Side by side with others.
    Ordinary,
    /// Alone: it changes the databases themselves.
    Alone,
    /// Alone when it is part of a transaction: it looks at keys that it does not name.
    AloneInMulti,
}

/// A command's function.
#[derive(Clone, Copy)]
pub struct Binding {
    /// The function.
    pub handler: Handler,
    /// How its attempts run.
    pub course: Course,
}

/// Runs side by side with others.
pub(super) const fn plain(handler: Handler) -> Binding {
    Binding { handler, course: Course::Ordinary }
}

/// Runs alone.
pub(super) const fn alone(handler: Handler) -> Binding {
    Binding { handler, course: Course::Alone }
}

/// Runs alone when it is part of a transaction.
pub(super) const fn in_multi(handler: Handler) -> Binding {
    Binding { handler, course: Course::AloneInMulti }
}

/// The binding of a command of the table.
///
/// # Panics
/// When the command has none: a test sees to it that each has one.
#[inline]
pub fn of(spec: &CommandSpec) -> &'static Binding {
    static BOUND: OnceLock<Vec<Option<Binding>>> = OnceLock::new();
    let bound = BOUND.get_or_init(assemble);
    bound[spec.index()].as_ref().expect("each command of the table is bound")
}

fn assemble() -> Vec<Option<Binding>> {
    let mut bound = vec![None; table::COUNT];
    for &(name, binding) in GROUPS.iter().copied().flatten() {
        let spec = table::by_full_name(name.as_bytes()).expect("only commands of the table are bound");
        bound[spec.index()] = Some(binding);
    }
    bound
}

/// The bindings of all commands: those of the groups that have many stand with their functions.
const GROUPS: &[&[(&str, Binding)]] = &[
    BINDINGS,
    blocking::BINDINGS,
    hashes::BINDINGS,
    lists::BINDINGS,
    replication::BINDINGS,
    sets::BINDINGS,
    sorted_sets::BINDINGS,
    sort::BINDINGS,
    transfer::BINDINGS,
];

const BINDINGS: &[(&str, Binding)] = &[
    ("set", plain(strings::set::set)),
    ("setnx", plain(strings::set::setnx)),
    ("setex", plain(strings::set::setex)),
    ("psetex", plain(strings::set::psetex)),
    ("getset", plain(strings::set::getset)),
    ("get", plain(strings::get::get)),
    ("getdel", plain(strings::get::getdel)),
    ("getex", plain(strings::get::getex)),
    ("strlen", plain(strings::get::strlen)),
    ("append", plain(strings::ranges::append)),
    ("setrange", plain(strings::ranges::setrange)),
    ("getrange", plain(strings::ranges::getrange)),
    ("substr", plain(strings::ranges::getrange)),
    ("incr", plain(strings::counters::incr)),
    ("incrby", plain(strings::counters::incrby)),
    ("decr", plain(strings::counters::decr)),
    ("decrby", plain(strings::counters::decrby)),
    ("incrbyfloat", plain(strings::counters::incrbyfloat)),
    ("mget", plain(strings::multi::mget)),
    ("mset", plain(strings::multi::mset)),
    ("msetnx", plain(strings::multi::msetnx)),
    ("lcs", plain(strings::lcs::lcs)),
    ("delifeq", plain(strings::conditional::delifeq)),
    ("del", plain(keys::delete::del)),
    ("unlink", plain(keys::delete::del)),
    ("exists", plain(keys::presence::exists)),
    ("touch", plain(keys::presence::touch)),
    ("type", plain(keys::presence::key_type)),
    ("expire", plain(keys::expire::expire)),
    ("pexpire", plain(keys::expire::pexpire)),
    ("expireat", plain(keys::expire::expireat)),
    ("pexpireat", plain(keys::expire::pexpireat)),
    ("persist", plain(keys::expire::persist)),
    ("ttl", plain(keys::ttl::ttl)),
    ("pttl", plain(keys::ttl::pttl)),
    ("expiretime", plain(keys::ttl::expiretime)),
    ("pexpiretime", plain(keys::ttl::pexpiretime)),
    ("rename", plain(keys::rename::rename)),
    ("renamenx", plain(keys::rename::renamenx)),
    ("copy", plain(keys::transfer::copy)),
    ("move", plain(keys::transfer::move_key)),
    ("object|encoding", plain(keys::object::encoding)),
    ("object|freq", plain(keys::object::freq)),
    ("object|idletime", plain(keys::object::idletime)),
    ("object|refcount", plain(keys::object::refcount)),
    ("object|help", plain(keys::object::help)),
    ("keys", in_multi(keys::list::keys)),
    ("scan", in_multi(keys::scan::scan)),
    ("dbsize", in_multi(keys::databases::dbsize)),
    ("randomkey", in_multi(keys::databases::randomkey)),
    ("flushdb", alone(keys::databases::flushdb)),
    ("flushall", alone(keys::databases::flushall)),
    ("swapdb", alone(keys::databases::swapdb)),
    ("multi", plain(transactions::multi)),
    ("exec", plain(transactions::exec_without_multi)),
    ("discard", plain(transactions::discard)),
    ("watch", plain(transactions::watch)),
    ("unwatch", plain(transactions::unwatch)),
    ("publish", plain(pubsub::publish)),
    ("subscribe", plain(pubsub::subscribe)),
    ("unsubscribe", plain(pubsub::unsubscribe)),
    ("psubscribe", plain(pubsub::psubscribe)),
    ("punsubscribe", plain(pubsub::punsubscribe)),
    ("spublish", plain(pubsub::spublish)),
    ("ssubscribe", plain(pubsub::ssubscribe)),
    ("sunsubscribe", plain(pubsub::sunsubscribe)),
    ("pubsub|channels", plain(pubsub::channels)),
    ("pubsub|numpat", plain(pubsub::numpat)),
    ("pubsub|numsub", plain(pubsub::numsub)),
    ("pubsub|shardchannels", plain(pubsub::shardchannels)),
    ("pubsub|shardnumsub", plain(pubsub::shardnumsub)),
    ("pubsub|help", plain(pubsub::help)),
    ("auth", plain(connection::auth)),
    ("hello", plain(connection::hello)),
    ("ping", plain(connection::ping)),
    ("echo", plain(connection::echo)),
    ("quit", plain(connection::quit)),
    ("reset", plain(connection::reset)),
    ("select", plain(connection::select)),
    ("client|id", plain(connection::client_id)),
    ("client|getname", plain(connection::client_getname)),
    ("client|setname", plain(connection::client_setname)),
    ("client|setinfo", plain(connection::client_setinfo)),
    ("client|info", plain(connection::client_info)),
    ("client|list", plain(connection::client_list)),
    ("client|kill", plain(connection::client_kill)),
    ("client|reply", plain(connection::client_reply)),
    ("client|no-evict", plain(connection::client_no_evict)),
    ("client|no-touch", plain(connection::client_no_touch)),
    ("client|pause", plain(connection::client_pause)),
    ("client|unpause", plain(connection::client_unpause)),
    ("client|help", plain(connection::client_help)),
    ("command", plain(server::command)),
    ("command|count", plain(server::command_count)),
    ("command|info", plain(server::command_info)),
    ("command|docs", plain(server::command_docs)),
    ("command|list", plain(server::command_list)),
    ("command|getkeys", plain(server::command_getkeys)),
    ("command|getkeysandflags", plain(server::command_getkeysandflags)),
    ("info", plain(server::info)),
    ("time", plain(server::time)),
    ("monitor", plain(pubsub::monitor)),
    ("lolwut", plain(server::lolwut)),
    ("shutdown", plain(server::shutdown)),
    ("debug", plain(server::debug)),
    ("save", plain(server::save)),
    ("bgsave", plain(server::bgsave)),
    ("bgrewriteaof", plain(server::bgrewriteaof)),
    ("lastsave", plain(server::lastsave)),
    ("config|get", plain(server::config_get)),
    ("config|set", plain(server::config_set)),
    ("config|rewrite", plain(server::config_rewrite)),
    ("config|resetstat", plain(server::config_resetstat)),
    ("config|help", plain(server::config_help)),
    ("memory|usage", plain(server::memory_usage)),
    ("memory|stats", plain(server::memory_stats)),
    ("memory|doctor", plain(server::memory_doctor)),
    ("memory|malloc-stats", plain(server::memory_malloc_stats)),
    ("memory|purge", plain(server::memory_purge)),
    ("memory|help", plain(server::memory_help)),
    ("slowlog|get", plain(server::slowlog_get)),
    ("slowlog|len", plain(server::slowlog_len)),
    ("slowlog|reset", plain(server::slowlog_reset)),
    ("slowlog|help", plain(server::slowlog_help)),
    ("function|flush", plain(server::function_flush)),
    ("function|list", plain(server::function_list)),
    ("function|stats", plain(server::function_stats)),
    ("function|help", plain(server::function_help)),
    ("module|list", plain(server::module_list)),
    ("module|help", plain(server::module_help)),
    ("command|help", plain(server::command_help)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_of_the_table_is_bound_once() {
        let bound = assemble();
        let unbound: Vec<_> = table::all()
            .filter(|spec| bound[spec.index()].is_none() && (!spec.is_container() || spec.name == "command"))
            .map(|spec| spec.full_name)
            .collect();
        assert!(unbound.is_empty(), "{unbound:?}");
        let mut names: Vec<_> = GROUPS.iter().copied().flatten().map(|(name, _)| name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
