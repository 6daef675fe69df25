//! What is counted of answers.

use std::sync::LazyLock;

use axum::body::Body;
use http::{Response, StatusCode};
use metrics::{Counter, counter};

/// What is asked for, as `kind` in metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Multivariant,
    Playlist,
    Mpd,
    Segment,
    Other,
}

impl Kind {
    fn label(self) -> &'static str {
        match self {
            Self::Multivariant => "multivariant",
            Self::Playlist => "playlist",
            Self::Mpd => "mpd",
            Self::Segment => "segment",
            Self::Other => "other",
        }
    }
}

/// Counters of the answers that leave by the thousand at one moment: to look one up by its labels costs more than
/// most of what else is done for such an answer.
struct Playlists {
    answered: Counter,
    sent: Counter,
}

static PLAYLISTS: LazyLock<Playlists> = LazyLock::new(|| Playlists {
    answered: requests(Kind::Playlist, StatusCode::OK),
    sent: bytes(Kind::Playlist),
});

fn requests(kind: Kind, status: StatusCode) -> Counter {
    counter!("millrace_http_requests_total", "kind" => kind.label(), "status" => status.as_str().to_owned())
}

fn bytes(kind: Kind) -> Counter {
    counter!("millrace_http_response_bytes_total", "kind" => kind.label())
}

/// Counts bytes of answers as they leave.
pub(crate) fn sent(kind: Kind) -> Counter {
    match kind {
        Kind::Playlist => PLAYLISTS.sent.clone(),
        kind => bytes(kind),
    }
}

/// The same answer, counted.
pub(crate) fn counted(kind: Kind, response: Response<Body>) -> Response<Body> {
    match (kind, response.status()) {
        (Kind::Playlist, StatusCode::OK) => PLAYLISTS.answered.increment(1),
        (kind, status) => requests(kind, status).increment(1),
    }
    response
}
