//! Reads a transport stream with another implementation.

use std::collections::HashMap;

use mpeg2ts::ts::{ReadTsPacket, TsPacketReader, TsPayload};

#[derive(Debug, Default, Clone)]
pub(super) struct Pes {
    pub(super) pid: u16,
    pub(super) stream_id: u8,
    pub(super) pts: u64,
    pub(super) dts: u64,
    pub(super) length: u16,
    pub(super) random_access: bool,
    pub(super) data: Vec<u8>,
}

/// Version, PID of the clock, stream type and PID of each stream.
pub(super) type Pmt = (u8, u16, Vec<(u8, u16)>);

#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) pes: Vec<Pes>,
    /// In 90 kHz, with the PID, its mark and how many PES packets began before.
    pub(super) pcrs: Vec<(u16, u64, bool, usize)>,
    pub(super) pmts: Vec<Pmt>,
    /// Tag and content of the descriptors of each stream of the last PMT.
    pub(super) descriptors: Vec<Vec<(u8, Vec<u8>)>>,
    counters: HashMap<u16, u8>,
}

/// Reads with another implementation; checks continuity counters on the way.
pub(super) fn read(bytes: &[u8]) -> Read {
    let mut read = Read::default();
    let mut reader = TsPacketReader::new(bytes);
    while let Some(packet) = reader.read_ts_packet().unwrap() {
        let pid = packet.header.pid.as_u16();
        let counter = packet.header.continuity_counter.as_u8();
        let step = u8::from(packet.payload.is_some());
        if let Some(last) = read.counters.insert(pid, counter) {
            assert_eq!(counter, (last + step) & 15, "continuity of {pid:#x}");
        }
        let field = packet.adaptation_field;
        let random_access = field.as_ref().is_some_and(|field| field.random_access_indicator);
        if let Some((pcr, field)) = field.and_then(|field| Some((field.pcr?, field))) {
            let at = (pid, pcr.as_u64() / 300, field.discontinuity_indicator, read.pes.len());
            read.pcrs.push(at);
        }
        match packet.payload {
            Some(TsPayload::PesStart(pes)) => {
                assert!(pes.header.data_alignment_indicator);
                let pts = pes.header.pts.unwrap().as_u64();
                let dts = pes.header.dts.map_or(pts, |dts| dts.as_u64());
                let (length, data) = (pes.pes_packet_len, pes.data.to_vec());
                let stream_id = pes.header.stream_id.as_u8();
                read.pes.push(Pes { pid, stream_id, pts, dts, length, random_access, data });
            }
            Some(TsPayload::PesContinuation(data)) => {
                read.pes.iter_mut().rfind(|pes| pes.pid == pid).unwrap().data.extend_from_slice(&data);
            }
            Some(TsPayload::Pmt(pmt)) => {
                let streams = pmt.es_info.iter().map(|es| (es.stream_type as u8, es.elementary_pid.as_u16()));
                let descriptors = pmt.es_info.iter().map(|es| &es.descriptors);
                read.descriptors =
                    descriptors.map(|all| all.iter().map(|d| (d.tag, d.data.clone())).collect()).collect();
                let clock = pmt.pcr_pid.unwrap().as_u16();
                read.pmts.push((pmt.version_number.as_u8(), clock, streams.collect()));
            }
            _ => {}
        }
    }
    read
}

impl Read {
    pub(super) fn of(&self, pid: u16) -> impl Iterator<Item = &Pes> {
        self.pes.iter().filter(move |pes| pes.pid == pid)
    }
}

/// NAL units of a byte stream.
pub(super) fn units(data: &[u8]) -> Vec<Vec<u8>> {
    let mut units: Vec<Vec<u8>> = Vec::new();
    let mut at = 0;
    while at < data.len() {
        let prefix = [4, 3].into_iter().find(|&n| data[at..].starts_with(&[0, 0, 0, 1][4 - n..]));
        match (prefix, units.last_mut()) {
            (Some(n), _) => {
                units.push(Vec::new());
                at += n;
            }
            (None, Some(unit)) => {
                unit.push(data[at]);
                at += 1;
            }
            (None, None) => panic!("no start code"),
        }
    }
    units
}
