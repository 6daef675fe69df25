//! The service that the proof runs against.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::process::{Process, free_port};
use crate::shell::{command, output, root, run, which};

const MINIO: &str = "github.com/minio/minio@latest";
/// Where Go is when nobody put it on the PATH.
const GO: &str = "/usr/local/go/bin/go";
/// MinIO listens within a second or two on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);

const ID: &str = "millrace-proof";
const SECRET: &str = "millrace-proof-secret";

/// A service and the key to it.
pub struct Service {
    pub url: String,
    pub id: String,
    pub secret: String,
    /// What it is, for the report.
    pub version: String,
    /// Ours, with the folder of its objects.
    _minio: Option<Minio>,
}

struct Minio {
    process: Process,
    objects: PathBuf,
}

impl Drop for Minio {
    fn drop(&mut self) {
        let _ = self.process.end_with("TERM", PATIENCE);
        let _ = std::fs::remove_dir_all(&self.objects);
    }
}

impl Service {
    /// The one that the environment names, or a MinIO in `dir`.
    pub fn provide(dir: &Path) -> Result<Service> {
        match std::env::var("MILLRACE_TEST_S3_URL").ok().filter(|url| !url.is_empty()) {
            Some(url) => {
                let id = std::env::var("MILLRACE_TEST_S3_KEY")?;
                let secret = std::env::var("MILLRACE_TEST_S3_SECRET")?;
                Ok(Service {
                    url,
                    id,
                    secret,
                    version: "The service named by the environment".into(),
                    _minio: None,
                })
            }
            None => Self::minio(dir),
        }
    }

    fn minio(dir: &Path) -> Result<Service> {
        let go = which("go").or_else(|| Some(PathBuf::from(GO)).filter(|go| go.is_file()));
        let go =
            go.ok_or("no Go to build MinIO with: install it, or name a service with MILLRACE_TEST_S3_URL")?;
        let binary = build(&go)?;
        let objects = dir.join("objects");
        let (port, console) = (free_port()?, free_port()?);
        let mut serve = command(&binary);
        serve.args(["server", "--address", &format!("127.0.0.1:{port}")]);
        serve.args(["--console-address", &format!("127.0.0.1:{console}")]).arg(&objects);
        serve.env("MINIO_ROOT_USER", ID).env("MINIO_ROOT_PASSWORD", SECRET).env("MINIO_UPDATE", "off");
        let process = Process::start(serve, &dir.join("minio.log"))?;
        let minio = Minio { process, objects };
        minio.process.line_with("API:", PATIENCE)?;
        let modules = output(command(&go).args(["version", "-m"]).arg(&binary))?;
        let url = format!("http://127.0.0.1:{port}");
        let version = format!("MinIO {}, run as a process", version(&modules));
        Ok(Service { url, id: ID.into(), secret: SECRET.into(), version, _minio: Some(minio) })
    }

    /// Tells a command which service is meant.
    pub fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("MILLRACE_TEST_S3_URL", &self.url);
        command.env("MILLRACE_TEST_S3_KEY", &self.id).env("MILLRACE_TEST_S3_SECRET", &self.secret)
    }
}

/// MinIO's binary, built if it is not there yet. Its sources are a gigabyte and do not stay.
fn build(go: &Path) -> Result<PathBuf> {
    let (bin, sources) = (root().join("target/accept/bin"), root().join("target/accept/go"));
    let binary = bin.join("minio");
    if !binary.is_file() {
        println!("building MinIO, which takes some minutes");
        let mut install = command(go);
        install.args(["install", MINIO]).env("GOPATH", &sources).env("GOBIN", &bin);
        run(install.env("GOFLAGS", "-modcacherw"))?;
        std::fs::remove_dir_all(&sources)?;
    }
    Ok(binary)
}

/// The version in what `go version -m` says.
fn version(modules: &str) -> &str {
    let line = modules.lines().find(|line| line.split_whitespace().next() == Some("mod"));
    line.and_then(|line| line.split_whitespace().nth(2)).unwrap_or("of an unknown version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_that_of_the_main_module() {
        let said = "minio: go1.26\n\tpath\tgithub.com/minio/minio\n\tmod\tgithub.com/minio/minio\tv0.1-abc\th1:x=\n\
                    \tdep\taead.dev/mem\tv0.2.0\n";
        assert_eq!(version(said), "v0.1-abc");
        assert_eq!(version(""), "of an unknown version");
    }
}
