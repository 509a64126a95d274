//! TLS with other people's clients: curl, openssl; certificates per host, replaced while in use.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use anlauf_gate::{GateError, Serving, Tls};
use anlauf_model::{Epoch, Stage};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::backend::{Backend, mirror};
use crate::cast::{HOST, MELDEN, cells, closing, text};
use crate::client::post;
use crate::house::House;

/// Makes `HOST.pem`; the name of the file without its end is the name in it.
pub async fn make(folder: &Path, host: &str) -> PathBuf {
    let (key, chain) = (folder.join("key"), folder.join("chain"));
    let name = host.replace("_.", "*.");
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=gate"])
        .args(["-addext", &format!("subjectAltName=DNS:{name}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&chain)
        .stderr(Stdio::null())
        .status()
        .await
        .expect("these tests need `openssl`");
    assert!(made.success());
    let path = folder.join(format!("{host}.pem"));
    let both = [std::fs::read(&chain).unwrap(), std::fs::read(&key).unwrap()].concat();
    // As one would: the new file takes the old one's place at once.
    let fresh = folder.join("fresh");
    std::fs::write(&fresh, both).unwrap();
    std::fs::rename(&fresh, &path).unwrap();
    path
}

struct Doors {
    house: House,
    folder: tempfile::TempDir,
    pem: PathBuf,
}

async fn open(backend: SocketAddr) -> Doors {
    let folder = tempfile::tempdir().unwrap();
    let pem = make(folder.path(), HOST).await;
    make(folder.path(), "_.kommunen.test").await;
    let tls = Tls {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        certificates: folder.path().to_owned(),
    };
    let house = House::with(backend, |config| {
        config.serving = Serving {
            tls: Some(tls),
            ..Serving::default()
        }
    })
    .await;
    house.ground().await;
    house.open(MELDEN, 1, Stage::Full).await;
    Doors { house, folder, pem }
}

impl Doors {
    fn address(&self) -> SocketAddr {
        self.house.gate.addresses()[1]
    }

    /// What curl tells of one request.
    async fn curl(&self, host: &str, arguments: &[&str]) -> String {
        let port = self.address().port();
        let out = Command::new("curl")
            .args(["--silent", "--noproxy", "*", "--cacert"])
            .arg(&self.pem)
            .args(["--resolve", &format!("{host}:{port}:127.0.0.1")])
            .args(["--write-out", "\n%{http_version} %{http_code}"])
            .args(arguments)
            .arg(format!("https://{host}:{port}/melden/a"))
            .output()
            .await
            .expect("these tests need `curl`");
        String::from_utf8(out.stdout).unwrap()
    }

    async fn s_client(&self, arguments: &[&str]) -> (bool, String) {
        let out = Command::new("openssl")
            .args(["s_client", "-connect", &self.address().to_string()])
            .arg("-CAfile")
            .arg(&self.pem)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .await
            .expect("these tests need `openssl`");
        (
            out.status.success(),
            String::from_utf8_lossy(&out.stdout).into_owned(),
        )
    }

    async fn line(&self) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(&self.pem).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address()).await.unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap()
    }
}

async fn say(line: &mut TlsStream<TcpStream>) {
    let ask = format!("GET /melden/a HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    line.write_all(ask.as_bytes()).await.unwrap();
    line.flush().await.unwrap();
}

async fn until(line: &mut TlsStream<TcpStream>, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        assert!(line.read_buf(&mut bytes).await.unwrap() > 0);
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn curl_speaks_both_protocols() {
    let doors = open(mirror().await).await;
    for (argument, want) in [("--http1.1", "\n1.1 200"), ("--http2", "\n2 200")] {
        let said = doors.curl(HOST, &[argument]).await;
        assert!(said.ends_with(want), "{argument}: {said}");
        assert!(said.contains("x-forwarded-proto: https"), "{said}");
        assert!(said.contains("proto=https"), "{said}");
    }
    let said = doors
        .curl(HOST, &["--http2", "--data-binary", "hello"])
        .await;
    assert!(said.ends_with("\n2 200"), "{said}");
}

#[tokio::test]
async fn openssl_speaks_both_versions_and_no_older_one() {
    let doors = open(mirror().await).await;
    for (version, works) in [("-tls1_2", true), ("-tls1_3", true), ("-tls1_1", false)] {
        let (ended, said) = doors.s_client(&["-servername", HOST, version]).await;
        assert_eq!(
            ended && said.contains("Verify return code: 0 (ok)"),
            works,
            "{said}"
        );
    }
    let (_, said) = doors
        .s_client(&["-servername", HOST, "-alpn", "h2,http/1.1"])
        .await;
    assert!(said.contains("ALPN protocol: h2"), "{said}");
}

#[tokio::test]
async fn a_name_without_a_certificate_gets_no_handshake() {
    let doors = open(mirror().await).await;
    for arguments in [&["-noservername"][..], &["-servername", "nobody.example"]] {
        let (ended, said) = doors.s_client(arguments).await;
        assert!(!ended && said.contains("no peer certificate"), "{said}");
    }
    let one_below = ["-servername", "stadt.kommunen.test"];
    assert!(doors.s_client(&one_below).await.0);
    let two_below = ["-servername", "a.stadt.kommunen.test"];
    assert!(!doors.s_client(&two_below).await.0);
}

#[tokio::test]
async fn another_host_than_in_the_handshake_is_refused() {
    let doors = open(mirror().await).await;
    for argument in ["--http1.1", "--http2"] {
        let other = "Host: stadt-ulmenau.kommunen.example";
        let said = doors.curl(HOST, &[argument, "--header", other]).await;
        assert!(said.ends_with(" 421"), "{argument}: {said}");
    }
    assert_eq!(doors.house.gate.counts().passed, 0);
}

#[tokio::test]
async fn certificates_change_under_running_connections() {
    let doors = open(mirror().await).await;
    let mut line = doors.line().await;
    let fingerprint = |said: &str| {
        let begun = said.split("-----BEGIN").nth(1).unwrap();
        begun.split("-----END").next().unwrap().to_owned()
    };
    let serial = |doors: &Doors| {
        let arguments = ["-servername", HOST, "-showcerts"];
        let address = doors.address().to_string();
        async move {
            let out = Command::new("openssl")
                .args(["s_client", "-connect", &address])
                .args(arguments)
                .stdin(Stdio::null())
                .output()
                .await
                .unwrap();
            String::from_utf8_lossy(&out.stdout).into_owned()
        }
    };
    let before = fingerprint(&serial(&doors).await);
    make(doors.folder.path(), HOST).await;
    assert_eq!(
        fingerprint(&serial(&doors).await),
        before,
        "not before it is told"
    );
    let answer = post(doors.house.admin(), "/certificates", "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains(HOST), "{}", answer.body);
    let after = fingerprint(&serial(&doors).await);
    assert_ne!(after, before);
    // The connection from before goes on.
    say(&mut line).await;
    assert!(
        until(&mut line, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );

    std::fs::write(&doors.pem, "nonsense").unwrap();
    let answer = post(doors.house.admin(), "/certificates", "").await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("AN-GAT-008"), "{}", answer.body);
    assert_eq!(fingerprint(&serial(&doors).await), after, "all or nothing");
}

#[tokio::test]
async fn a_close_cuts_under_tls_too() {
    let mut backend = Backend::new().await;
    let doors = open(backend.address).await;
    let mut line = doors.line().await;
    say(&mut line).await;
    let mut exchange = backend.next().await;
    exchange
        .say("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbefore")
        .await;
    until(&mut line, "before").await;
    let envelope = text(&closing(cells(&[MELDEN]), 1));
    let answer = post(doors.house.admin(), "/close", &envelope).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(doors.house.stage(MELDEN), (Stage::Closed, Epoch(1)));
    let _ = exchange.stream.write_all(b"after").await;
    let (stream, _) = line.into_inner();
    assert_eq!(crate::client::settle(stream).await, (0, 0));
    assert_eq!(exchange.rest().await, b"");
    assert!(doors.curl(HOST, &["--http1.1"]).await.ends_with(" 503"));
}

#[tokio::test]
async fn a_gate_without_a_usable_certificate_does_not_start() {
    let house = House::new(mirror().await).await;
    let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for text in [None, Some("nonsense")] {
        if let Some(text) = text {
            std::fs::write(folder.path().join("a.example.pem"), text).unwrap();
        }
        let mut config = house.config("127.0.0.1:9", state.path());
        config.serving.tls = Some(Tls {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            certificates: folder.path().to_owned(),
        });
        let refused = anlauf_gate::Gate::start(config).await.err();
        assert!(
            matches!(refused, Some(GateError::Certificate { .. })),
            "{refused:?}"
        );
    }
}
