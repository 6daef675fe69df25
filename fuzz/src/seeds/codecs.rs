//! Configurations and frames as encoders make them; of frames, their beginnings.

/// Bytes from their hexadecimal digits.
fn hex(text: &str) -> Vec<u8> {
    let digits = text.bytes().filter_map(|digit| (digit as char).to_digit(16)).collect::<Vec<_>>();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

fn all(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| hex(text)).collect()
}

/// A frame of `size` bytes that begins like this.
fn frame(beginning: &str, size: usize) -> Vec<u8> {
    let mut frame = hex(beginning);
    frame.resize(size, 0);
    frame
}

/// Sequence parameter sets, records without SEI, access units.
#[rustfmt::skip]
pub(crate) fn h265() -> Vec<Vec<u8>> {
    all(&[
        // x265: Main, Main 10, 4:2:2, 4:4:4 with temporal layers; Kvazaar
        "42010101600000030090000003000003003ca00a080c1f3e595952930bc05a020000030002000003003c10",
        "420101022000000300900000030000030078a003c08011075336595952930bc05a84880482000007d20000bb8010",
        "4201010408000003009d0800000300003fb005220171c44ed965654a4e178234040000030004000003006420",
        "420104040800000300980800000300003f000090014901f3bb294b2b29594acb24995ffe000e000ad81000003e90000e\
         a60080",
        "4201020160000003008000000300000300ba0000a00a080f16820464932ac04040000003004000000782",
        // everything optional at once
        "42010d04080000030090000003000003005a76703c04080000030090000003000003003d3e0408000003009000000300\
         000300400408000003009000000300000300419000509005b3219086c6cae572b95cae572bc9225d3216990b4c85a269\
         90b4c85a642d53216990b4c85aa642d3216990b54c85a642d3216990b4c85a642d3216990b4c85a642d3216990b4c852\
         6990b4c85a642d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642d3216990b4c85a6\
         42d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642c20990b4c85a642d3216990b4c\
         85a642d3216990b4c85a642d3216990a4c20990b4c85a642d3216990b4c85a642d3216990b4c85a642d3216990b08264\
         2d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642c20990b4c85a642d3216990b4c85a642d3216990b4c8\
         5a642d3216990b082642d3216990b4c85a642d3216990b4c85a642d3216990b4c85a642c20990b4c85a642d3216990b4\
         c85a642d3216990b4c85a642d3216990bddee56b527d34ebeb0004ffffbffc00140012d42448242990b000003e90001d\
         4c0c40",
        // records: a capture's, and x265 in 4:4:4
        "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff0160000003009000000300000300\
         3c959809a10001002b42010101600000030090000003000003003ca00a080b9f796566924caf01680800000300080000\
         0300f040a2000100074401c172b46240",
        "0104080000009808000000003ff000fcfffcfc00001b03a00001001d40010c04ffff040800000300980800000300003f\
         00009594aca5650240a100010033420104040800000300980800000300003f000090014901f3bb294b2b29594acb2499\
         5ffe000e000ad81000003e90000ea60080a2000100084401c172860c4624",
        // access units: a delimiter and an IDR picture, a trailing picture
        "00000003460150000000052801af0958",
        "000000050201d0294b",
    ])
}

/// Records with and without OBUs, and temporal units.
pub(crate) fn av1() -> Vec<Vec<u8>> {
    all(&[
        "81000c000a0b0200000521e7f66017c002",
        "81014c000a0f0200000d26281b4805f0a040412080",
        "812000000a0d200000043cffbcdaf92021a004",
        "81000c000a071821e7fded0040",
        "815f4800",
        // timing, a decoder model, three operating points, HDR
        "810d4e000a2a0400000fa4000753024a400057e42878840dabe92c020274c0011be92c2753dff1f9affd77a122012980",
        // units: key frames of libaom and rav1e, a delta frame, a shown existing frame
        "12000a0b0200000521e7f66257c80232021008",
        "12000a0e400000fa1e836a210aa40808094032021002",
        "120032022810",
        "12001a01e8",
    ])
}

/// Records with and without version and flags, frames of each profile, and a superframe.
pub(crate) fn vp9() -> Vec<Vec<u8>> {
    all(&[
        "01000000000b820202020000",
        "0029820101010000",
        "010000000215a20910090000",
        "824983420013f00b360638241c18",
        "924983425014080b4b031c120e0c",
        "a2498342e013f00ef60638241c18",
        "b124c1a142009f8077b031c120e0",
        "86004092f121400000bc",
        "824983420013f00b360638241c1886004092f121400000bcc90e000a00c9",
        "88",
    ])
}

/// Headers of LAME's frames in each version of MPEG.
pub(crate) fn mp3() -> Vec<Vec<u8>> {
    all(&["fffb9064", "fffbe464", "fffb50c4", "fff340c4", "ffe33864"])
}

/// Heads of both kinds of mapping, and packets of each code.
pub(crate) fn opus() -> Vec<Vec<u8>> {
    all(&[
        "4f707573486561640102380180bb0000000000",
        "4f707573486561640106780080bb00000000010402000401020305",
        "fc7e0299e7f9",
        "7b038202b035",
        "ff067e0299e7",
        "7a0030",
    ])
}

/// STREAMINFO in its wrappings, and frames.
pub(crate) fn flac() -> Vec<Vec<u8>> {
    let bare = "040004000000fc00018b0bb800f0000232800e9d7dce5ba2b3c21e0da827578eebfe";
    let file = format!("664c614300000022{bare}8400000400000000");
    let block = format!("80000022{bare}");
    all(&[
        bare,
        &file,
        &block,
        "fff8aa0800ed4c000000",
        "fff87a881701bf634af8",
        "fff87b5c0004d16c0000",
        "fff86408fe80808080808000c7b84e",
    ])
}

/// Syncframes of FFmpeg's encoders, and access units of several substreams.
pub(crate) fn ac3() -> Vec<Vec<u8>> {
    let dependent = frame("0b77407f3486e0b020042b09a0", 256);
    let programmes = [
        frame("0b7700c72486e0b930f0d5e6f7d4b5584e80", 400),
        frame("0b7708632086e0bb82e4c98786af37be026c04da94b0984e80", 200),
    ];
    vec![
        frame("0b77480d0c402f842b", 384),
        frame("0b77b50b1e40ebf840", 1_792),
        frame("0b77c4e54d402f8429", 418),
        frame("0b7700bf3487c00020fc21", 384),
        frame("0b7707ff0487c40015ff9f", 4_096),
        frame("0b77017f3f86e0a4101108", 768),
        [frame("0b77017f3f86e0b64263930f0d5e6f7d4a9534b09a", 768), dependent].concat(),
        programmes.concat().repeat(2),
        frame("0b770095d386e0b8e4c3c3579bdf0136a54a9b6128", 300),
    ]
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// Whether at least so many of the seeds are taken.
    #[track_caller]
    fn taken(seeds: &[Vec<u8>], least: usize, takes: impl Fn(&Bytes) -> bool) {
        let count = seeds.iter().filter(|seed| takes(&Bytes::copy_from_slice(seed))).count();
        assert!(count >= least, "{count} of {}", seeds.len());
    }

    #[test]
    fn the_configurations_and_frames_among_the_seeds_are_read() {
        taken(&h265(), 6, |seed| codec::h265::picture(seed).is_ok());
        taken(&h265(), 2, |seed| codec::h265::config(seed).is_ok());
        taken(&h265(), 1, |seed| codec::h265::is_irap(seed, 4));
        taken(&av1(), 6, |seed| codec::av1::config(seed).is_ok());
        taken(&av1(), 2, codec::av1::is_key);
        taken(&vp9(), 3, |seed| codec::vp9::config(seed).is_ok());
        taken(&vp9(), 5, |seed| codec::vp9::is_key(seed));
        taken(&mp3(), 5, |seed| codec::mp3::config(seed).is_ok());
        taken(&opus(), 2, |seed| codec::opus::config(seed).is_ok());
        taken(&flac(), 3, |seed| codec::flac::config(seed).is_ok());
        taken(&ac3(), 3, |seed| codec::ac3::config(seed, false).is_ok());
        taken(&ac3(), 9, |seed| codec::ac3::config(seed, true).is_ok());
    }
}
