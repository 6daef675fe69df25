//! Randomness that can be repeated.

/// xorshift64: the same rolls for the same seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Any seed will do.
    pub fn new(seed: u64) -> Self {
        // Nearby seeds must not begin alike, and 0 would stay 0.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Dice that depend on `bytes` alone (FNV-1a): how an entry makes choices that a replay repeats.
    pub fn of(bytes: &[u8]) -> Self {
        Self::new(hash(bytes))
    }

    /// The next number below `below`; 0 if that is 0.
    pub fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The low bits of an xorshift are its weak ones.
        ((self.0 >> 16) % below.max(1) as u64) as usize
    }

    /// The next number below 2 to the power of a number below `powers`: small ones as often as large ones.
    pub fn scale(&mut self, powers: usize) -> usize {
        let power = self.roll(powers);
        self.roll(1 << power)
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.roll(256) as u8
    }

    /// One of `items`.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.roll(items.len()))
    }
}

/// FNV-1a of `bytes`.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_give_the_same_rolls_and_others_do_not() {
        let rolls = |bytes: &[u8]| {
            let mut dice = Dice::of(bytes);
            (0..8).map(|_| dice.byte()).collect::<Vec<u8>>()
        };
        assert_eq!(rolls(b"a"), rolls(b"a"));
        assert_ne!(rolls(b"a"), rolls(b"b"));
        assert_ne!(rolls(b""), rolls(b"\0"));
    }
}
