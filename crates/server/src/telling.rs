//! Whom to tell of what becomes of a stream, and whom to ask about it.

use catalog::Catalog;
use control::{Method, Post};
use delivery::Told;
use dialect::alibaba::callback;
use media::{StreamId, Wall};
use output::Notice;
use serde::{Deserialize, Serialize};

/// Publish arguments that recording callbacks repeat begin so (`reference/api-callbacks.md` §2.3).
const REPEATED: &str = "callback_";

/// What a publish found declared. It stays so until the next one (design §4), over our own restart, too. Holds no
/// secret: keys to sign with are looked up when something is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Telling {
    /// NotifyUrl of recordings.
    record: Option<Receiver>,
    /// NeedStatusNotify.
    status: bool,
    /// OnDemandUrl.
    decides: Option<Receiver>,
    /// Callback of the snapshot template and NotifyUrl of snapshots; one of each URL.
    snapshot: Vec<Receiver>,
    /// OssEndpoint as the snapshot template has it.
    snapshot_endpoint: String,
    /// The publish arguments that are told.
    args: Vec<(String, String)>,
}

/// Whom to call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receiver {
    /// Where.
    pub(crate) url: String,
    /// Whether signed.
    pub(crate) signed: bool,
}

impl Telling {
    /// What `catalog` says for a publish of `stream` with `args`.
    pub(crate) fn of(catalog: &Catalog, stream: &StreamId, args: &[(String, String)]) -> Self {
        let mut telling = Self::default();
        if let Some(template) = catalog.record_notifies().of_domain(stream.domain()) {
            let rule = &template.rule;
            let receiver = |url: &String| Receiver { url: url.clone(), signed: rule.auth_key.is_some() };
            telling.record = Some(receiver(&rule.url));
            telling.status = rule.status;
            telling.decides = rule.on_demand_url.as_ref().map(receiver);
        }
        if let Some(template) = catalog.snapshots().applying(stream) {
            telling.snapshot_endpoint = template.given.oss_endpoint.clone().unwrap_or_default();
            telling
                .snapshot
                .extend(template.rule.callback.clone().map(|url| Receiver { url, signed: false }));
        }
        if let Some(template) = catalog.snapshot_notifies().of_domain(stream.domain()) {
            let receiver =
                Receiver { url: template.rule.url.clone(), signed: template.rule.auth_key.is_some() };
            telling.snapshot.retain(|other| other.url != receiver.url);
            telling.snapshot.push(receiver);
        }
        telling.args = args.iter().filter(|(name, _)| name.starts_with(REPEATED)).cloned().collect();
        telling
    }

    /// Whom to ask whether to record.
    pub(crate) fn decides(&self) -> Option<&Receiver> {
        self.decides.as_ref()
    }

    /// Whether anybody is to be told of recordings.
    pub(crate) fn tells_of_recordings(&self) -> bool {
        self.record.is_some()
    }

    /// Whether anybody is to be told of pictures.
    pub(crate) fn tells_of_snapshots(&self) -> bool {
        !self.snapshot.is_empty()
    }

    /// As [`delivery::LaneEffect::Notice`] carries it.
    pub(crate) fn to_context(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From there; nobody is told if it is none.
    pub(crate) fn from_context(context: &str) -> Self {
        serde_json::from_str(context).unwrap_or_default()
    }

    /// The calls to make of something that happened.
    pub(crate) fn posts(&self, told: &Told, now: Wall) -> Vec<Post> {
        let stream = &told.stream;
        let (receivers, kind, body) = match &told.notice {
            Notice::SnapshotStored { object, at, overwrite } => {
                let endpoint = &self.snapshot_endpoint;
                let (kind, body) = callback::snapshot(stream, endpoint, object, *at, *overwrite);
                (&self.snapshot[..], kind, body)
            }
            notice => match callback::record(notice, stream, &self.args, self.status) {
                Some((kind, body)) => (self.record.as_slice(), kind, body),
                None => return Vec::new(),
            },
        };
        let post = |(n, receiver): (usize, &Receiver)| Post {
            id: format!("{}#{n}", told.id),
            stream: stream.clone(),
            kind: kind.to_owned(),
            url: receiver.url.clone(),
            method: Method::Post,
            body: body.clone(),
            signed: receiver.signed,
            created: now,
        };
        receivers.iter().enumerate().map(post).collect()
    }
}

/// The key that a call of `kind` for `domain` is signed with now.
pub(crate) fn key(catalog: &Catalog, domain: &str, kind: &str) -> Option<String> {
    match kind {
        "snapshot" => catalog.snapshot_notifies().of_domain(domain)?.rule.auth_key.clone(),
        _ => catalog.record_notifies().of_domain(domain)?.rule.auth_key.clone(),
    }
}
