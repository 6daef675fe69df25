//! Making a progressive MP4 of the fragmented one that a recording grew as.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use container::Error;

/// What became of it.
#[derive(Debug)]
pub(super) enum Made {
    /// There is a progressive file. So many bytes at the end of the fragmented one, a torn fragment, are not in it.
    Whole { cut: u64 },
    /// There never will be one, for this reason. The fragments play, too.
    Never(String),
}

/// Makes `to` of `from`. May be done again after an error. Blocks.
pub(super) fn progressive(from: &Path, to: &Path) -> io::Result<Made> {
    let mut out = File::create(to)?;
    match container::mp4::progressive(&mut File::open(from)?, &mut out) {
        Ok(made) => Ok(Made::Whole { cut: made.cut() }),
        Err(Error::Io(error)) => Err(error),
        Err(error) => {
            fs::remove_file(to)?;
            Ok(Made::Never(error.to_string()))
        }
    }
}
