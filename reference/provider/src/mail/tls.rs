//! The certificate that mail is taken by TLS with.
//!
//! In:    a PEM file with the chain and its key. Out: settings for STARTTLS, TLS 1.2 and 1.3.
//! Never: a client's certificate is asked for.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Reads a file with a chain and a key.
///
/// # Errors
/// The file cannot be read, lacks one of both, or they do not belong together.
pub fn read(path: &Path) -> Result<Arc<ServerConfig>> {
    let name = path.display();
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read certificates from `{name}`"))?;
    let key = PrivateKeyDer::from_pem_file(path)
        .with_context(|| format!("cannot read a key from `{name}`"))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| format!("`{name}` cannot be used for TLS"))?;
    Ok(Arc::new(config))
}
