use std::fs;
use std::io;
use std::path::Path;

use output::Object;
use serde_json::json;

use crate::local::sync_folder;

/// What is known of an object that no retry could help.
#[derive(Debug)]
pub(crate) struct Letter {
    pub stream: String,
    pub session: String,
    pub output: &'static str,
    pub to: Object,
    pub content_type: &'static str,
    pub error: String,
}

/// Moves a file of the spool to the dead letters in `folder` and writes a note `{file}.json` that says where it belongs.
/// Blocks.
pub(crate) fn bury(folder: &Path, path: &Path, letter: &Letter) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("object");
    let name = format!("{}-{name}", letter.session);
    let note = json!({
        "file": name,
        "stream": letter.stream,
        "session": letter.session,
        "output": letter.output,
        "storage": letter.to.bucket.storage.as_ref(),
        "bucket": letter.to.bucket.name.as_ref(),
        "key": letter.to.key,
        "content_type": letter.content_type,
        "error": letter.error,
    });
    fs::write(folder.join(format!("{name}.json")), format!("{note:#}\n"))?;
    fs::rename(path, folder.join(name))?;
    sync_folder(folder)
}
