//! What we link, against `deny.toml`: licences, sources and bans. The file is cargo-deny's, which reads it too
//! where it is installed; this test holds the same rules on a machine that only has Rust.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// What `deny.toml` says, as far as this test holds it.
struct Rules {
    licences: BTreeSet<String>,
    /// Package → licences allowed for it alone.
    exceptions: Vec<(String, BTreeSet<String>)>,
    /// Package → who may import it nevertheless.
    bans: Vec<(String, BTreeSet<String>)>,
    registries: BTreeSet<String>,
}

impl Rules {
    fn parse(text: &str) -> Rules {
        let file: toml::Table = text.parse().unwrap();
        let licences = &file["licenses"];
        let per_package = |list: &toml::Value, values: &str| -> Vec<_> {
            let rows = list.as_array().unwrap().iter();
            rows.map(|row| (row["crate"].as_str().unwrap().to_owned(), strings(row.get(values)))).collect()
        };
        Rules {
            licences: strings(licences.get("allow")),
            exceptions: per_package(&licences["exceptions"], "allow"),
            bans: per_package(&file["bans"]["deny"], "wrappers"),
            registries: strings(file["sources"].get("allow-registry")),
        }
    }

    /// Whether `package` may come under `licence`, an SPDX expression or the older form with slashes.
    fn permits(&self, package: &str, licence: &str) -> bool {
        let own = self.exceptions.iter().filter(|(name, _)| name == package).flat_map(|(_, set)| set);
        let allowed: BTreeSet<&str> = self.licences.iter().chain(own).map(String::as_str).collect();
        Expression::of(licence).holds(&allowed)
    }

    /// Whether `importer` may import `package`.
    fn may_import(&self, importer: &str, package: &str) -> bool {
        self.bans.iter().filter(|(name, _)| name == package).all(|(_, wrappers)| wrappers.contains(importer))
    }
}

fn strings(value: Option<&toml::Value>) -> BTreeSet<String> {
    let list = value.and_then(toml::Value::as_array).into_iter().flatten();
    list.map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// An SPDX licence expression being read (SPDX 2.3 annex D): OR binds weakest, then AND, then WITH.
struct Expression {
    /// What is left, last word first.
    words: Vec<String>,
}

impl Expression {
    fn of(text: &str) -> Expression {
        let spaced = text.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        Expression { words: spaced.split_whitespace().rev().map(str::to_owned).collect() }
    }

    fn holds(mut self, allowed: &BTreeSet<&str>) -> bool {
        let holds = self.any(allowed);
        assert!(self.words.is_empty(), "not a licence expression: stops at {:?}", self.words.last());
        holds
    }

    fn any(&mut self, allowed: &BTreeSet<&str>) -> bool {
        let mut holds = self.all(allowed);
        while self.skip("OR") {
            holds |= self.all(allowed);
        }
        holds
    }

    fn all(&mut self, allowed: &BTreeSet<&str>) -> bool {
        let mut holds = self.one(allowed);
        while self.skip("AND") {
            holds &= self.one(allowed);
        }
        holds
    }

    fn one(&mut self, allowed: &BTreeSet<&str>) -> bool {
        if self.skip("(") {
            let holds = self.any(allowed);
            assert!(self.skip(")"), "a parenthesis is left open");
            return holds;
        }
        let mut licence = self.words.pop().unwrap_or_default();
        if self.skip("WITH") {
            licence = format!("{licence} WITH {}", self.words.pop().unwrap_or_default());
        }
        allowed.contains(licence.as_str())
    }

    fn skip(&mut self, word: &str) -> bool {
        let there = self.words.last().is_some_and(|next| next == word);
        if there {
            self.words.pop();
        }
        there
    }
}

/// Everything about our dependencies that breaks a rule.
fn faults(metadata: &Metadata, rules: &Rules) -> Vec<String> {
    let mut faults = Vec::new();
    for node in &metadata.resolve.as_ref().unwrap().nodes {
        let package = &metadata[&node.id];
        let licence = package.license.as_deref().unwrap_or("none");
        if !rules.permits(&package.name, licence) {
            faults.push(format!("{} {}: licence {licence}", package.name, package.version));
        }
        if let Some(source) =
            package.source.as_ref().filter(|s| !rules.registries.contains(registry(&s.repr)))
        {
            faults.push(format!("{} {}: comes from {source}", package.name, package.version));
        }
        for dep in &node.deps {
            let linked = dep.dep_kinds.iter().any(|k| k.kind != DependencyKind::Unknown);
            let import = &metadata[&dep.pkg].name;
            if linked && !rules.may_import(&package.name, import) {
                faults.push(format!("{} imports {import}, which is banned", package.name));
            }
        }
    }
    faults
}

/// `registry+https://…` as deny.toml writes it.
fn registry(source: &str) -> &str {
    source.strip_prefix("registry+").unwrap_or(source)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[test]
fn what_we_link_is_licensed_sourced_and_allowed_as_deny_toml_says() {
    let rules = Rules::parse(&std::fs::read_to_string(root().join("deny.toml")).unwrap());
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let options = ["--locked".to_owned(), "--filter-platform".to_owned(), host];
    let metadata = MetadataCommand::new().current_dir(root()).other_options(options).exec().unwrap();
    assert!(metadata.packages.len() > 50, "the graph is empty");
    assert_eq!(faults(&metadata, &rules), Vec::<String>::new());
}

// The rules themselves, on a made-up file.

fn rules() -> Rules {
    Rules::parse(
        r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
        exceptions = [{ crate = "ffmpeg-next", allow = ["WTFPL"] }]
        [bans]
        deny = [{ crate = "openssl" }, { crate = "mp4", wrappers = ["millrace-tests"] }]
        [sources]
        allow-registry = ["https://github.com/rust-lang/crates.io-index"]
        "#,
    )
}

#[test]
fn one_allowed_licence_of_several_is_enough_and_all_of_a_conjunction_are_needed() {
    let rules = rules();
    for (licence, permitted) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("Unlicense/MIT", true),
        ("MIT AND GPL-3.0-only", false),
        ("(GPL-2.0-only OR MIT) AND Apache-2.0", true),
        ("(GPL-2.0-only AND MIT) OR Zlib", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT WITH LLVM-exception", false),
        ("none", false),
    ] {
        assert_eq!(rules.permits("somelib", licence), permitted, "{licence}");
    }
}

#[test]
fn an_exception_holds_for_its_package_only() {
    assert!(rules().permits("ffmpeg-next", "WTFPL"));
    assert!(!rules().permits("somelib", "WTFPL"));
}

#[test]
fn a_banned_package_may_be_imported_by_its_wrappers_only() {
    assert!(!rules().may_import("server", "openssl"));
    assert!(!rules().may_import("server", "mp4"));
    assert!(rules().may_import("millrace-tests", "mp4"));
    assert!(rules().may_import("server", "bytes"));
}

#[test]
fn a_git_source_is_no_registry() {
    let rules = rules();
    let crates_io = "registry+https://github.com/rust-lang/crates.io-index";
    assert!(rules.registries.contains(registry(crates_io)));
    assert!(!rules.registries.contains(registry("git+https://example.org/lib")));
}
