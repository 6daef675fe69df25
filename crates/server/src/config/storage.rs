//! `[[storage]]`: where objects go.

use std::path::PathBuf;

use super::section::Section;
use super::tree::At;
use super::value::Secret;

/// Where a service without regions of its own says it is.
const REGION: &str = "us-east-1";

/// `[[storage]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Its name: what `oss_endpoint` of a template may be.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The buckets that exist; `None`: the service knows.
    pub buckets: Option<Vec<String>>,
    /// Whether missing buckets are made.
    pub create_buckets: bool,
    /// Further names for it.
    pub endpoints: Vec<String>,
    /// What the URLs of its objects begin with.
    pub public_url: Option<String>,
}

/// What a storage is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `fs`: the folder of the buckets.
    Fs(PathBuf),
    /// `s3`: a service.
    S3(S3),
}

/// A service that speaks S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3 {
    /// Where it is, with scheme and without bucket.
    pub url: String,
    /// Its region.
    pub region: String,
    /// Whether the bucket is in the path; `None`: as its URL suggests.
    pub path_style: Option<bool>,
    /// Public half of the access key.
    pub access_key_id: String,
    /// Private half.
    pub access_key_secret: SecretSource,
    /// Where the secret is written.
    pub(super) at: At,
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The config.
    Given(Secret),
    /// A file that has nothing else in it.
    File(PathBuf),
}

impl Storage {
    /// Its folder, if it is one.
    pub fn path(&self) -> Option<&PathBuf> {
        match &self.kind {
            Kind::Fs(path) => Some(path),
            Kind::S3(_) => None,
        }
    }
}

/// All `[[storage]]` without faults. A folder belongs to one of them: each clears up what it left unfinished there.
pub(super) fn storages(sections: Vec<Section<'_>>) -> Vec<Storage> {
    let mut storages: Vec<Storage> = Vec::new();
    for section in sections {
        let Some(storage) = storage(&section) else {
            section.finish();
            continue;
        };
        let same = |other: &&Storage| storage.path().is_some() && other.path() == storage.path();
        if let Some(other) = storages.iter().find(same) {
            section.wrong("path", format!("is the folder of storage {:?}", other.name));
        }
        section.finish();
        storages.push(storage);
    }
    storages
}

/// A `[[storage]]`; `None` when it has faults.
fn storage(section: &Section<'_>) -> Option<Storage> {
    let word = section.word("kind", &["fs", "s3"]);
    if word.is_none() && !section.has("kind") {
        section.wrong("kind", "is missing: \"fs\" or \"s3\"");
    }
    let name = section.required("name");
    let buckets = section.strings("buckets");
    let create_buckets = section.boolean("create_buckets");
    let endpoints = section.strings("endpoints").unwrap_or_default();
    let public_url = section.string("public_url");
    let kind = match word {
        Some("s3") => Kind::S3(s3(section)?),
        // Without a kind the keys of both are known, so that one fault is one line.
        _ => Kind::Fs(fs(section, word.is_none())?),
    };
    let is_fs = matches!(kind, Kind::Fs(_));
    let storage = Storage {
        name: name?,
        kind,
        // A folder knows no other buckets than those that are named.
        buckets: if is_fs { Some(buckets.unwrap_or_default()) } else { buckets },
        create_buckets: create_buckets.unwrap_or(is_fs),
        endpoints,
        public_url,
    };
    word.is_some().then_some(storage)
}

fn fs(section: &Section<'_>, any: bool) -> Option<PathBuf> {
    if any {
        for key in
            ["url", "region", "access_key_id", "access_key_secret", "access_key_secret_file", "path_style"]
        {
            section.has(key);
        }
    }
    let path = section.string("path").unwrap_or_default();
    if path.is_empty() && !(any && section.has("url")) {
        section.wrong("path", "is missing");
    }
    (!path.is_empty()).then(|| path.into())
}

fn s3(section: &Section<'_>) -> Option<S3> {
    let url = section.required("url").filter(|url| {
        let is = is_url(url);
        if !is {
            section.wrong("url", "expected \"http://HOST\" or \"https://HOST\", with a port if need be");
        }
        is
    });
    let region = section.string("region").filter(|region| !region.is_empty());
    let path_style = section.boolean("path_style");
    let access_key_id = section.required("access_key_id");
    let secret = secret(section);
    let at = section.at_key("access_key_secret_file").clone();
    Some(S3 {
        url: url?,
        region: region.unwrap_or_else(|| REGION.to_owned()),
        path_style,
        access_key_id: access_key_id?,
        access_key_secret: secret?,
        at,
    })
}

fn secret(section: &Section<'_>) -> Option<SecretSource> {
    let there = section.has("access_key_secret");
    let given = there.then(|| section.secret("access_key_secret"));
    let file = section.string("access_key_secret_file").filter(|path| !path.is_empty());
    match (given, file) {
        (Some(_), Some(_)) => {
            section.wrong("access_key_secret_file", "is there beside access_key_secret: one of them");
            None
        }
        (Some(given), None) => given.map(SecretSource::Given),
        (None, Some(path)) => Some(SecretSource::File(path.into())),
        (None, None) => {
            section.wrong("access_key_secret", "is missing, and so is access_key_secret_file");
            None
        }
    }
}

/// A scheme, a host and perhaps a port; a path would be taken for a bucket, and a password would be in the log.
fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let authority = rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    authority.is_some_and(|host| {
        !host.is_empty()
            && !host.contains(|c: char| "/?#@".contains(c) || c.is_whitespace() || c.is_control())
    })
}
