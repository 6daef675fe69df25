//! Recordings over faults that take minutes: the ignored tests of `tests/e2e/recording/faults.rs`.

use super::Report;
use crate::shell::{build_release, cargo, output};
use crate::{Result, system};

/// Two at a time: they wait for most of their time.
pub fn run(args: &[String]) -> Result<Report> {
    system::provide(&[system::BUILD, system::TEST, system::CLOCK])?;
    let binary = build_release("server", "millrace")?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "--package", "server", "--test", "e2e", "recording::faults"]);
    tests.args(["--", "--ignored", "--nocapture", "--test-threads=2"]).args(args);
    let said = output(tests.env("MILLRACE_TEST_BINARY", binary))?;
    Ok(report(&said))
}

fn report(said: &str) -> Report {
    let lines =
        |fits: fn(&str) -> bool| said.lines().filter(|line| fits(line)).collect::<Vec<_>>().join("\n");
    let body = format!(
        "```text\n{}\n```\n\nFFmpeg publishes in real time and tries again each second. Every frame that is missing was \
         lost within a second before a kill, or until the encoder was back at a key frame.\n\n\
         | format | kills | seconds pushed | seconds of pictures missing |\n|---|--:|--:|--:|\n{}\n",
        lines(|line| line.starts_with("test ") && line.contains(" ... ") || line == "ok"),
        lines(|line| line.starts_with("| "))
    );
    Report { body, short: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_from_what_the_tests_say() {
        let said = "running 2 tests\ntest a ... ok\ntest b ... | odd\n| mp4 | 18 | 200 | 31.20 |\nok\n";
        let body = report(said).body;
        assert!(body.contains("test a ... ok") && body.ends_with("| mp4 | 18 | 200 | 31.20 |\n"), "{body}");
    }
}
