//! `millrace key …`: access keys of the database. A running server sees what changes here within a second.

use std::io;
use std::path::Path;

use clap::Subcommand;
use control::{Audit, Database, FirstKey, StoredKey, Who};
use dialect::policy::Policy;
use server::config::Config;

use crate::clock;

/// What to do with access keys.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print it; the secret is not shown again.
    Create {
        /// full, read, or a file with a RAM policy document in JSON.
        #[arg(long, value_name = "full|read|FILE", default_value = "full")]
        policy: String,
    },
    /// List the keys of the config and of the database, without their secrets.
    List,
    /// Refuse a key from now on, and keep it listed.
    Disable {
        /// Its id.
        id: String,
    },
    /// Forget a key.
    Delete {
        /// Its id.
        id: String,
    },
}

impl KeyCommand {
    /// Does it, and prints what came of it.
    ///
    /// # Errors
    /// A line for whoever typed it.
    pub(crate) async fn run(self, config: &Config) -> Result<(), String> {
        let database = Database::open(&config.database.url).await.map_err(|error| error.to_string())?;
        let outcome = match self {
            Self::Create { policy } => create(&database, &policy).await,
            Self::List => list(&database, config).await,
            Self::Disable { id } => {
                let done = database.disable_key(&id).await.map_err(|error| error.to_string())?;
                done.map_err(|error| elsewhere(&error.to_string(), &id, config))?;
                note(&database, "disable", &id).await
            }
            Self::Delete { id } => {
                let done = database.delete_key(&id).await.map_err(|error| error.to_string())?;
                done.map_err(|error| elsewhere(&error.to_string(), &id, config))?;
                FirstKey::forget(&config.server.data_dir, &id).map_err(|error| error.to_string())?;
                note(&database, "delete", &id).await
            }
        };
        database.close().await;
        outcome
    }
}

async fn create(database: &Database, policy: &str) -> Result<(), String> {
    let text = match policy {
        "full" | "read" => policy.to_owned(),
        path => read(Path::new(path)).map_err(|error| format!("{path}: {error}"))?,
    };
    Policy::parse(&text).map_err(|error| format!("{policy}: {error}"))?;
    let key = StoredKey::generate(text, clock::now());
    database.add_key(&key).await.map_err(|error| error.to_string())?;
    note(database, "create", &key.id).await?;
    println!("id {}\nsecret {}", key.id, key.secret);
    Ok(())
}

fn read(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

async fn list(database: &Database, config: &Config) -> Result<(), String> {
    for key in config.access_keys().map_err(|error| error.to_string())? {
        println!("{}\t{}\tactive\tconfig file", key.id, word(&key.policy));
    }
    for key in database.keys().await.map_err(|error| error.to_string())? {
        let policy = Policy::parse(&key.policy).map_or("unreadable", |policy| word(&policy));
        let state = if key.active { "active" } else { "disabled" };
        println!("{}\t{policy}\t{state}\t{}", key.id, catalog::record::show_moment(key.created));
    }
    Ok(())
}

fn word(policy: &Policy) -> &'static str {
    match policy {
        Policy::Full => "full",
        Policy::Read => "read",
        Policy::Document(_) => "document",
    }
}

/// Says where a key is that is not in the database.
fn elsewhere(error: &str, id: &str, config: &Config) -> String {
    match config.access_keys.iter().any(|key| key.id == id) {
        true => format!("{error}: it is in the config file"),
        false => error.to_owned(),
    }
}

async fn note(database: &Database, verb: &str, id: &str) -> Result<(), String> {
    let who = Who { address: "command line".to_owned(), action: format!("key {verb}"), ..Who::default() };
    let entry = Audit { at: clock::now(), who, changed: format!("access key {id}") };
    database.note(&entry).await.map_err(|error| error.to_string())
}
