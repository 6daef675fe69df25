//! Access keys: made and taken away on the command line, while the server runs.

use std::process::{Command, Output};

use base64::Engine as _;

use crate::machine::{Server, binary, get, wait_for};

fn key(server: &Server, args: &[&str]) -> Output {
    Command::new(binary()).arg("key").args(args).arg("--config").arg(server.config()).output().unwrap()
}

/// What a command that succeeds prints.
#[track_caller]
fn printed(server: &Server, args: &[&str]) -> String {
    let output = key(server, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Why a command fails.
#[track_caller]
fn refused(server: &Server, args: &[&str]) -> String {
    let output = key(server, args);
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

fn create(server: &Server, policy: &str) -> (String, String) {
    let text = printed(server, &["create", "--policy", policy]);
    let (id, secret) = text.trim().split_once('\n').unwrap();
    (id.strip_prefix("id ").unwrap().to_owned(), secret.strip_prefix("secret ").unwrap().to_owned())
}

fn status(server: &Server, id: &str, secret: &str) -> u16 {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
    get(server.api, "/api/streams", &format!("Authorization: Basic {pair}\r\n")).0
}

fn wait_for_status(server: &Server, (id, secret): &(String, String), want: u16) {
    wait_for("the key to be answered so", || (status(server, id, secret) == want).then_some(()));
}

#[test]
fn a_key_works_from_its_creation_until_it_is_disabled_or_deleted() {
    let server = Server::start("");
    assert_eq!(status(&server, "LTAItest", "test-secret"), 200);
    let (full, read) = (create(&server, "full"), create(&server, "read"));
    wait_for_status(&server, &full, 200);
    wait_for_status(&server, &read, 200);
    let listed = printed(&server, &["list"]);
    assert!(listed.contains("LTAItest\tfull\tactive\tconfig file"), "{listed}");
    assert!(listed.contains(&format!("{}\tread\tactive\t", read.0)) && !listed.contains(&full.1), "{listed}");

    printed(&server, &["disable", &full.0]);
    wait_for_status(&server, &full, 401);
    assert!(printed(&server, &["list"]).contains(&format!("{}\tfull\tdisabled\t", full.0)));
    printed(&server, &["delete", &read.0]);
    wait_for_status(&server, &read, 401);

    let server = Server::start_in(server.kill(), "", &[]);
    assert_eq!(status(&server, &full.0, &full.1), 401);
    assert!(refused(&server, &["delete", &read.0]).contains("has no access key"));
    assert!(refused(&server, &["disable", "LTAItest"]).contains("it is in the config file"));
    assert!(refused(&server, &["create", "--policy", "nowhere.json"]).contains("nowhere.json"));
}
