//! The binary's contract with whoever starts it.

use std::process::{Command, Output};

use crate::machine::{EVERYTHING, Server, base, binary, get};

fn millrace(args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(binary()).args(args).envs(env.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_and_version_say_what_it_is() {
    let help = millrace(&["--help"], &[]);
    assert!(help.status.success());
    for word in ["serve", "check"] {
        assert!(text(&help.stdout).contains(word));
    }
    let version = millrace(&["--version"], &[]);
    assert!(text(&version.stdout).starts_with("millrace "));
}

#[test]
fn a_bad_config_ends_with_2_and_names_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.toml");
    std::fs::write(&path, "[http]\nlisten = \"127.0.0.1:0\"\nlisten_adress = 1\n").unwrap();
    let path = path.to_str().unwrap();
    for command in ["check", "serve"] {
        let output = millrace(&[command, "--config", path], &[]);
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains("bad.toml:3") && said.contains("listen_adress"), "{said}");
    }
}

#[test]
fn check_prints_what_the_config_means_with_the_environment_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("good.toml");
    std::fs::write(&path, base(folder.path()) + EVERYTHING).unwrap();
    let env = [("MILLRACE__HTTP__LISTEN", "127.0.0.1:12345")];
    let output = millrace(&["check", "--config", path.to_str().unwrap()], &env);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(said.contains("127.0.0.1:12345"), "{said}");
    assert!(!said.contains("test-secret"), "{said}");
}

#[test]
fn it_is_healthy_once_ready_and_ends_with_0_on_sigterm() {
    let mut server = Server::start(EVERYTHING);
    assert_eq!(get(server.api, "/healthz", "").0, 200);
    assert_eq!(get(server.api, "/nothing", "").0, 404);
    assert_eq!(server.get("/live/none.m3u8").0, 404);
    assert_eq!(server.get("/live/none.mpd").0, 404);
    assert!(server.terminate().success());
}

#[test]
fn a_request_head_over_32_kib_is_refused() {
    let server = Server::start("");
    let head = |bytes: usize| format!("X-Long: {}\r\n", "x".repeat(bytes));
    assert_eq!(get(server.http, "/live/none.m3u8", &head(30 << 10)).0, 404);
    assert_eq!(get(server.http, "/live/none.m3u8", &head(33 << 10)).0, 431);
    assert_eq!(get(server.api, "/healthz", &head(33 << 10)).0, 431);
}
