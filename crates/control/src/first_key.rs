//! The access key of a server that was given none: made at the first start, kept, shown once.

use std::io::{self, Write as _};
use std::path::Path;

use media::Wall;
use serde::{Deserialize, Serialize};

use crate::keys::StoredKey;
use crate::{Database, Error};

/// Letters of a generated key; those that look alike are left out.
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
/// Length of a generated secret: over 170 bits.
const SECRET_LENGTH: usize = 30;

/// Where the pair can be read again, in the data folder.
pub const FIRST_KEY_FILE: &str = "access_key.json";

/// What [`FIRST_KEY_FILE`] holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstKey {
    /// Public half.
    pub id: String,
    /// Secret half.
    pub secret: String,
}

impl StoredKey {
    /// A new key with a random id and secret.
    pub fn generate(policy: String, created: Wall) -> Self {
        let id = format!("LTAI{}", random(16));
        Self { id, secret: random(SECRET_LENGTH), policy, active: true, created }
    }
}

impl Database {
    /// Makes sure that there is a key: if the database has none, takes the one in `data_dir`, or makes one and
    /// leaves it there for its owner to read. Returns a new one, to be shown once.
    ///
    /// # Errors
    /// When the file or the database cannot be used.
    pub async fn first_key(&self, data_dir: &Path, now: Wall) -> Result<Option<FirstKey>, Error> {
        if !self.keys().await?.is_empty() {
            return Ok(None);
        }
        let path = data_dir.join(FIRST_KEY_FILE);
        let failed = |error| Error::File { path: path.clone(), error };
        let (first, new) = load_or_generate(&path, now).map_err(failed)?;
        let generated = StoredKey::generate("full".to_owned(), now);
        self.add_key(&StoredKey { id: first.id.clone(), secret: first.secret.clone(), ..generated }).await?;
        Ok(new.then_some(first))
    }
}

impl FirstKey {
    /// Removes the file in `data_dir` if it holds the key `id`, so that the next start does not take it again.
    ///
    /// # Errors
    /// What the system said.
    pub fn forget(data_dir: &Path, id: &str) -> io::Result<()> {
        let path = data_dir.join(FIRST_KEY_FILE);
        match read(&path) {
            Ok(key) if key.id == id => std::fs::remove_file(path),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> io::Result<FirstKey> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

fn load_or_generate(path: &Path, now: Wall) -> io::Result<(FirstKey, bool)> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let StoredKey { id, secret, .. } = StoredKey::generate("full".to_owned(), now);
            let key = FirstKey { id, secret };
            write_private(path, &serde_json::to_vec_pretty(&key)?)?;
            Ok((key, true))
        }
        read => Ok((read?, false)),
    }
}

fn random(length: usize) -> String {
    (0..length)
        .filter_map(|_| LETTERS.get(rand::random_range(0..LETTERS.len())))
        .copied()
        .map(char::from)
        .collect()
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
