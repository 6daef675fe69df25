//! The access key of a server that was given none: made at the first start, kept, shown once.

use std::io::{self, Write as _};
use std::path::Path;

use api::AccessKey;
use serde::{Deserialize, Serialize};

/// Letters of a generated key; those that look alike are left out.
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
/// Length of a generated secret: over 170 bits.
const SECRET_LENGTH: usize = 30;

#[derive(Serialize, Deserialize)]
struct File {
    id: String,
    secret: String,
}

/// Reads the key in `data_dir`, or makes one; `true` if it is new.
pub(crate) fn load_or_generate(data_dir: &Path) -> io::Result<(AccessKey, bool)> {
    let path = data_dir.join("access_key.json");
    match std::fs::read(&path) {
        Ok(text) => {
            let File { id, secret } = serde_json::from_slice(&text)?;
            Ok((AccessKey { id, secret }, false))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = File { id: format!("LTAI{}", random(16)), secret: random(SECRET_LENGTH) };
            write_private(&path, &serde_json::to_vec_pretty(&file)?)?;
            Ok((AccessKey { id: file.id, secret: file.secret }, true))
        }
        Err(error) => Err(error),
    }
}

fn random(length: usize) -> String {
    (0..length).map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())])).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_private_and_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (key, new) = load_or_generate(folder.path()).unwrap();
        assert!(new && key.secret.len() == SECRET_LENGTH);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join("access_key.json")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(load_or_generate(folder.path()).unwrap(), (key, false));
    }
}
