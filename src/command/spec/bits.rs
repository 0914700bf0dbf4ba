//! The sets of flags in which commands, keys and arguments are described.
//!
//! Each set is one word, built in constants, and lists its members under the names that COMMAND uses, in the
//! order in which Redis lists them. Members without a name are for this server alone.

/// Declares a set of flags, and the module that has its members by bare name: `NAME = bit => "name shown"`, or `NAME = bit` for one that is never shown.
macro_rules! bit_set {
    (
        $(#[$doc:meta])* $set:ident in $module:ident {
            $( $(#[$flag_doc:meta])* $flag:ident = $bit:literal $(=> $shown:literal)?, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $set(u64);

        impl $set {
            /// The empty set.
            pub const NONE: Self = Self(0);
            $( $(#[$flag_doc])* pub const $flag: Self = Self(1 << $bit); )*

            const SHOWN: &'static [(Self, &'static str)] = &[ $( $( (Self::$flag, $shown), )? )* ];

            /// The union of several sets.
            pub const fn of(sets: &[Self]) -> Self {
                let mut all = Self::NONE;
                let mut at = 0;
                while at < sets.len() {
                    all = all.union(sets[at]);
                    at += 1;
                }
                all
            }

            /// What is in either set.
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// What is in this set and not in `other`.
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// Whether all of `other` is in this set.
            #[inline]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether anything of `other` is in this set.
            #[inline]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// Whether nothing is in this set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The names of the members that are shown, in Redis's order.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::SHOWN.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| *name)
            }

            /// The member that is shown under `name`, in any case of letters.
            pub fn named(name: &[u8]) -> Option<Self> {
                let found = Self::SHOWN.iter().find(|(_, shown)| shown.as_bytes().eq_ignore_ascii_case(name));
                found.map(|(flag, _)| *flag)
            }
        }

        /// The members by their bare names, for tables that name many.
        pub mod $module {
            $( $(#[$flag_doc])* pub const $flag: super::$set = super::$set::$flag; )*
        }
    };
}

bit_set! {
    /// What a command may do, and when it may be called.
    Flags in flag {
        /// May change keys.
        WRITE = 0 => "write",
        /// Reads keys and changes none.
        READONLY = 1 => "readonly",
        /// Refused when memory is at its limit.
        DENYOOM = 2 => "denyoom",
        /// For administrators.
        ADMIN = 3 => "admin",
        /// Publish and subscribe.
        PUBSUB = 4 => "pubsub",
        /// Not callable by scripts.
        NOSCRIPT = 5 => "noscript",
        /// May wait for other clients.
        BLOCKING = 6 => "blocking",
        /// Answered while the data is still being recovered.
        LOADING = 7 => "loading",
        /// Answered by a replica that has lost its primary and does not serve stale data.
        STALE = 8 => "stale",
        /// Not shown to monitoring clients.
        SKIP_MONITOR = 9 => "skip_monitor",
        /// Not recorded in the slow log: it may hold secrets, or waits by design.
        SKIP_SLOWLOG = 10 => "skip_slowlog",
        /// Constant or logarithmic time.
        FAST = 11 => "fast",
        /// Callable before authentication.
        NO_AUTH = 12 => "no_auth",
        /// May replicate something although it is not a write.
        MAY_REPLICATE = 13,
        /// May be called without any key, though it can take some.
        NO_MANDATORY_KEYS = 14 => "no_mandatory_keys",
        /// Refused unless a setting allows it.
        PROTECTED = 15,
        /// Refused while a full resync replaces the data.
        NO_ASYNC_LOADING = 16 => "no_async_loading",
        /// Not allowed inside a transaction.
        NO_MULTI = 17 => "no_multi",
        /// The first, last and step of the keys do not tell where all keys are.
        MOVABLE_KEYS = 18 => "movablekeys",
        /// Answered while a script keeps the server busy.
        ALLOW_BUSY = 19 => "allow_busy",
        /// May touch keys that are not among its arguments.
        TOUCHES_ARBITRARY_KEYS = 20,
    }
}

bit_set! {
    /// ACL categories.
    Categories in category {
        /// Keys of any type.
        KEYSPACE = 0 => "keyspace",
        /// Reads data.
        READ = 1 => "read",
        /// Changes data.
        WRITE = 2 => "write",
        /// Sets.
        SET = 3 => "set",
        /// Sorted sets.
        SORTEDSET = 4 => "sortedset",
        /// Lists.
        LIST = 5 => "list",
        /// Hashes.
        HASH = 6 => "hash",
        /// Strings.
        STRING = 7 => "string",
        /// Bitmaps.
        BITMAP = 8 => "bitmap",
        /// Cardinality estimates.
        HYPERLOGLOG = 9 => "hyperloglog",
        /// Places.
        GEO = 10 => "geo",
        /// Streams.
        STREAM = 11 => "stream",
        /// Publish and subscribe.
        PUBSUB = 12 => "pubsub",
        /// For administrators.
        ADMIN = 13 => "admin",
        /// Constant or logarithmic time.
        FAST = 14 => "fast",
        /// All that is not fast.
        SLOW = 15 => "slow",
        /// May wait for other clients.
        BLOCKING = 16 => "blocking",
        /// To be granted with care.
        DANGEROUS = 17 => "dangerous",
        /// Connections.
        CONNECTION = 18 => "connection",
        /// Transactions.
        TRANSACTION = 19 => "transaction",
        /// Scripts and functions.
        SCRIPTING = 20 => "scripting",
    }
}

bit_set! {
    /// What a command does with a key. One of the first four says what happens to the value as a whole, the next
    /// four what happens to the user's data in it.
    KeyFlags in key {
        /// Reads the value, changes nothing.
        RO = 0 => "RO",
        /// Changes the value, given what it was.
        RW = 1 => "RW",
        /// Overwrites the value, whatever it was.
        OW = 2 => "OW",
        /// Removes the key.
        RM = 3 => "RM",
        /// Data is returned, copied or compared.
        ACCESS = 4 => "access",
        /// Data may be changed.
        UPDATE = 5 => "update",
        /// Data is added, none changed or removed.
        INSERT = 6 => "insert",
        /// Data is removed on purpose.
        DELETE = 7 => "delete",
        /// Found like a key, but not one.
        NOT_KEY = 8 => "not_key",
        /// The spec does not find all keys.
        INCOMPLETE = 9 => "incomplete",
        /// The flags depend on the arguments.
        VARIABLE_FLAGS = 10 => "variable_flags",
    }
}

bit_set! {
    /// How often an argument stands.
    ArgumentFlags in argument {
        /// Zero times or once.
        OPTIONAL = 0 => "optional",
        /// Once or more often.
        MULTIPLE = 1 => "multiple",
        /// Its token is repeated with it.
        MULTIPLE_TOKEN = 2 => "multiple_token",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_redis_order_and_hidden_members_have_none() {
        let flags = Flags::of(&[Flags::FAST, Flags::PROTECTED, Flags::WRITE]);
        assert_eq!(flags.names().collect::<Vec<_>>(), ["write", "fast"]);
    }

    #[test]
    fn members_are_found_by_name_in_any_case() {
        assert_eq!(Categories::named(b"Dangerous"), Some(Categories::DANGEROUS));
        assert_eq!(Categories::named(b"danger"), None);
        assert_eq!(Flags::named(b""), None);
    }
}
