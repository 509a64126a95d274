//! Certificates, one file a host, and the settings of TLS.
//!
//! In:    a folder of PEM files, each a chain with its key: `stadt.example.pem`; `_.example.pem`
//!        serves every host one label below `example`.
//! Out:   an acceptor; a certificate for the name that a client asks for.
//! Never: serves a name nobody has (the handshake is refused); drops certificates in use because
//!        new ones cannot be read; logs a key; early data (a replayed request is a request).
//! See:   RFC 8446; RFC 6066 §3 (SNI); RFC 7301 (ALPN); docs/guide/gate.md.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, crypto::CryptoProvider};
use tokio_rustls::TlsAcceptor;

use crate::error::GateError;

/// Protocols that are offered, the better one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Largest PEM file. Bytes.
const FILE_SIZE_MAX: u64 = 1024 * 1024;

/// The certificate of one host, whoever asks.
#[derive(Debug)]
struct Sole(Arc<Certificates>, String);

type Keys = BTreeMap<String, Arc<CertifiedKey>>;

/// The certificates in use.
pub(crate) struct Certificates {
    folder: PathBuf,
    provider: Arc<CryptoProvider>,
    keys: RwLock<Arc<Keys>>,
}

impl Certificates {
    /// Reads the folder.
    ///
    /// # Errors
    /// A file in it cannot be read, or there is none.
    pub(crate) fn read(folder: &Path) -> Result<Arc<Self>, GateError> {
        let provider = Arc::new(ring::default_provider());
        let keys = keys(folder, &provider)?;
        Ok(Arc::new(Self {
            folder: folder.to_owned(),
            provider,
            keys: RwLock::new(Arc::new(keys)),
        }))
    }

    /// Reads the folder again; running connections keep what they have. All or nothing: the names
    /// that are served from here on.
    ///
    /// # Errors
    /// A file cannot be read; then everything stays as it was.
    pub(crate) fn reload(&self) -> Result<Vec<String>, GateError> {
        let keys = keys(&self.folder, &self.provider)?;
        let names = keys.keys().cloned().collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(names)
    }

    /// TLS 1.3 and 1.2 with these certificates.
    ///
    /// # Errors
    /// The provider knows neither version.
    pub(crate) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, GateError> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(&self.folder, error))?;
        let resolver = Arc::clone(self) as Arc<dyn ResolvesServerCert>;
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// The same for mail, whose clients mostly name no host: they get the one certificate.
    ///
    /// # Errors
    /// There is no certificate for it, or the provider knows neither version.
    pub(crate) fn acceptor_of(self: &Arc<Self>, name: &str) -> Result<TlsAcceptor, GateError> {
        if self.find(name).is_none() {
            return Err(wrong(&self.folder, format!("no certificate for `{name}`")));
        }
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(&self.folder, error))?;
        let resolver = Arc::new(Sole(Arc::clone(self), name.to_owned()));
        let config = builder.with_no_client_auth().with_cert_resolver(resolver);
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn find(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        let name = name.to_ascii_lowercase();
        let below = || name.split_once('.').map(|(_, rest)| format!("_.{rest}"));
        let found = keys.get(&name).or_else(|| keys.get(&below()?));
        found.cloned()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(hello.server_name()?)
    }
}

impl ResolvesServerCert for Sole {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.find(&self.1)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificates({})", self.folder.display())
    }
}

fn wrong(path: &Path, why: impl ToString) -> GateError {
    GateError::Certificate {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

fn keys(folder: &Path, provider: &CryptoProvider) -> Result<Keys, GateError> {
    let mut keys = Keys::new();
    let entries = fs::read_dir(folder).map_err(|error| wrong(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| wrong(folder, error))?.path();
        let is_pem = path.extension().is_some_and(|end| end == "pem");
        let name = path.file_stem().and_then(|name| name.to_str());
        if let (true, Some(name)) = (is_pem, name) {
            keys.insert(name.to_ascii_lowercase(), Arc::new(key(&path, provider)?));
        }
    }
    if keys.is_empty() {
        return Err(wrong(folder, "there is no `HOST.pem` in it"));
    }
    Ok(keys)
}

/// A chain with its key, which must belong together.
fn key(path: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, GateError> {
    let size = fs::metadata(path)
        .map_err(|error| wrong(path, error))?
        .len();
    if size > FILE_SIZE_MAX {
        return Err(wrong(path, "it is too large"));
    }
    let text = fs::read(path).map_err(|error| wrong(path, error))?;
    let chain = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(path, error))?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| wrong(path, error))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| wrong(path, error))
}
