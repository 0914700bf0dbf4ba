//! What the benchmarks share: keys, in an order that no prefetcher follows.

/// One of many keys, 16 bytes long.
pub fn key(n: u64) -> [u8; 16] {
    let mut key = *b"key:000000000000";
    let mut n = n;
    for digit in key[4..].iter_mut().rev() {
        *digit = b'0' + (n % 10) as u8;
        n /= 10;
    }
    key
}

/// Numbers below `count` in an order that no prefetcher follows, another one for each seed.
pub fn scattered(seed: u64, count: u64) -> impl FnMut() -> u64 {
    let mut state = 2 * seed + 1;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % count
    }
}
