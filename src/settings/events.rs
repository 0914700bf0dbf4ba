//! Classes of keyspace events as bits, and the letters that name them in `notify-keyspace-events`.

/// One letter per bit, in the order in which Redis shows them.
const LETTERS: [(u8, u32); 15] = [
    (b'g', 1 << 0),
    (b'$', 1 << 1),
    (b'l', 1 << 2),
    (b's', 1 << 3),
    (b'h', 1 << 4),
    (b'z', 1 << 5),
    (b'x', 1 << 6),
    (b'e', 1 << 7),
    (b't', 1 << 8),
    (b'd', 1 << 9),
    (b'K', KEYSPACE),
    (b'E', KEYEVENT),
    (b'm', 1 << 12),
    (b'n', 1 << 13),
    (b'A', ALL),
];

/// Events are published on `__keyspace@<db>__` channels.
const KEYSPACE: u32 = 1 << 10;
/// Events are published on `__keyevent@<db>__` channels.
const KEYEVENT: u32 = 1 << 11;
/// What `A` stands for: every class but key misses and new keys.
const ALL: u32 = (1 << 10) - 1;

/// Reads letters; `None` when one is unknown.
pub(super) fn parse(text: &[u8]) -> Option<u32> {
    let bit = |byte: &u8| LETTERS.iter().find(|(letter, _)| letter == byte).map(|&(_, bit)| bit);
    text.iter().try_fold(0, |bits, byte| Some(bits | bit(byte)?))
}

/// The letters for `bits`, shortened to `A` where that stands for all.
pub(super) fn render(bits: u32) -> String {
    let all = bits & ALL == ALL;
    let mut text = String::from(if all { "A" } else { "" });
    for (letter, bit) in &LETTERS[..14] {
        if bits & bit != 0 && !(all && bit & ALL != 0) {
            text.push(char::from(*letter));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    #[test]
    fn letters_are_shown_in_the_order_of_redis() {
        for (text, expected) in
            [("", ""), ("KEA", "AKE"), ("Kg$lshzxetd", "AK"), ("nmK", "Kmn"), ("x$K", "$xK"), ("AA", "A")]
        {
            assert_eq!(parse(text.as_bytes()).map(render).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(parse(b"K1"), None);
    }

    quickcheck! {
        fn shown_classes_read_back(bits: u32) -> bool {
            let bits = bits & ((1 << 14) - 1);
            parse(render(bits).as_bytes()) == Some(bits)
        }
    }
}
