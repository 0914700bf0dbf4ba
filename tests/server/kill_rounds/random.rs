//! Random choices that a seed repeats (`SplitMix64`, from Steele, Lea and Flood, "Fast splittable pseudorandom number
//! generators", 2014).

/// A stream of choices.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Some bytes of text.
    pub fn text(&mut self, bytes: usize) -> Vec<u8> {
        let letter = b'a' + self.below(26) as u8;
        let mut text = format!("{:x}", self.next()).into_bytes();
        text.resize(bytes, letter);
        text
    }
}
