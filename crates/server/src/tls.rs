//! The certificate of the ports that have a variant over TLS.

use std::io;
use std::path::Path;
use std::sync::Arc;

use server::config::Tls;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

/// Protocols over TLS, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Reads certificate and key.
///
/// # Errors
/// A file that cannot be read, that holds none, or a key that does not fit the certificate.
pub(crate) fn acceptor(tls: &Tls) -> io::Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(&tls.cert)
        .and_then(|found| found.collect::<Result<Vec<_>, _>>())
        .map_err(|error| unreadable(&tls.cert, error))?;
    if chain.is_empty() {
        return Err(invalid(format!("{}: holds no certificate", tls.cert.display())));
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| unreadable(&tls.key, error))?;
    let unusable = |error| invalid(format!("{}: {error}", tls.cert.display()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn unreadable(path: &Path, error: pem::Error) -> io::Error {
    match error {
        pem::Error::Io(error) => io::Error::new(error.kind(), format!("{}: {error}", path.display())),
        other => invalid(format!("{}: {other}", path.display())),
    }
}
