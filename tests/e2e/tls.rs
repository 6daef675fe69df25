//! Playback and API over TLS.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};

use crate::machine::{PATIENCE, Server, base, binary};

/// A server with a certificate for `localhost`, and that certificate.
fn start() -> (Server, CertificateDer<'static>) {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls =
        format!("[tls]\ncert = {:?}\nkey = {:?}\n", cert.display().to_string(), key.display().to_string());
    let any = "127.0.0.1:0";
    let ports = [("MILLRACE__HTTP__TLS_LISTEN", any), ("MILLRACE__API__TLS_LISTEN", any)];
    (Server::start_in(folder, &tls, &ports), made.cert.der().clone())
}

/// A port that the server says it is ready on.
fn port(server: &Server, key: &str) -> SocketAddr {
    let ready = server.log().into_iter().find(|line| line.contains(r#""ready""#)).unwrap();
    let (_, rest) = ready.split_once(&format!(r#""{key}":""#)).unwrap();
    rest.split('"').next().unwrap().parse().unwrap()
}

/// GET over TLS by a client that trusts `certificate`; the answer's first line.
fn get(address: SocketAddr, path: &str, certificate: &CertificateDer<'static>) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).lines().next().unwrap().to_owned()
}

#[test]
fn with_a_certificate_playback_and_api_are_served_over_tls_too() {
    let (mut server, certificate) = start();
    let (https, api_tls) = (port(&server, "https"), port(&server, "api_tls"));
    assert_eq!(get(api_tls, "/healthz", &certificate), "HTTP/1.1 200 OK");
    assert_eq!(get(api_tls, "/api/streams", &certificate), "HTTP/1.1 401 Unauthorized");
    assert_eq!(get(https, "/live/none.m3u8", &certificate), "HTTP/1.1 404 Not Found");
    // Whoever speaks plain HTTP there is let go, and the next one is served.
    let mut plain = TcpStream::connect(api_tls).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("200"));
    assert_eq!(get(api_tls, "/healthz", &certificate), "HTTP/1.1 200 OK");
    assert!(server.terminate().success());
}

#[test]
fn a_certificate_that_cannot_be_used_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("millrace.toml");
    let tls = "[tls]\ncert = \"no.pem\"\nkey = \"no.pem\"\n";
    std::fs::write(&config, format!("{}{tls}", base(folder.path()))).unwrap();
    let output = Command::new(binary()).args(["serve", "--config"]).arg(&config).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("tls: no.pem: "), "{said}");
}
