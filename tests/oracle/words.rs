//! What may stand in a command: keys, values and numbers of every kind, few enough that commands meet.

use crate::random::Random;

/// In the place of a payload: the player puts there what the *other* server's DUMP says of the key behind this.
pub const PAYLOAD: &[u8] = b"\0payload of ";
/// The same with one byte changed.
pub const DAMAGED: &[u8] = b"\0damaged of ";

/// The time limits that blocking commands get: short, or refused.
pub const TIMEOUTS: [&str; 8] = ["0.003", "0.01", "0.003", "-1", "abc", "", "nan", "-0.5"];

const TYPES: &[u8] = b"slhez";

const SCORES: &str = "0|1|-1|2|3|5|0.5|-0|1.5|3.25|0.1|1e3|-2.75|inf|-inf|+inf|1e300|5e-324|1e17|123456789012345678|\
    0.30000000000000004|3.0";
const FLOATS: &str = "1|-1|0.1|0.2|1.5|-2.25|3.0e3|1e-7|100|5.0|1e17|1e10|123456789.123456789|0|-0.0|1e2|inf|nan|abc|\
    0.000001";
const INTS: &str = "0|1|-1|2|7|10|100|-100|255|9223372036854775807|-9223372036854775808|9223372036854775808|abc|\
    1.0|| 1";
/// No two stars alone: Redis does not match an empty key with them, but with one.
const PATTERNS: &str = "*|s*|?1|[sl]*|f*|m1*|*0|[^s]*|\\*|nothing||[a-m]*|f[0-5|?*";

const SETTINGS: &str = "hash-max-listpack-entries|hash-max-ziplist-value|zset-max-listpack-entries|\
    ZSET-max-listpack-value|lfu-log-factor|port-of-nothing|hash-max-*|";

/// What a mutation puts into a command.
const JUNK: &str = "|abc|-1|0|1|2|9223372036854775807|-9223372036854775808|9223372036854775808|\
    18446744073709551616|1.5|nan|inf|-inf|1e400| 1|1 |+1|00|0x10|\r\n|\u{1}\u{7f}|NX|XX|GT|LT|CH|\
    INCR|LIMIT|WITHSCORES|WITHVALUES|COUNT|MATCH|GET|KEEPTTL|EX|PX|EXAT|PXAT|PERSIST|BY|REV|\
    BYSCORE|BYLEX|AGGREGATE|WEIGHTS|SUM|STORE|LEFT|RIGHT|MIN|MAX|BEFORE|ALPHA|DESC|LEN|IDX|TYPE|\
    REPLACE|ABSTTL|FIELDS|(1|[a|-|+|#";

/// The words of one sequence.
#[derive(Debug)]
pub struct Words {
    /// Keys of each type.
    pub keys: u64,
    /// Different members, fields and elements, roughly.
    pub members: u64,
    /// Whether all scores are the same, without which ranges by name mean nothing.
    pub one_score: bool,
}

impl Words {
    /// Something of a kind that a template names.
    pub fn of_kind(&self, kind: &str, random: &mut Random) -> Vec<u8> {
        match kind {
            "string" => self.key(b's', random),
            "list" => self.key(b'l', random),
            "hash" => self.key(b'h', random),
            "set" => self.key(b'e', random),
            "zset" => self.key(b'z', random),
            "any" => self.key(TYPES[random.below(5) as usize], random),
            "value" => value(random),
            "field" | "member" | "element" => self.member(random),
            "score" if self.one_score => b"0".to_vec(),
            "score" => pick(SCORES, random),
            "float" => pick(FLOATS, random),
            "int" => self.int(random),
            "index" => self.index(random),
            "bound" => bound(random),
            "lex" => self.lex(random),
            "seconds" => time(random, 1),
            "millis" => time(random, 1000),
            "unix" => unix_time(random, 1),
            "unixmillis" => unix_time(random, 1000),
            "pattern" => pick(PATTERNS, random),
            "cursor" => rarely(random, "0", "abc|-1|18446744073709551616||0x0|00"),
            "scanned" => rarely(random, "1|3|10|1000", "0|-1|abc|9223372036854775807"),
            "db" => rarely(random, "0|1|0", "2|-1|16|abc|9999999999|1.0"),
            "type" => rarely(random, "string|list|hash|set|zset", "stream|STRING|foo|"),
            "timeout" => TIMEOUTS[random.below(TIMEOUTS.len() as u64) as usize].as_bytes().to_vec(),
            "many" => rarely(random, "5000|100000", "0|-1|abc||9223372036854775808"),
            "offset" => rarely(random, "0|1|5|40|300", "-1|abc|4294967296|9223372036854775807"),
            "sortby" => pick("s*|h*->f1|nosort|l*|h0->f*|*|e*->|s*x", random),
            "sortget" => pick("#|s*|h*->f1|s0|*->f1|nothing_*|h0->f*", random),
            "setting" => pick(SETTINGS, random),
            "harmless" => pick("lfu-log-factor|LFU-log-factor|port-of-nothing|databases|lfu-*|", random),
            "payload" => payload(&self.key(TYPES[random.below(5) as usize], random), random),
            _ => panic!("no such kind: {kind}"),
        }
    }

    /// What a mutation puts into a command.
    pub fn junk(&self, random: &mut Random) -> Vec<u8> {
        match random.below(12) {
            0 => self.key(b'l', random),
            1 => self.member(random),
            2 => long(random, 300),
            _ => pick(JUNK, random),
        }
    }

    /// A key of a type, mostly; sometimes one of another.
    fn key(&self, letter: u8, random: &mut Random) -> Vec<u8> {
        let letter = if random.below(12) == 0 { TYPES[random.below(5) as usize] } else { letter };
        match random.below(150) {
            0 => Vec::new(),
            1 => b"\xff\0 key\r\n".to_vec(),
            2 => b"missing".to_vec(),
            _ => vec![letter, b'0' + random.below(self.keys) as u8],
        }
    }

    fn member(&self, random: &mut Random) -> Vec<u8> {
        let number = random.below(self.members);
        match random.below(41) {
            0 => Vec::new(),
            40 if random.below(3) == 0 => format!("large {number} {}", "y".repeat(3000)).into_bytes(),
            1 => b"\xfe\x01\r\n".to_vec(),
            2 => pick("1.0|01|-0|+1|9223372036854775807|-9223372036854775808", random),
            3 => pick("9223372036854775808|32768|-32769|2147483648|4294967296|a|Z", random),
            4 => format!("long {number} {}", "x".repeat(40)).into_bytes(),
            5..20 => (number as i64 - 3).to_string().into_bytes(),
            20..38 => format!("f{number}").into_bytes(),
            _ => format!("m{number}").into_bytes(),
        }
    }

    fn int(&self, random: &mut Random) -> Vec<u8> {
        match random.below(3) {
            0 => pick(INTS, random),
            _ => (random.below(2 * self.members) as i64 - 5).to_string().into_bytes(),
        }
    }

    fn index(&self, random: &mut Random) -> Vec<u8> {
        match random.below(15) {
            0 => pick(INTS, random),
            1..4 => pick("0|-1", random),
            _ => (random.below(2 * self.members) as i64 - self.members as i64).to_string().into_bytes(),
        }
    }

    fn lex(&self, random: &mut Random) -> Vec<u8> {
        match random.below(12) {
            0..2 => b"-".to_vec(),
            2..4 => b"+".to_vec(),
            4 => pick("[|(|abc||[f", random),
            n => [if n % 2 == 0 { b"[" } else { b"(" }, self.member(random).as_slice()].concat(),
        }
    }
}

/// One of some words, between which bars stand.
fn pick(from: &str, random: &mut Random) -> Vec<u8> {
    let choice = random.below(from.split('|').count() as u64) as usize;
    from.split('|').nth(choice).unwrap_or_default().as_bytes().to_vec()
}

fn rarely(random: &mut Random, often: &str, seldom: &str) -> Vec<u8> {
    if random.below(12) == 0 { pick(seldom, random) } else { pick(often, random) }
}

fn long(random: &mut Random, bytes: usize) -> Vec<u8> {
    random.text(bytes)
}

fn value(random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0..4 => pick(INTS, random),
        4..6 => pick(FLOATS, random),
        6 => long(random, 44),
        7 => long(random, 45),
        8 => {
            let bytes = 60 + random.below(500) as usize;
            long(random, bytes)
        }
        9 if random.below(20) == 0 => long(random, 70_000),
        9 => (1..=255).chain([0]).collect(),
        10 => b"hello world".to_vec(),
        11 => b"\xfe\x01\r\n".to_vec(),
        12..16 => (random.below(40) as i64 - 10).to_string().into_bytes(),
        _ => pick("a|b|abc|ohmytext|mynewtext|3.5", random),
    }
}

fn bound(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0..2 => b"-inf".to_vec(),
        2..4 => b"+inf".to_vec(),
        4 => pick("(inf|(-inf|nan|(||abc|[1|( 1", random),
        n => {
            let score = pick(SCORES, random);
            if n % 2 == 0 { score } else { [b"(".as_slice(), &score].concat() }
        }
    }
}

/// How long until a key expires: far away, and never twice the same, as which of two is later must not depend on when
/// the command came. Or past, or too far.
fn time(random: &mut Random, factor: u64) -> Vec<u8> {
    match random.below(15) {
        0 => pick("0|-1|-1000000", random),
        1 => pick("9223372036854775807|9223372036854775|-9223372036854775808|abc|1.5", random),
        _ => {
            ((200_000 + random.below(1_000_000_000)) * factor + random.below(factor)).to_string().into_bytes()
        }
    }
}

fn unix_time(random: &mut Random, factor: u64) -> Vec<u8> {
    match random.below(15) {
        0 => pick("0|-1|1|1000000000", random),
        1 => pick("9223372036854775807|9223372036854775|-9223372036854775808|abc|1.5", random),
        _ => ((4_000_000_000 + random.below(1_000_000_000)) * factor).to_string().into_bytes(),
    }
}

fn payload(key: &[u8], random: &mut Random) -> Vec<u8> {
    match random.below(15) {
        0 => [DAMAGED, key].concat(),
        1 => pick("|abc|0123456789", random),
        _ => [PAYLOAD, key].concat(),
    }
}
