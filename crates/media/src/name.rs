use std::fmt;
use std::sync::Arc;

/// The longest name the clouds take (seed `004_0006f455261b9fff.txt`, AppName).
pub const MAX_NAME: usize = 255;

/// Which live stream: streaming domain, app and stream name.
///
/// [`StreamId::parse`] is the only way to have one, and it lets through only the seeds' charset, so a
/// name can be a path component or an object key as it is: no `/`, no `.` at the front, nothing to escape.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    domain: Arc<str>,
    app: Arc<str>,
    stream: Arc<str>,
}

impl StreamId {
    /// Checks the three names: app and stream are 1 to 255 of `[A-Za-z0-9_-]` and start with a letter or
    /// digit; the domain is a host name and is kept in lower case.
    pub fn parse(domain: &str, app: &str, stream: &str) -> Result<Self, NameError> {
        check_domain(domain)?;
        check_name(NamePart::App, app)?;
        check_name(NamePart::Stream, stream)?;
        Ok(Self { domain: domain.to_ascii_lowercase().into(), app: app.into(), stream: stream.into() })
    }

    /// The streaming domain, lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The app name.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// The stream name.
    pub fn stream(&self) -> &str {
        &self.stream
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.domain, self.app, self.stream)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The part of a [`StreamId`] that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePart {
    /// The streaming domain.
    Domain,
    /// The app name.
    App,
    /// The stream name.
    Stream,
}

impl fmt::Display for NamePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Domain => "domain",
            Self::App => "app name",
            Self::Stream => "stream name",
        })
    }
}

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// No characters at all.
    #[error("is empty")]
    Empty,
    /// More than 255 characters.
    #[error("is longer than {MAX_NAME} characters")]
    TooLong,
    /// The first character is `-`, `_` or `.`.
    #[error("starts with {0:?}")]
    FirstCharacter(char),
    /// A character outside the charset.
    #[error("contains {0:?}")]
    Character(char),
}

/// A name that no stream can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{part} {fault}")]
pub struct NameError {
    /// Which of the names.
    pub part: NamePart,
    /// What is wrong with it.
    pub fault: NameFault,
}

fn check_name(part: NamePart, name: &str) -> Result<(), NameError> {
    check(part, name, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn check_domain(name: &str) -> Result<(), NameError> {
    check(NamePart::Domain, name, |c| c.is_ascii_alphanumeric() || c == '-' || c == '.')?;
    match name.contains("..") {
        true => Err(NameError { part: NamePart::Domain, fault: NameFault::Character('.') }),
        false => Ok(()),
    }
}

fn check(part: NamePart, name: &str, allowed: impl Fn(char) -> bool) -> Result<(), NameError> {
    let fault = match name.chars().next() {
        None => Some(NameFault::Empty),
        Some(_) if name.len() > MAX_NAME => Some(NameFault::TooLong),
        Some(first @ ('-' | '_' | '.')) => Some(NameFault::FirstCharacter(first)),
        Some(_) => name.chars().find(|&c| !allowed(c)).map(NameFault::Character),
    };
    fault.map_or(Ok(()), |fault| Err(NameError { part, fault }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(app: &str, stream: &str, reason: &str) {
        let error = StreamId::parse("live.local", app, stream).unwrap_err();
        assert_eq!(error.to_string(), reason);
    }

    #[test]
    fn names_of_the_seeds_charset_are_taken() {
        let id = StreamId::parse("Live.Local", "live", "a-B_9").unwrap();
        assert_eq!(id.to_string(), "live.local/live/a-B_9");
        assert!(StreamId::parse("127.0.0.1", "live", &"x".repeat(255)).is_ok());
    }

    #[test]
    fn names_that_could_leave_a_folder_are_refused() {
        refused("..", "s", "app name starts with '.'");
        refused("live", "a/b", "stream name contains '/'");
        refused("live", "a.b", "stream name contains '.'");
        refused("live", "", "stream name is empty");
        refused("live", "-x", "stream name starts with '-'");
        refused("_live", "x", "app name starts with '_'");
        refused("live", &"x".repeat(256), "stream name is longer than 255 characters");
        refused("live", "naïve", "stream name contains 'ï'");
        assert!(StreamId::parse("a..b", "live", "x").is_err());
    }
}
