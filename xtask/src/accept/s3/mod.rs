//! The stories of `tests/e2e/s3.rs` against a real service, and how fast and in how much memory a big object goes up.
//!
//! The service is the one that `MILLRACE_TEST_S3_URL` names (with `_KEY` and `_SECRET`), else a MinIO that is built
//! from its source with Go, kept in `target/accept/bin`, and run as a process of ours.

mod service;
mod upload;

use super::Report;
use crate::shell::{cargo, output, root};
use crate::{Result, system};
use service::Service;

/// Runs the proof. Nothing of its folder, `target/accept/s3`, is left but what MinIO said.
pub fn run(_args: &[String]) -> Result<Report> {
    system::provide(&[system::BUILD, system::TEST, system::S3])?;
    let dir = root().join("target/accept/s3");
    let _ = std::fs::remove_dir_all(&dir); // of an earlier run; absent is fine
    std::fs::create_dir_all(&dir)?;
    let service = Service::provide(&dir)?;
    let stories = stories(&service)?;
    let figures = upload::run(&service, &dir)?;
    let body = format!(
        "{}.\n\n{stories} stories of `tests/e2e/s3.rs` held. By the service: pushes of ffmpeg, every frame found again in \
         the objects; wrong key, wrong secret, missing bucket and an hour's wrong clock, each told for what it is. By \
         stand-ins in the test's process: path style refused, a service that comes only after the recording.\n\n{}",
        service.version,
        figures.table()
    );
    Ok(Report { body, short: figures.short() })
}

/// Plays the stories; how many there are.
fn stories(service: &Service) -> Result<u32> {
    let mut test = cargo();
    test.args(["test", "--locked", "--package", "server", "--test", "e2e", "s3::"]);
    let said = output(service.tell(&mut test))?;
    print!("{said}");
    passed(&said).filter(|&stories| stories > 0).ok_or_else(|| "no story was played".into())
}

fn passed(said: &str) -> Option<u32> {
    let (_, rest) = said.split_once("test result: ok. ")?;
    rest.split_once(" passed")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stories_are_counted_as_the_harness_says() {
        assert_eq!(passed("x\ntest result: ok. 7 passed; 0 failed; 0 ignored\n"), Some(7));
        assert_eq!(passed("test result: FAILED. 6 passed; 1 failed"), None);
    }
}
