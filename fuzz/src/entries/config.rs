//! The config file, the environment over it, and the plans that its templates make.

use catalog::Publish;
use media::StreamId;
use server::config::Config;

/// The name of an environment variable that is a key begins so.
const VARIABLE: &str = "MILLRACE__";

/// A config file; lines of it that begin like our environment variables are those.
pub fn config(input: &[u8]) {
    let (env, text) = split(input);
    match Config::parse("millrace.toml", &text, env.into_iter()) {
        Ok(config) => accepted(&config),
        Err(error) => assert!(!error.lines().is_empty(), "refused without a reason"),
    }
}

/// The environment and the file.
pub(crate) fn split(input: &[u8]) -> (Vec<(String, String)>, String) {
    let input = String::from_utf8_lossy(input);
    let (env, text): (Vec<&str>, Vec<&str>) = input.split('\n').partition(|line| line.starts_with(VARIABLE));
    let env = env.iter().filter_map(|line| line.split_once('='));
    (env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), text.join("\n"))
}

fn accepted(config: &Config) {
    let streams = [("live.local", "live", "demo"), ("a.b", "a", "0")];
    for (domain, app, stream) in streams {
        let Ok(stream) = StreamId::parse(domain, app, stream) else { continue };
        let args = vec![("record".to_owned(), "yes".to_owned())];
        let _ = config.catalog.resolve(&Publish { stream, args });
    }
    let resolved = config.resolved();
    let again = Config::parse("resolved", &resolved, std::iter::empty()).map(|again| again.resolved());
    assert!(again.as_ref().is_ok_and(|again| *again == resolved), "{resolved}\nreads back as {again:?}");
}
