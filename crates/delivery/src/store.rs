use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use output::Object;

use crate::s3;

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where objects live: a folder, an S3 service.
pub trait Store: Send + Sync {
    /// Stores `body` as `to`; the answer is how many bytes are stored. Readers see the old object or the whole new one;
    /// after `Ok` it survives a power cut. Files stay where they are, whatever happens. What is there already is
    /// treated as `mode` says; [`Fault::Taken`] if it stays.
    ///
    /// Cancel safe in this sense: dropping the future leaves no partial object, perhaps the whole one.
    fn put<'a>(
        &'a self,
        to: &'a Object,
        body: &'a Body,
        headers: Headers<'a>,
        mode: Mode<'a>,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Removes `what`; one that is not there is removed already.
    ///
    /// Cancel safe: dropping the future leaves the whole object or none.
    fn delete<'a>(&'a self, what: &'a Object) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// What whoever fetches an object is told of it. A folder has no place for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    /// MIME type.
    pub content_type: &'a str,
    /// `Cache-Control` (RFC 9111 §5.2); `None`: what the store or its CDN says by itself.
    pub cache_control: Option<&'a str>,
}

impl<'a> Headers<'a> {
    /// Of an object that caches may treat as they like.
    pub fn of(content_type: &'a str) -> Self {
        Self { content_type, cache_control: None }
    }
}

/// What becomes of the object that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode<'a> {
    /// It is replaced.
    Replace,
    /// It stays, unless it is what is to be stored: a try that failed may have stored it all the same. A store that
    /// can't tell by the bytes marks its objects.
    New {
        /// Unique for ever, and the same for each try; printable ASCII.
        mark: &'a str,
    },
}

/// Bytes of an object.
#[derive(Clone, Debug)]
pub enum Body {
    /// In memory, in pieces.
    Memory(Vec<Bytes>),
    /// A file that nobody writes to any more.
    File(PathBuf),
    /// A file, and behind it pieces of another; nobody writes to them any more.
    Join {
        /// The first.
        head: PathBuf,
        /// The second.
        file: PathBuf,
        /// Where each piece of it is, and its length.
        pieces: Arc<[(u64, u64)]>,
    },
}

/// An object was not stored.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
pub struct StoreError {
    /// Whether trying again can help.
    pub kind: ErrorKind,
    /// What went wrong.
    #[source]
    pub fault: Fault,
}

/// Whether trying again can help; only `delivery` asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The store may take the same object later.
    Temporary,
    /// It never will.
    Permanent,
}

impl ErrorKind {
    /// Its name as a metric label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::Permanent => "permanent",
        }
    }
}

/// What went wrong in a store.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No storage of this name is configured.
    #[error("no storage is named {0:?}")]
    NoStorage(String),
    /// The storage has no such bucket.
    #[error("no bucket {0:?}")]
    NoBucket(String),
    /// The key is no path of a folder.
    #[error("key {key:?} has a component {component:?}")]
    Key {
        /// The object's key.
        key: String,
        /// What cannot be in it.
        component: String,
    },
    /// Another object has this key.
    #[error("there is another object {0:?}")]
    Taken(String),
    /// What is stored has another size than what was sent.
    #[error("the stored object has {found} bytes, {sent} were sent")]
    Size {
        /// Bytes of the body.
        sent: u64,
        /// Bytes of the object.
        found: u64,
    },
    /// The spool is nearly full, and recordings come first.
    #[error("the spool is nearly full")]
    NoRoom,
    /// The file system refused.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        error: io::Error,
    },
    /// An S3 service refused or could not be reached.
    #[error(transparent)]
    S3(s3::Trouble),
}

impl StoreError {
    /// Trying again can help.
    pub fn temporary(fault: Fault) -> Self {
        Self { kind: ErrorKind::Temporary, fault }
    }

    /// Trying again cannot help.
    pub fn permanent(fault: Fault) -> Self {
        Self { kind: ErrorKind::Permanent, fault }
    }

    /// The file system refused `what`. Only a name that it can never take is permanent: a full, unmounted or
    /// read-only disk is something that operators repair.
    pub fn io(what: &'static str, error: io::Error) -> Self {
        use io::ErrorKind as Io;
        let kind = match error.kind() {
            Io::InvalidFilename
            | Io::InvalidInput
            | Io::IsADirectory
            | Io::NotADirectory
            | Io::AlreadyExists => ErrorKind::Permanent,
            _ => ErrorKind::Temporary,
        };
        Self { kind, fault: Fault::Io { what, error } }
    }
}
