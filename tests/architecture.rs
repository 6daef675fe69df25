//! The rules of the house (ARCHITECTURE.md), read from `cargo metadata` and from the files: who may import
//! whom, what a pure crate may pull in, which lints hold everywhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Level of each crate. A crate imports strictly lower levels only.
const LEVELS: &[(&str, u8)] = &[
    ("media", 0),
    ("codec", 1),
    ("manifest", 1),
    ("container", 2),
    ("rtmp", 3),
    ("output", 3),
    ("session", 4),
    ("catalog", 4),
    ("dialect", 5),
    ("ingest", 6),
    ("hub", 6),
    ("relay", 6),
    ("delivery", 6),
    ("origin", 6),
    ("ffmpeg", 6),
    ("control", 6),
    ("api", 7),
    ("server", 8),
];

/// The pure line: crates up to this level have no socket, no file, no clock and no randomness.
const PURE: u8 = 5;

/// Crates that exist to build and prove the others. None of them is part of what runs.
const DEV: &[&str] = &["testkit", "fuzz", "millrace-benches", "millrace-tests", "xtask"];

/// Runtimes and sockets, which nothing below the pure line may reach.
const SHELL_ONLY: &[&str] = &["tokio", "mio", "async-std", "socket2", "hyper", "reqwest"];

/// ARCHITECTURE.md is read in one sitting, or it is not read.
const ARCHITECTURE_LINES: usize = 250;

/// The dependency graph that a build links: package names, and what each imports outside its tests.
#[derive(Default)]
struct Graph {
    ours: BTreeSet<String>,
    /// Package → what it imports. Two versions of one package count as one, with the edges of both.
    imports: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn of(metadata: &Metadata) -> Graph {
        let name = |id| metadata[id].name.to_string();
        let mut graph =
            Graph { ours: metadata.workspace_members.iter().map(name).collect(), imports: BTreeMap::new() };
        for node in &metadata.resolve.as_ref().unwrap().nodes {
            let linked = node
                .deps
                .iter()
                .filter(|dep| dep.dep_kinds.iter().any(|k| k.kind == DependencyKind::Normal))
                .map(|dep| name(&dep.pkg));
            graph.imports.entry(name(&node.id)).or_default().extend(linked);
        }
        graph
    }

    fn imports(&self, package: &str) -> impl Iterator<Item = &str> {
        self.imports.get(package).into_iter().flatten().map(String::as_str)
    }

    /// The shortest way from `from` to `to`, both included.
    fn path(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::from([from.to_owned()]);
        let mut ways = std::collections::VecDeque::from([vec![from.to_owned()]]);
        while let Some(way) = ways.pop_front() {
            let end = way.last().unwrap();
            if end == to {
                return Some(way);
            }
            for next in self.imports(end) {
                if seen.insert(next.to_owned()) {
                    ways.push_back(way.iter().cloned().chain([next.to_owned()]).collect());
                }
            }
        }
        None
    }
}

fn level(package: &str) -> Option<u8> {
    LEVELS.iter().find(|(name, _)| *name == package).map(|&(_, level)| level)
}

/// Everything in `graph` that breaks a rule, one sentence each.
fn faults(graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    for package in graph.ours.iter().map(String::as_str).filter(|name| !DEV.contains(name)) {
        match level(package) {
            Some(level) => faults.extend(faults_of(graph, package, level)),
            None => faults.push(format!("{package} has no level: give it one in tests/architecture.rs")),
        }
    }
    faults
}

fn faults_of(graph: &Graph, package: &str, own: u8) -> Vec<String> {
    let mut faults = Vec::new();
    for import in graph.imports(package).filter(|name| graph.ours.contains(*name)) {
        match level(import) {
            Some(theirs) if theirs >= own => {
                faults.push(format!("{package} (level {own}) imports {import} (level {theirs})"));
            }
            None if DEV.contains(&import) => {
                faults.push(format!("{package} imports {import} outside its tests"));
            }
            _ => {}
        }
    }
    for banned in SHELL_ONLY.iter().filter(|_| own <= PURE) {
        if let Some(way) = graph.path(package, banned) {
            faults.push(format!("{package} is pure but reaches {banned}: {}", way.join(" → ")));
        }
    }
    faults
}

fn metadata() -> Metadata {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let options = ["--locked".to_owned(), "--filter-platform".to_owned(), host];
    MetadataCommand::new().current_dir(root()).other_options(options).exec().unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[test]
fn a_crate_imports_strictly_lower_levels_only_and_a_pure_one_no_runtime() {
    let graph = Graph::of(&metadata());
    assert!(graph.ours.contains("media"), "the graph is empty");
    assert!(graph.path("ingest", "tokio").is_some(), "the graph has no edges");
    assert_eq!(faults(&graph), Vec::<String>::new());
}

#[test]
fn every_crate_obeys_the_workspace_lints_and_is_called_like_its_folder() {
    let metadata = metadata();
    for id in &metadata.workspace_members {
        let package = &metadata[id];
        let manifest: toml::Table = std::fs::read_to_string(&package.manifest_path).unwrap().parse().unwrap();
        let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        assert_eq!(inherits, Some(&toml::Value::Boolean(true)), "{}: [lints] workspace = true", package.name);

        let folder = package.manifest_path.parent().unwrap();
        if folder.parent().unwrap().file_name() == Some("crates") {
            assert_eq!(folder.file_name(), Some(package.name.as_str()));
        }
    }
}

#[test]
fn architecture_md_is_short_and_names_every_crate() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let lines = text.lines().count();
    assert!(lines <= ARCHITECTURE_LINES, "{lines} lines, at most {ARCHITECTURE_LINES}");
    for package in Graph::of(&metadata()).ours.iter().filter(|name| level(name).is_some()) {
        assert!(text.contains(&format!("`{package}`")), "ARCHITECTURE.md does not mention `{package}`");
    }
}

// The checks themselves, on made-up graphs.

#[track_caller]
fn check(edges: &[(&str, &str)], ours: &[&str], expected: &[&str]) {
    let mut graph = Graph { ours: ours.iter().map(|name| (*name).to_owned()).collect(), ..Graph::default() };
    for (from, to) in edges {
        graph.imports.entry((*from).to_owned()).or_default().insert((*to).to_owned());
    }
    assert_eq!(faults(&graph), expected);
}

#[test]
fn importing_downwards_is_fine() {
    check(
        &[("codec", "media"), ("server", "media"), ("xtask", "server")],
        &["codec", "media", "server", "xtask"],
        &[],
    );
}

#[test]
fn importing_upwards_is_a_fault() {
    check(&[("media", "codec")], &["media", "codec"], &["media (level 0) imports codec (level 1)"]);
}

#[test]
fn crates_on_one_level_are_strangers() {
    check(&[("origin", "hub")], &["origin", "hub"], &["origin (level 6) imports hub (level 6)"]);
}

#[test]
fn a_pure_crate_that_reaches_tokio_through_others_is_a_fault_and_the_way_is_told() {
    check(
        &[("rtmp", "somelib"), ("somelib", "deeper"), ("deeper", "tokio"), ("hub", "tokio")],
        &["rtmp", "hub"],
        &["rtmp is pure but reaches tokio: rtmp → somelib → deeper → tokio"],
    );
}

#[test]
fn tests_and_tools_are_no_part_of_what_runs() {
    check(&[("session", "testkit")], &["session", "testkit"], &["session imports testkit outside its tests"]);
}

#[test]
fn a_crate_without_a_level_is_a_fault() {
    check(&[], &["helpers"], &["helpers has no level: give it one in tests/architecture.rs"]);
}
