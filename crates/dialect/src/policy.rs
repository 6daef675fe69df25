//! What a key may do: everything, look at everything, or what a RAM policy document says
//! (`api-alibaba-wire.md` §4).
//!
//! A document is taken whole or not at all. What this version cannot judge (an unknown element, operator or
//! condition key) is refused when the policy is read, since leaving it out would let more through than its author
//! meant.

mod condition;
mod document;
mod glob;

use std::net::IpAddr;
use std::sync::Arc;

use media::Wall;

pub use document::{Document, MAX_DOCUMENT};

/// What a key may do.
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// Everything.
    Full,
    /// Whatever changes nothing.
    Read,
    /// What the document says.
    Document(Arc<Document>),
}

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No JSON, or JSON of another shape.
    #[error("{0}")]
    Json(String),
    /// More bytes than [`MAX_DOCUMENT`].
    #[error("has {bytes} bytes, more than {MAX_DOCUMENT}")]
    TooLong {
        /// Bytes it has.
        bytes: usize,
    },
    /// Another Version than "1".
    #[error("Version is {0:?}; only \"1\" is known")]
    Version(String),
    /// A statement that says nothing, or two things at once.
    #[error("Statement {index}: {fault}")]
    Statement {
        /// Which, from 1.
        index: usize,
        /// What is wrong with it.
        fault: StatementFault,
    },
}

/// What is wrong with a statement of a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementFault {
    /// Neither or both of Action and NotAction.
    #[error("needs either Action or NotAction")]
    Action,
    /// A list without items.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// An operator that is none.
    #[error("Condition has an unknown operator {0:?}")]
    Operator(String),
    /// A key that no request has.
    #[error("Condition has an unknown key {0:?}")]
    Key(String),
    /// A value that is not of the operator's type.
    #[error("Condition {operator} cannot compare with {value:?}")]
    Value {
        /// The operator.
        operator: &'static str,
        /// The value.
        value: String,
    },
}

/// One request, as policies see it.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// `service:Action`, such as `live:AddLiveAppSnapshotConfig` or `live:snapshot:listRules`.
    pub action: &'a str,
    /// ARNs of everything it touches, each of which must be allowed; `*` for an operation without resource types.
    pub resources: &'a [String],
    /// Under which circumstances.
    pub circumstances: &'a Circumstances,
}

/// What conditions ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Circumstances {
    /// `acs:CurrentTime`.
    pub now: Wall,
    /// `acs:SecureTransport`: whether it came over TLS.
    pub secure: bool,
    /// `acs:SourceIp`.
    pub source: IpAddr,
    /// `acs:PrincipalARN`.
    pub principal: String,
}

/// Why something is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Nothing allows it (`ImplicitDeny`).
    Implicitly,
    /// A statement denies it (`ExplicitDeny`).
    Explicitly,
}

impl Policy {
    /// Reads `full`, `read` or a policy document in JSON.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        match text.trim() {
            "full" => Ok(Self::Full),
            "read" => Ok(Self::Read),
            document => Document::parse(document).map(|document| Self::Document(Arc::new(document))),
        }
    }

    /// Whether the request is allowed: on each of its resources, and on at least one.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self, access: &Access<'_>) -> Result<(), Denied> {
        match self {
            Self::Full => Ok(()),
            Self::Read if reads(access.action) => Ok(()),
            Self::Read => Err(Denied::Implicitly),
            Self::Document(document) => document.check(access),
        }
    }
}

/// Whether an action changes nothing, by the verb of its name: the clouds' names keep to this.
fn reads(action: &str) -> bool {
    const VERBS: &[&str] = &["describe", "get", "list", "query", "show"];
    let name = action.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
    VERBS.iter().any(|verb| name.starts_with(verb))
}

#[cfg(test)]
mod tests;
