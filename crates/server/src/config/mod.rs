//! The config file and the environment over it, checked as a whole before anything starts.
//!
//! Everything wrong is reported at once, a line each, with file, line and key; unknown keys are wrong. What is
//! known but not available yet is a warning, or an error where going on would be less safe than the file says.

mod error;
mod resolved;
mod section;
mod settings;
mod shells;
mod storage;
mod templates;
mod tree;
mod value;

use std::path::Path;

use catalog::Catalog;
use media::Wall;

pub use error::ConfigError;
pub use settings::{
    AccessKey, Api, Callbacks, Database, Http, Limits, Log, LogFormat, Policy, Rtmp, Server, Tls,
};
pub use shells::Stores;
pub use storage::{Kind, S3, SecretSource, Storage};

use error::{Problem, Problems};
use section::Section;
use tree::{At, Node, Table, Value};

/// Read when no file is named, if it exists in the working directory.
pub const DEFAULT_FILE: &str = "config/millrace.toml";

/// Environment variables that begin so are keys: `MILLRACE__HTTP__LISTEN`.
const PREFIX: &str = "MILLRACE__";

/// Parts of a variable's name after that: a section and a key. More would nest for nothing.
const MAX_PATH: usize = 2;

/// The config when there is no file: streams of any host are taken, and nothing is made of them.
const BUILT_IN: &str = "[[domain]]\nname = \"live.local\"\ndefault = true\n";

/// Everything the server was told.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[rtmp]`
    pub rtmp: Rtmp,
    /// `[http]`
    pub http: Http,
    /// `[api]`
    pub api: Api,
    /// `[tls]`; `None` without a certificate.
    pub tls: Option<Tls>,
    /// `[database]`
    pub database: Database,
    /// `[log]`
    pub log: Log,
    /// `[limits]`
    pub limits: Limits,
    /// `[callbacks]`
    pub callbacks: Callbacks,
    /// `[[storage]]`
    pub storages: Vec<Storage>,
    /// `[[access_key]]`; none here and none in the database: one is generated.
    pub access_keys: Vec<AccessKey>,
    /// `[[domain]]` and the templates.
    pub catalog: Catalog,
    /// What the config says that has no effect, a line each; to be logged at the start.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads `path`; without one [`DEFAULT_FILE`] if it is there, else built-in defaults. `env` are environment
    /// variables; those that are not ours are passed over.
    ///
    /// # Errors
    /// [`ConfigError`] lists every fault.
    pub fn load(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let file = path.unwrap_or(Path::new(DEFAULT_FILE));
        let name = file.display().to_string();
        let config = match std::fs::read_to_string(file) {
            Ok(text) => Self::parse_at(&name, &text, env, changed(file)),
            Err(error) if path.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                Self::parse("built-in config", BUILT_IN, env)
            }
            Err(error) => Err(ConfigError::unreadable(&name, &error)),
        }?;
        config.check_files(&name)?;
        Ok(config)
    }

    /// Checks the text of a config file called `file`. Pure: touches no file.
    ///
    /// # Errors
    /// [`ConfigError`] lists every fault.
    pub fn parse(
        file: &str,
        text: &str,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        Self::parse_at(file, text, env, Wall(0))
    }

    fn parse_at(
        file: &str,
        text: &str,
        env: impl Iterator<Item = (String, String)>,
        at: Wall,
    ) -> Result<Config, ConfigError> {
        let problems = Problems::default();
        let mut table = tree::parse(text, &problems);
        if !problems.is_empty() {
            return Err(ConfigError::new(file, problems.take()));
        }
        overlay(&mut table, env, &problems);
        let (config, warnings) = read(&table, at, &problems);
        match (config, problems.is_empty()) {
            (Some(config), true) => {
                let warnings = warnings.iter().map(|warning| warning.show(file)).collect();
                Ok(Config { warnings, ..config })
            }
            _ => Err(ConfigError::new(file, problems.take())),
        }
    }

    /// The config as TOML with every default written out and every secret masked.
    pub fn resolved(&self) -> String {
        resolved::show(self)
    }
}

/// When the file was last changed: the time at which everything in it was declared.
fn changed(file: &Path) -> Wall {
    let modified = std::fs::metadata(file).and_then(|metadata| metadata.modified());
    let since = modified.ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    Wall(0).plus(since.unwrap_or_default())
}

/// Puts environment variables over the file.
fn overlay(table: &mut Table, env: impl Iterator<Item = (String, String)>, problems: &Problems) {
    let mut ours: Vec<_> = env.collect();
    // The order of an environment is nobody's choice.
    ours.sort();
    for (name, text) in ours {
        let Some(path) = name.strip_prefix(PREFIX).map(str::to_ascii_lowercase) else { continue };
        let path: Vec<&str> = path.split("__").collect();
        let node = Node { at: At::Variable(name.clone()), value: Value::Text(text) };
        if path.len() > MAX_PATH || table.put(&path, node).is_err() {
            let message = "no variable can stand for this: only keys outside [[ ]] have one".to_owned();
            problems.add(Problem { at: At::Variable(name), key: path.join("."), message });
        }
    }
}

fn read(table: &Table, at: Wall, problems: &Problems) -> (Option<Config>, Vec<Problem>) {
    let root = Section::root(table, problems);
    let warnings = Problems::default();
    let server = settings::server(root.section("server"));
    let http = settings::http(root.section("http"));
    let rtmp = settings::rtmp(root.section("rtmp"));
    let api = settings::api(root.section("api"));
    let tls = settings::tls(root.section("tls"));
    let database = settings::database(root.section("database"), &server);
    let log = settings::log(root.section("log"));
    let limits = settings::limits(root.section("limits"));
    let callbacks = settings::callbacks(root.section("callbacks"));
    let storages = storage::storages(root.sections("storage"));
    let access_keys = settings::access_keys(root.sections("access_key"));
    let catalog = templates::catalog(
        &root,
        table,
        templates::Given { http: &http, callbacks: &callbacks, at },
        problems,
        &warnings,
    );
    for family in ["transcode", "streams_notify", "pull"] {
        for section in root.sections(family) {
            let message = "is not available yet".to_owned();
            warnings.add(Problem { at: section.at().clone(), key: family.to_owned(), message });
        }
    }
    root.finish();
    let warnings = warnings.take();
    let config = catalog.map(|catalog| Config {
        server,
        rtmp,
        http,
        api,
        tls,
        database,
        log,
        limits,
        callbacks,
        storages,
        access_keys,
        catalog,
        warnings: Vec::new(),
    });
    (config, warnings)
}

#[cfg(test)]
mod tests;
