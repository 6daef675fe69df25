//! Sessions that our own restart interrupted.

use std::collections::BTreeMap;

use delivery::{Lane, Recovered};
use hub::{Hub, Interrupted, Session, SlotId, World as _};
use media::{SessionId, StreamId, Wall};
use output::record::Container;

use crate::world::Outside;

/// Lets every session whose recordings were open wait for its publisher, as if it had just lost it: DelayTime runs on
/// from the last frame that was saved.
pub(crate) fn recover(outside: &Outside, hub: &Hub, recovered: Vec<Recovered>) {
    let mut sessions: BTreeMap<(StreamId, SessionId), Vec<Recovered>> = BTreeMap::new();
    for lane in recovered {
        sessions.entry((lane.stream.clone(), lane.session)).or_default().push(lane);
    }
    let opened = |lanes: &[Recovered]| lanes.iter().map(|lane| lane.opened).min().unwrap_or_default();
    let mut sessions: Vec<_> =
        sessions.into_iter().map(|((stream, id), lanes)| (stream, id, opened(&lanes), lanes)).collect();
    // Of two sessions of a stream, which only a crash at the worst moment leaves, the newer one goes on.
    sessions.sort_by_key(|&(_, _, opened, _)| std::cmp::Reverse(opened));
    for (stream, id, opened, lanes) in sessions {
        tracing::info!(%stream, session = %id, recordings = lanes.len(), "recording goes on after the restart");
        let session = resume(outside, &stream, opened, id, lanes);
        hub.resume(&stream, session);
    }
}

fn resume(
    outside: &Outside,
    stream: &StreamId,
    opened: Wall,
    id: SessionId,
    recovered: Vec<Recovered>,
) -> Session {
    let mut lanes: BTreeMap<SlotId, Lane> = BTreeMap::new();
    let mut interrupted = Vec::new();
    for Recovered { product, index, saved, lane, .. } in recovered {
        match product_named(&product) {
            Some(product) => {
                lanes.insert(SlotId { index, product }, lane);
                interrupted.push(Interrupted { index, saved });
            }
            None => give_up(stream, id, &product, lane),
        }
    }
    let (_, memory) = outside.open(stream);
    let (session, lost) = Session::resume(id, stream.clone(), opened, memory, interrupted);
    for (slot, lane) in lanes {
        if lost.contains(&slot.index) {
            give_up(stream, id, slot.product, lane);
        } else {
            outside.adopt(id, slot, lane);
        }
    }
    session
}

fn give_up(stream: &StreamId, session: SessionId, product: &str, lane: Lane) {
    tracing::error!(%stream, %session, product, "what was saved of this recording cannot be read; its files are dead letters");
    lane.abandon();
}

fn product_named(name: &str) -> Option<&'static str> {
    Container::ALL.into_iter().map(Container::product).find(|product| *product == name)
}
