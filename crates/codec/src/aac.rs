//! AAC: AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1) and ADTS headers (§1.A.2.2).

mod adts;
mod config;
#[cfg(test)]
mod tests;

pub use adts::adts_header;
pub use config::config;

/// Table 1.18: samples per second of samplingFrequencyIndex 0 to 12.
const SAMPLE_RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// Audio object type of AAC low complexity.
const LC: u8 = 2;
/// Audio object type of spectral band replication: HE-AAC.
const SBR: u8 = 5;
/// Audio object type of parametric stereo: HE-AAC v2.
const PS: u8 = 29;
