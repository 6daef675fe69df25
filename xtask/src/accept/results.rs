//! `benches/RESULTS.md`: what was measured, when, on which machine, by which command.

use std::io::Write;

use super::Report;
use crate::Result;
use crate::shell::{command, output, root};

/// Appends what `proof` found.
pub fn append(proof: &str, args: &[String], report: &Report) -> Result<()> {
    let path = root().join("benches/RESULTS.md");
    let fresh = !path.exists();
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
    if fresh {
        file.write_all(b"# Results\n\nWhat `cargo xtask accept` measured, newest last.\n")?;
    }
    file.write_all(section(proof, args, report, &Place::here()?).as_bytes())?;
    println!("written to benches/RESULTS.md");
    Ok(())
}

/// Where and when something was measured.
struct Place {
    when: String,
    machine: String,
    commit: String,
}

impl Place {
    fn here() -> Result<Place> {
        let when = output(command("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]))?.trim().to_owned();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let commit = output(command("git").args(["describe", "--always", "--dirty", "--exclude", "*"]));
        Ok(Place {
            when,
            machine: format!("{cores} × {}", cpu_model()),
            commit: commit.map_or_else(|_| "no commit".to_owned(), |text| text.trim().to_owned()),
        })
    }
}

fn cpu_model() -> String {
    let linux = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = linux.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    if let Some((_, model)) = model {
        return model.trim().to_owned();
    }
    let mac = output(command("sysctl").args(["-n", "machdep.cpu.brand_string"]));
    mac.map_or_else(|_| std::env::consts::ARCH.to_owned(), |text| text.trim().to_owned())
}

fn section(proof: &str, args: &[String], report: &Report, place: &Place) -> String {
    let mut words = vec!["cargo xtask accept", proof];
    if !args.is_empty() {
        words.push("--");
        words.extend(args.iter().map(String::as_str));
    }
    let mut text = format!(
        "\n## {proof}, {}\n\n{}, commit {}: `{}`\n\n{}\n",
        place.when,
        place.machine,
        place.commit,
        words.join(" "),
        report.body.trim_end()
    );
    if !report.short.is_empty() {
        text.push_str("\nShort of the target:\n\n");
        report.short.iter().for_each(|target| text.push_str(&format!("- {target}\n")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_says_when_where_how_and_what_fell_short() {
        let place = Place { when: "2026-01-02".into(), machine: "2 × CPU".into(), commit: "abc".into() };
        let report = Report { body: "| a |\n".into(), short: vec!["too slow".into()] };
        let text = section("obs", &["--fast".into()], &report, &place);
        assert_eq!(
            text,
            "\n## obs, 2026-01-02\n\n2 × CPU, commit abc: `cargo xtask accept obs -- --fast`\n\n| a |\n\
             \nShort of the target:\n\n- too slow\n"
        );
    }
}
