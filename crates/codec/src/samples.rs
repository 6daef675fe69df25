//! Bytes for tests.

/// Bytes from their hexadecimal digits.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Calls `run` with thousands of mutants of `seeds` and with noise, always the same.
pub(crate) fn mutate(seeds: &[Vec<u8>], mut run: impl FnMut(&[u8])) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..20_000 {
        let mut bytes: Vec<u8> = match seeds.get(round % (seeds.len() + 1)) {
            Some(seed) => seed.clone(),
            None => (0..random() % 64).map(|_| (random() >> 11) as u8 & (random() >> 23) as u8).collect(),
        };
        for _ in 0..random() % 4 {
            if let Some(byte) = bytes.get_mut((random() % 48) as usize) {
                *byte = random() as u8;
            }
        }
        if random() % 4 == 0 {
            bytes.truncate((random() % 64) as usize);
        }
        run(&bytes);
    }
}
