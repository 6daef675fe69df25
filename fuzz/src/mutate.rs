//! Mutants: a seed, a few times changed.

use crate::dice::Dice;

/// The longest input in bytes: enough for any structure, short enough for thousands of runs a second.
pub(crate) const MAX_INPUT: usize = 64 << 10;
/// The longest piece that one change cuts, repeats or takes from another seed.
const MAX_PIECE: usize = 512;
/// Numbers at the edges of fields.
const INTERESTING: &[u32] = &[
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    9,
    15,
    16,
    17,
    31,
    32,
    63,
    64,
    127,
    128,
    129,
    255,
    256,
    1023,
    1024,
    4096,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7f_ffff,
    0x80_0000,
    0xff_fffe,
    0xff_ffff,
    0x100_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
];

/// A mutant of one of `seeds`. Empty seeds are fine.
pub(crate) fn mutant(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = dice.pick(seeds).cloned().unwrap_or_default();
    // Mostly few changes, so that what is behind the first fault is reached, too.
    for _ in 0..=dice.scale(6) {
        change(&mut bytes, seeds, dice);
    }
    bytes.truncate(MAX_INPUT);
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.roll(bytes.len() + 1);
    let end = (at + 1 + dice.scale(MAX_PIECE.ilog2() as usize)).min(bytes.len());
    let piece = at.min(end)..end;
    match dice.roll(12) {
        0..=2 => flip(bytes, at, dice),
        3 | 4 => set(bytes, at, dice),
        5 | 6 => number(bytes, at, dice),
        7 => drop(bytes.drain(piece)),
        8 => repeat(bytes, piece, dice),
        9 => {
            let byte = dice.byte();
            bytes.insert(at, byte);
        }
        10 => splice(bytes, at, seeds, dice),
        _ if dice.roll(4) == 0 => bytes.truncate(at),
        _ => graft(bytes, piece, seeds, dice),
    }
}

fn flip(bytes: &mut [u8], at: usize, dice: &mut Dice) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << dice.roll(8);
    }
}

fn set(bytes: &mut [u8], at: usize, dice: &mut Dice) {
    let value = if dice.roll(2) == 0 { dice.byte() } else { INTERESTING[dice.roll(18)] as u8 };
    if let Some(byte) = bytes.get_mut(at) {
        *byte = value;
    }
}

/// An interesting number in 1 to 4 bytes, in either order, or one near to what is there.
fn number(bytes: &mut [u8], at: usize, dice: &mut Dice) {
    let width = 1 + dice.roll(4);
    let Some(field) = bytes.get_mut(at..at + width) else { return };
    let there = field.iter().fold(0u32, |value, &byte| value << 8 | u32::from(byte));
    let value = match dice.roll(3) {
        0 => there.wrapping_add(1 + dice.roll(16) as u32),
        1 => there.wrapping_sub(1 + dice.roll(16) as u32),
        _ => INTERESTING[dice.roll(INTERESTING.len())],
    };
    field.copy_from_slice(&value.to_be_bytes()[4 - width..]);
    if dice.roll(4) == 0 {
        field.reverse();
    }
}

fn repeat(bytes: &mut Vec<u8>, piece: std::ops::Range<usize>, dice: &mut Dice) {
    let copies = 1 + dice.scale(8);
    let (at, piece) = (piece.end, bytes[piece].to_vec());
    let copies = copies.min(MAX_INPUT / piece.len().max(1));
    bytes.splice(at..at, piece.repeat(copies));
}

/// Goes on as another seed does.
fn splice(bytes: &mut Vec<u8>, at: usize, seeds: &[Vec<u8>], dice: &mut Dice) {
    let Some(other) = dice.pick(seeds) else { return };
    let from = dice.roll(other.len() + 1);
    bytes.truncate(at);
    bytes.extend_from_slice(&other[from..]);
}

/// Puts a piece of another seed in place of `piece`.
fn graft(bytes: &mut Vec<u8>, piece: std::ops::Range<usize>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let Some(other) = dice.pick(seeds) else { return };
    let from = dice.roll(other.len() + 1);
    let end = (from + dice.roll(MAX_PIECE)).min(other.len());
    bytes.splice(piece, other[from..end].iter().copied());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_differ_from_their_seeds_and_stay_within_the_limit() {
        let seeds = [vec![7; 1000], vec![9; MAX_INPUT], Vec::new()];
        let mut dice = Dice::new(1);
        let mutants: Vec<Vec<u8>> = (0..2000).map(|_| mutant(&seeds, &mut dice)).collect();
        let changed = mutants.iter().filter(|mutant| !seeds.contains(mutant)).count();
        assert!(changed > 1500, "{changed} of 2000 differ");
        assert!(mutants.iter().all(|mutant| mutant.len() <= MAX_INPUT));
        assert!(mutants.iter().any(|mutant| mutant.contains(&7) && mutant.contains(&9)), "no splices");
    }

    #[test]
    fn the_same_seed_makes_the_same_mutants() {
        let seeds = [b"seed".to_vec()];
        let mutants = |seed| {
            let mut dice = Dice::new(seed);
            (0..50).map(|_| mutant(&seeds, &mut dice)).collect::<Vec<_>>()
        };
        assert_eq!(mutants(3), mutants(3));
        assert_ne!(mutants(3), mutants(4));
    }
}
