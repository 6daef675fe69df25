//! An RTMP connection from its first byte to its last: who it is, whether it may, and its media to its session.

use std::net::SocketAddr;
use std::sync::Arc;

use catalog::Plan;
use control::Control;
use hub::{Hub, Interrupt, Live};
use ingest::{Incoming, Pace, PublishRequest, Publisher, Received, Request};
use media::{Gap, Kind, StreamId};
use metrics::counter;
use tracing::{Instrument as _, info_span};

use crate::clock;
use crate::telling::Telling;
use crate::world::Outside;

const NO_DOMAIN: &str = "no domain of this server is called by the name in the URL, and none is the default";
const FORBIDDEN: &str = "this stream is forbidden";
const NO_PLAY: &str = "this server plays over HTTP";

/// What an RTMP connection needs of the server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Publishing {
    pub(crate) hub: Hub,
    pub(crate) control: Control,
    pub(crate) pace: Pace,
    pub(crate) limits: rtmp::Limits,
    pub(crate) outside: Arc<Outside>,
    /// Bytes of live windows from which on no further stream is let in.
    pub(crate) max_window_bytes: u64,
}

impl Publishing {
    /// Serves one connection to its end.
    pub(crate) async fn connection(self, incoming: Incoming) {
        let peer = incoming.peer();
        match incoming.request(self.limits.clone()).await {
            Ok(Request::Publish(request)) => self.publish(request).await,
            Ok(Request::Play(request)) => {
                tracing::info!(%peer, app = %request.play().app, stream = %request.play().stream, "RTMP play refused");
                request.refuse(NO_PLAY).await;
            }
            Err(error) => {
                counter!("millrace_rtmp_failed_total").increment(1);
                tracing::info!(%peer, %error, "RTMP connection ended before it published");
            }
        }
    }

    async fn publish(self, request: PublishRequest) {
        let peer = request.peer();
        let (plan, live) = match self.admit(request.publish(), peer).await {
            Ok(admitted) => admitted,
            Err(reason) => {
                counter!("millrace_publish_refused_total").increment(1);
                let rtmp::Publish { app, stream, .. } = request.publish();
                tracing::warn!(%peer, %app, %stream, %reason, "publish refused");
                return request.refuse(&reason).await;
            }
        };
        let session = live.session().map(|session| session.to_string()).unwrap_or_default();
        let span = info_span!("publish", stream = %plan.stream, session);
        let client = request.publish().client.clone();
        async {
            tracing::info!(%peer, client, outputs = plan.outputs.len(), "publish begins");
            for warning in &plan.warnings {
                tracing::warn!("{warning}");
            }
            counter!("millrace_publishes_total").increment(1);
            match request.accept(&self.pace).await {
                Ok(publisher) => feed(publisher, live).await,
                Err(error) => {
                    tracing::info!(%error, "publish ended at once");
                    live.gone(Gap::Dropped);
                }
            }
        }
        .instrument(span)
        .await;
    }

    /// Finds the stream's plan and claims its session, or says why not.
    async fn admit(&self, publish: &rtmp::Publish, client: SocketAddr) -> Result<(Plan, Live), String> {
        let host = publish.vhost.as_deref().or(publish.tc_host.as_deref());
        let catalog = self.control.catalog();
        let domain = catalog.domain_of(host).ok_or(NO_DOMAIN)?;
        let stream =
            StreamId::parse(domain.name(), &publish.app, &publish.stream).map_err(|e| e.to_string())?;
        if catalog.is_forbidden(&stream, clock::now()) {
            return Err(FORBIDDEN.to_owned());
        }
        let held = self.outside.origin.bytes();
        if held >= self.max_window_bytes {
            return Err(format!("live windows hold {held} bytes, the most is {}", self.max_window_bytes));
        }
        let telling = Telling::of(&catalog, &stream, &publish.args);
        let plan = catalog.resolve(&catalog::Publish { stream, args: publish.args.clone() });
        let policy = match plan.second_publisher {
            catalog::SecondPublisher::Refuse => hub::SecondPublisher::Refuse,
            catalog::SecondPublisher::TakeOver => hub::SecondPublisher::TakeOver,
        };
        let live = self.hub.claim(&plan.stream, &plan.outputs, policy).await.map_err(|e| e.to_string())?;
        self.outside.tell(&plan.stream, telling);
        // Who forbids the stream from here on finds this publisher to kick; who did so meanwhile found nobody.
        if self.control.catalog().is_forbidden(&plan.stream, clock::now()) {
            live.gone(Gap::Kicked);
            return Err(FORBIDDEN.to_owned());
        }
        live.introduce(hub::Publisher {
            host: host.map(str::to_owned),
            client,
            agent: publish.client.clone(),
            since: clock::now(),
        });
        Ok((plan, live))
    }
}

/// Carries media from the socket to the session until one of them ends it.
async fn feed(mut publisher: Publisher, mut live: Live) {
    let mut media = Vec::new();
    let why = loop {
        let watched = !publisher.swept() || live.attention();
        tokio::select! {
            interrupt = live.interrupted(), if watched => return ended_by(&interrupt),
            received = publisher.read(&mut media) => {
                hand_over(&mut media, &mut live);
                match received {
                    Ok(Received::Media) => {}
                    Ok(Received::Unpublished) => break Gap::Unpublished,
                    Ok(Received::Closed) => break Gap::Dropped,
                    Err(error) => {
                        tracing::warn!(%error, "publish broke off");
                        live.gone(Gap::Dropped);
                        return;
                    }
                }
            }
        }
    };
    let clean = why == Gap::Unpublished;
    tracing::info!(clean, "publish ended");
    live.gone(why);
    if clean {
        publisher.part().await;
    }
}

fn ended_by(interrupt: &Interrupt) {
    let why = match interrupt {
        Interrupt::Replaced => "another publisher took over",
        Interrupt::Kicked => "kicked",
        Interrupt::Ended => "the server is going down",
    };
    tracing::info!(why, "publish ended");
}

fn hand_over(media: &mut Vec<rtmp::Message>, live: &mut Live) {
    if media.is_empty() {
        return;
    }
    let now = clock::now();
    for message in media.drain(..) {
        let kind = match message.kind {
            rtmp::Kind::Video => Kind::Video,
            rtmp::Kind::Audio => Kind::Audio,
            // Metadata is not trusted: tracks are decided from data (design §7 rule 4).
            rtmp::Kind::Data => continue,
        };
        live.media(kind, message.timestamp, message.payload, now);
    }
}
