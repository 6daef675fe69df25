//! Making a progressive MP4 of the fragmented one that a recording grew as.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use container::Error;
use container::mp4::Progressive;

/// What became of it.
#[derive(Debug)]
pub(super) enum Made {
    /// There is a progressive file: its beginning, and behind that these pieces of the fragmented one. So many bytes at
    /// the end, a torn fragment, are not in it.
    Whole { pieces: Arc<[(u64, u64)]>, cut: u64 },
    /// There never will be one, for this reason. The fragments play, too.
    Never(String),
}

/// Makes the beginning `head` of a progressive file of `from`, whose media stays where it is: there may be no room for
/// it twice, and a store that is away must not cost a copy for each try. May be done again after an error. Blocks.
pub(super) fn progressive(from: &Path, head: &Path) -> io::Result<Made> {
    match Progressive::read(&mut File::open(from)?) {
        Ok(made) => {
            fs::write(head, made.head())?;
            Ok(Made::Whole { pieces: made.media().into(), cut: made.cut() })
        }
        Err(Error::Io(error)) => Err(error),
        Err(error) => Ok(Made::Never(error.to_string())),
    }
}
