//! The certificate that mail is taken and read by TLS with.
//!
//! In:    a PEM file with the chain and its key. Out: settings for TLS 1.2 and 1.3: of servers, and
//!        of those who believe just this one.
//! Never: a client's certificate is asked for.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

/// Whom a client believes.
pub type Believed = Arc<ClientConfig>;

/// Reads a file with a chain and a key.
///
/// # Errors
/// The file cannot be read, lacks one of both, or they do not belong together.
pub fn read(path: &Path) -> Result<Arc<ServerConfig>> {
    let (name, chain) = (path.display(), chain(path)?);
    let key = PrivateKeyDer::from_pem_file(path)
        .with_context(|| format!("cannot read a key from `{name}`"))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| format!("`{name}` cannot be used for TLS"))?;
    Ok(Arc::new(config))
}

/// Settings of a client that believes the certificates of a file, and no others.
///
/// # Errors
/// The file cannot be read, or holds none that can be believed.
pub fn believe(path: &Path) -> Result<Believed> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(path)? {
        roots
            .add(certificate)
            .with_context(|| format!("`{}` cannot be believed", path.display()))?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read certificates from `{}`", path.display()))
}
