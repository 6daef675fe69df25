//! Making a progressive MP4 of the fragmented one that a recording grew as.

use std::io;
use std::path::Path;

/// Makes `to` of `from`. The inner error says why that can never be. Blocks.
pub(super) fn progressive(_from: &Path, _to: &Path) -> io::Result<Result<(), String>> {
    Ok(Err("progressive MP4 is not available yet".to_owned()))
}
