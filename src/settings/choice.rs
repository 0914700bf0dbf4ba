//! The settings that are one of several names, as types.

/// Declares an enum whose variants have the names that the setting shows, in the order of its kept word.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// The names, in the order of the variants.
            pub const NAMES: &'static [&'static str] = &[$($text),+];
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name of this choice.
            pub fn name(self) -> &'static str {
                Self::NAMES[self as usize]
            }

            /// The choice that a kept word stands for.
            pub(super) fn from_word(word: i64) -> Self {
                Self::ALL[(word as usize).min(Self::ALL.len() - 1)]
            }
        }
    };
}

choice! {
    /// When the log is brought to stable storage.
    FsyncPolicy {
        /// About once a second, in the background.
        Everysec = "everysec",
        /// Before a write is acknowledged.
        Always = "always",
        /// Rarely: the kernel decides.
        No = "no",
    }
}

choice! {
    /// What goes when memory is full.
    EvictionPolicy {
        /// Among keys with an expiry, the one used longest ago.
        VolatileLru = "volatile-lru",
        /// Among keys with an expiry, the one used least.
        VolatileLfu = "volatile-lfu",
        /// Any key with an expiry.
        VolatileRandom = "volatile-random",
        /// The key that expires first.
        VolatileTtl = "volatile-ttl",
        /// The key used longest ago.
        AllkeysLru = "allkeys-lru",
        /// The key used least.
        AllkeysLfu = "allkeys-lfu",
        /// Any key.
        AllkeysRandom = "allkeys-random",
        /// Nothing: writes that need memory are refused.
        Noeviction = "noeviction",
    }
}

choice! {
    /// The least important diagnostics that are written.
    LogLevel {
        /// Everything.
        Debug = "debug",
        /// Much that is rarely useful.
        Verbose = "verbose",
        /// What one wants to know in production.
        Notice = "notice",
        /// Only what is wrong.
        Warning = "warning",
        /// Nothing.
        Nothing = "nothing",
    }
}

choice! {
    /// The form of a line of diagnostics.
    LogFormat {
        /// One line for people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

choice! {
    /// Who may do something dangerous.
    Permission {
        /// Nobody.
        No = "no",
        /// Every client.
        Yes = "yes",
        /// Clients of this machine: loopback addresses and the Unix socket.
        Local = "local",
    }
}

impl Permission {
    /// Whether a client may, given whether it is on this machine.
    pub fn allows(self, local: bool) -> bool {
        self == Self::Yes || (self == Self::Local && local)
    }
}
