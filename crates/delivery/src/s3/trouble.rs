use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use media::Wall;

use super::progress::{Progress, unless_stalled};
use super::{Inner, Style, address};
use crate::store::{ErrorKind, Fault, StoreError};

/// What is wrong with a store or an object for it, in words that an operator can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Nobody has this access key.
    #[error("the service knows no access key {id:?} ({refusal})")]
    UnknownKey {
        /// The key's id.
        id: String,
        /// What the service said.
        refusal: Refusal,
    },
    /// The signature is wrong, and so is what it was made with.
    #[error("the secret of access key {id:?} is wrong ({refusal})")]
    WrongSecret {
        /// The key's id.
        id: String,
        /// What the service said.
        refusal: Refusal,
    },
    /// The key may not do this.
    #[error("access key {id:?} may not do this in bucket {bucket:?} ({refusal})")]
    Denied {
        /// The key's id.
        id: String,
        /// The bucket.
        bucket: String,
        /// What the service said.
        refusal: Refusal,
    },
    /// The bucket is not there, or not where we look.
    #[error("there is no bucket {bucket:?} ({refusal}){hint}")]
    NoBucket {
        /// The bucket.
        bucket: String,
        /// What the service said.
        refusal: Refusal,
        /// Why it may be there all the same, or nothing.
        hint: &'static str,
    },
    /// A clock is wrong, most likely ours.
    #[error("this machine's clock {} ({refusal})", Offset(*.ahead_s))]
    ClockSkew {
        /// Seconds that our clock is ahead of the service's, if it said what time it is there.
        ahead_s: Option<i64>,
        /// What the service said.
        refusal: Refusal,
    },
    /// The service wants the bucket in the host.
    #[error("the service takes no path-style requests: set path_style = false ({refusal})")]
    PathStyleRefused {
        /// What the service said.
        refusal: Refusal,
    },
    /// The host with the bucket in it leads nowhere.
    #[error(
        "no address for host {host:?}: {error}; a service without a host per bucket needs path_style = true"
    )]
    NoBucketHost {
        /// The host.
        host: String,
        /// What the resolver said.
        error: String,
    },
    /// The bucket is elsewhere, or the signature was made for elsewhere.
    #[error("region is {ours:?}{} ({refusal})", Expected(.expected.as_deref()))]
    WrongRegion {
        /// The region of the storage.
        ours: String,
        /// The one that the service named.
        expected: Option<String>,
        /// What the service said.
        refusal: Refusal,
    },
    /// No answer came.
    #[error("{url} cannot be reached: {error}")]
    Unreachable {
        /// The service.
        url: String,
        /// Why not.
        error: String,
    },
    /// Nothing moved for too long.
    #[error("the service hangs: nothing moved for {after:?}, {sent} bytes were sent")]
    Stalled {
        /// For so long.
        after: Duration,
        /// So far the request was.
        sent: u64,
    },
    /// Any other refusal.
    #[error("the service refused: {refusal}")]
    Refused {
        /// What the service said.
        refusal: Refusal,
    },
    /// An answer that cannot be right.
    #[error("the service's answer lacks {lacks}")]
    Answer {
        /// What is not in it.
        lacks: &'static str,
    },
    /// The object is there with another size.
    #[error("the stored object has {found} bytes, {sent} were sent")]
    Size {
        /// Bytes of the file.
        sent: u64,
        /// Bytes of the object.
        found: u64,
    },
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    File(String),
    /// No request can be made of this bucket and key.
    #[error("no request can be made of it: {0}")]
    Request(String),
    /// The server is going down.
    #[error("given up because the server stops")]
    Cancelled,
}

/// What a service said when it refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Its own code; empty if it gave none.
    pub code: String,
    /// Its own words; empty if it gave none.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

struct Offset(Option<i64>);

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(ahead) = self.0 else { return f.write_str("differs too much from the service's") };
        let by = ahead.unsigned_abs();
        let side = if ahead < 0 { "behind" } else { "ahead of" };
        write!(f, "is {}h {:02}m {:02}s {side} the service's", by / 3600, by / 60 % 60, by % 60)
    }
}

struct Expected<'a>(Option<&'a str>);

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(region) => write!(f, ", the service expects {region:?}"),
            None => f.write_str(", the service expects another"),
        }
    }
}

/// Codes of refusals that no repair of the service or its settings ends: the object itself is impossible.
const IMPOSSIBLE: &[&str] = &[
    "KeyTooLongError",
    "KeyTooLong",
    "EntityTooLarge",
    "InvalidURI",
    "InvalidObjectName",
    "XMinioInvalidObjectName",
];

impl Trouble {
    /// Whether trying again can help. What an operator can repair is temporary, so that nothing is lost meanwhile.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused { refusal } if IMPOSSIBLE.contains(&refusal.code.as_str()) => ErrorKind::Permanent,
            Self::Request(_) => ErrorKind::Permanent,
            _ => ErrorKind::Temporary,
        }
    }

    /// Whether an upload can't be gone on with after it: it is gone, or its parts are not what they should be.
    pub(super) fn spoils_upload(&self) -> bool {
        match self {
            Self::Refused { refusal } => (400..500).contains(&refusal.status),
            trouble => trouble.kind() == ErrorKind::Permanent,
        }
    }

    /// Whether it may be different for another bucket of the service.
    pub(super) fn is_of_one_bucket(&self) -> bool {
        matches!(self, Self::Denied { .. } | Self::NoBucket { .. } | Self::WrongRegion { .. })
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        Self { kind: trouble.kind(), fault: Fault::S3(trouble) }
    }
}

impl Inner {
    /// The outcome of a request that sends nothing to speak of.
    pub(super) async fn answer<T, E: ProvideErrorMetadata + Error + 'static>(
        &self,
        sending: impl Future<Output = Result<T, SdkError<E>>>,
        bucket: &str,
    ) -> Result<T, Trouble> {
        let sent = unless_stalled(sending, &Progress::default(), self.settings.stall).await?;
        sent.map_err(|error| self.trouble(&error, bucket))
    }

    /// What a failed request about `bucket` means.
    pub(super) fn trouble<E: ProvideErrorMetadata + Error + 'static>(
        &self,
        error: &SdkError<E>,
        bucket: &str,
    ) -> Trouble {
        let refusal = |status, meta: Option<&E>| Refusal {
            status,
            code: meta.and_then(|meta| meta.code()).unwrap_or_default().to_owned(),
            message: meta.and_then(|meta| meta.message()).unwrap_or_default().to_owned(),
        };
        match error {
            SdkError::ServiceError(refused) => {
                let raw = refused.raw();
                self.refused(refusal(raw.status().as_u16(), Some(refused.err())), raw, bucket)
            }
            SdkError::ResponseError(garbled) if !garbled.raw().status().is_success() => {
                self.refused(refusal(garbled.raw().status().as_u16(), None), garbled.raw(), bucket)
            }
            SdkError::ConstructionFailure(_) => Trouble::Request(root(error)),
            _ => self.unreachable(error, bucket),
        }
    }

    fn refused(&self, refusal: Refusal, raw: &HttpResponse, bucket: &str) -> Trouble {
        let (id, bucket) = (self.settings.access_key_id.clone(), bucket.to_owned());
        match (refusal.code.as_str(), refusal.status) {
            ("InvalidAccessKeyId" | "NotSignedUp", _) => Trouble::UnknownKey { id, refusal },
            ("SignatureDoesNotMatch", _) => Trouble::WrongSecret { id, refusal },
            ("RequestTimeTooSkewed", _) => {
                Trouble::ClockSkew { ahead_s: ahead(raw, (self.settings.clock)()), refusal }
            }
            // OSS, OBS, COS.
            ("SecondLevelDomainForbidden" | "VirtualHostDomainRequired" | "PathStyleDomainForbidden", _) => {
                Trouble::PathStyleRefused { refusal }
            }
            ("NoSuchBucket" | "InvalidBucketName", _) => {
                Trouble::NoBucket { bucket, refusal, hint: self.hint() }
            }
            (
                "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException",
                _,
            )
            | (_, 301 | 307) => {
                let expected = raw.headers().get("x-amz-bucket-region").map(str::to_owned);
                Trouble::WrongRegion { ours: self.settings.region.clone(), expected, refusal }
            }
            // The answer to a HEAD has no code.
            ("AccessDenied" | "", 403) => Trouble::Denied { id, bucket, refusal },
            _ => Trouble::Refused { refusal },
        }
    }

    /// A service that takes the path for all of it takes the first part of a key for the bucket.
    fn hint(&self) -> &'static str {
        match self.style {
            Style::Host => "; a service without a host per bucket needs path_style = true",
            Style::Path => "",
        }
    }

    fn unreachable(&self, error: &(dyn Error + 'static), bucket: &str) -> Trouble {
        let nameless = chain(error).any(|cause| cause.to_string().contains("dns error"));
        let (url, text) = (&self.settings.url, root(error));
        match self.style {
            Style::Host if nameless => {
                Trouble::NoBucketHost { host: format!("{bucket}.{}", address::host(url)), error: text }
            }
            _ => Trouble::Unreachable { url: url.clone(), error: text },
        }
    }
}

/// Seconds that our clock is ahead of the one that stamped an answer (RFC 9110 §6.6.1).
fn ahead(raw: &HttpResponse, ours: Wall) -> Option<i64> {
    let date = DateTime::from_str(raw.headers().get("date")?, DateTimeFormat::HttpDate).ok()?;
    Some(ours.unix_seconds() - date.secs())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// What is at the bottom of an error: `Connection refused (os error 111)`.
fn root(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}
