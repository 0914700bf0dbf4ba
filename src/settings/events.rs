//! Classes of keyspace events as bits, and the letters that name them in `notify-keyspace-events`.

/// Classes of keyspace events: what `notify-keyspace-events` holds, and of which class one event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventClass(u32);

impl EventClass {
    /// `g`: what happens to keys of any type (`del`, `expire`, `rename_from`, ...).
    pub const GENERIC: Self = Self(1);
    /// `$`: strings.
    pub const STRING: Self = Self(1 << 1);
    /// `l`: lists.
    pub const LIST: Self = Self(1 << 2);
    /// `s`: sets.
    pub const SET: Self = Self(1 << 3);
    /// `h`: hashes.
    pub const HASH: Self = Self(1 << 4);
    /// `z`: sorted sets.
    pub const ZSET: Self = Self(1 << 5);
    /// `x`: keys whose time has come.
    pub const EXPIRED: Self = Self(1 << 6);
    /// `e`: keys removed to free memory.
    pub const EVICTED: Self = Self(1 << 7);
    /// `t`: streams.
    pub const STREAM: Self = Self(1 << 8);
    /// `d`: types of modules.
    pub const MODULE: Self = Self(1 << 9);
    /// `m`: keys that were looked for and are not there.
    pub const KEY_MISS: Self = Self(1 << 12);
    /// `n`: keys that were not there before.
    pub const NEW: Self = Self(1 << 13);

    /// `K`: events are published on `__keyspace@<db>__` channels.
    pub const KEYSPACE: Self = Self(1 << 10);
    /// `E`: events are published on `__keyevent@<db>__` channels.
    pub const KEYEVENT: Self = Self(1 << 11);
    /// `A`: every class but key misses and new keys.
    pub const ALL: Self = Self((1 << 10) - 1);

    /// One letter per class, in the order in which Redis shows them.
    const LETTERS: [(u8, Self); 15] = [
        (b'g', Self::GENERIC),
        (b'$', Self::STRING),
        (b'l', Self::LIST),
        (b's', Self::SET),
        (b'h', Self::HASH),
        (b'z', Self::ZSET),
        (b'x', Self::EXPIRED),
        (b'e', Self::EVICTED),
        (b't', Self::STREAM),
        (b'd', Self::MODULE),
        (b'n', Self::NEW),
        (b'K', Self::KEYSPACE),
        (b'E', Self::KEYEVENT),
        (b'm', Self::KEY_MISS),
        (b'A', Self::ALL),
    ];

    /// The classes of a setting's word.
    #[inline]
    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The word of the setting.
    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    /// Whether there is no class.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether any class is in both.
    #[inline]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Reads letters; `None` when one is unknown.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let class =
            |byte: &u8| Self::LETTERS.iter().find(|(letter, _)| letter == byte).map(|&(_, class)| class);
        text.iter().try_fold(Self::default(), |classes, byte| Some(Self(classes.0 | class(byte)?.0)))
    }

    /// The letters, shortened to `A` where that stands for all.
    pub(super) fn render(self) -> String {
        let all = self.0 & Self::ALL.0 == Self::ALL.0;
        let mut text = String::from(if all { "A" } else { "" });
        for (letter, class) in &Self::LETTERS[..14] {
            // Why `n` is shown behind `A`, as Redis 7.2 does not: what is shown is written to the file and read back.
            if self.intersects(*class) && !(all && class.intersects(Self::ALL)) {
                text.push(char::from(*letter));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn letters_are_shown_in_the_order_of_redis() {
        for (text, expected) in [
            ("", ""),
            ("KEA", "AKE"),
            ("Kg$lshzxetd", "AK"),
            ("mnK", "nKm"),
            ("x$K", "$xK"),
            ("AA", "A"),
            ("AnE", "AnE"),
        ] {
            let classes = EventClass::parse(text.as_bytes());
            assert_eq!(classes.map(EventClass::render).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(EventClass::parse(b"K1"), None);
    }

    quickcheck! {
        fn shown_classes_read_back(bits: u32) -> bool {
            let classes = EventClass(bits & ((1 << 14) - 1));
            EventClass::parse(classes.render().as_bytes()) == Some(classes)
        }
    }
}
