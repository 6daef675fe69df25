use std::fs;
use std::io;
use std::path::Path;

use media::StreamId;
use output::Object;
use serde_json::json;

use crate::lane::State;
use crate::local::{hold, sync_folder};

/// What is known of a file that no retry could help.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    stream: String,
    session: String,
    output: String,
    to: Option<Object>,
    content_type: String,
    error: String,
}

impl Letter {
    /// Of a lane's file. `to`: where it was to go, if that is known.
    pub fn of(state: &State, to: Option<Object>, content_type: &str, error: &str) -> Self {
        Self {
            stream: state.stream.to_string(),
            session: state.session.to_string(),
            output: state.output.to_string(),
            to,
            content_type: content_type.to_owned(),
            error: error.to_owned(),
        }
    }

    /// Of a file that an earlier run left in the spool of `session`, for the lane `name`.
    pub fn left(stream: Option<&StreamId>, session: &str, name: &str, error: &str) -> Self {
        Self {
            stream: stream.map(ToString::to_string).unwrap_or_default(),
            session: session.to_owned(),
            output: name.to_owned(),
            to: None,
            content_type: String::new(),
            error: error.to_owned(),
        }
    }
}

/// Puts the file at `path`, `len` bytes of it if they are given, among the dead letters in `folder`, with a note
/// `{file}.json` that says where it belongs. The file stays where it is, too: the caller removes it when its journal
/// says so. May be done again. Blocks.
pub(crate) fn bury(folder: &Path, path: &Path, len: Option<u64>, letter: &Letter) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("object");
    let name = format!("{}-{name}", letter.session);
    let to = letter.to.as_ref();
    let note = json!({
        "file": name,
        "stream": letter.stream,
        "session": letter.session,
        "output": letter.output,
        "storage": to.map(|to| to.bucket.storage.as_ref()),
        "bucket": to.map(|to| to.bucket.name.as_ref()),
        "key": to.map(|to| to.key.as_str()),
        "content_type": letter.content_type,
        "error": letter.error,
    });
    let target = folder.join(&name);
    if let Some(len) = len {
        fs::OpenOptions::new().write(true).open(path)?.set_len(len)?;
    }
    let _ = fs::remove_file(&target);
    hold(path, &target)?;
    fs::File::open(&target)?.sync_all()?;
    fs::write(folder.join(format!("{name}.json")), format!("{note:#}\n"))?;
    sync_folder(folder)
}
