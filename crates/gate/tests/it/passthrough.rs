//! What is not HTTP: passed while the cell is open, reset while it is shut, cut on close.

use std::net::SocketAddr;

use anlauf_gate::GateConfig;
use anlauf_model::{Epoch, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::cast::{HOST, MELDEN, cell, cells, closing, text};
use crate::client::{post, settle};
use crate::house::House;

struct Port {
    house: House,
    backend: TcpListener,
}

/// A gate with a port for one cell and one for TLS by name; both lead to the same backend.
async fn new() -> Port {
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = backend.local_addr().unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let house = House::with(address, |config: &mut GateConfig| {
        config
            .upstreams
            .cells
            .insert(cell(MELDEN), format!("tcp://{address}"));
        let default = format!("tcp://{address}");
        config.upstreams.default = Some(default);
        config.serving.tcp = vec![(any, cell(MELDEN))];
        config.serving.named = vec![any];
    })
    .await;
    house.ground().await;
    Port { house, backend }
}

impl Port {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.house.gate.passing()[0])
            .await
            .unwrap()
    }

    /// A conversation under way: the backend has greeted, the client has answered.
    async fn talk(&self) -> (TcpStream, TcpStream) {
        let mut client = self.connect().await;
        let (mut server, _) = self.backend.accept().await.unwrap();
        server.write_all(b"+OK ready").await.unwrap();
        let mut room = [0; 9];
        client.read_exact(&mut room).await.unwrap();
        assert_eq!(&room, b"+OK ready");
        client.write_all(b"USER a").await.unwrap();
        let mut room = [0; 6];
        server.read_exact(&mut room).await.unwrap();
        assert_eq!(&room, b"USER a");
        (client, server)
    }

    async fn shut(&self) {
        let envelope = text(&closing(cells(&[MELDEN]), 1));
        let answer = post(self.house.admin(), "/close", &envelope).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(self.house.stage(MELDEN), (Stage::Closed, Epoch(1)));
    }

    /// Sees to it that nobody gets through now.
    async fn is_shut(&self) {
        let mut client = self.connect().await;
        let _ = client.write_all(b"USER a").await;
        let mut bytes = Vec::new();
        let ended = client.read_to_end(&mut bytes).await;
        assert!(ended.is_err() || bytes.is_empty(), "{bytes:?}");
        // The next to arrive at the backend is one that we send there ourselves.
        let own = TcpStream::connect(self.backend.local_addr().unwrap())
            .await
            .unwrap();
        let (_, from) = self.backend.accept().await.unwrap();
        assert_eq!(
            from,
            own.local_addr().unwrap(),
            "a closed cell reaches no backend"
        );
    }
}

#[tokio::test]
async fn bytes_pass_both_ways_and_ends_too() {
    let port = new().await;
    port.is_shut().await;
    port.house.open(MELDEN, 1, Stage::Full).await;
    let (mut client, mut server) = port.talk().await;
    client.write_all(b"QUIT").await.unwrap();
    client.shutdown().await.unwrap();
    let mut bytes = Vec::new();
    server.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes, b"QUIT");
    server.write_all(b"+OK bye").await.unwrap();
    drop(server);
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes, b"+OK bye");
}

#[tokio::test]
async fn a_close_cuts_and_nothing_comes_after_it() {
    let port = new().await;
    port.house.open(MELDEN, 1, Stage::Full).await;
    let (mut client, mut server) = port.talk().await;
    port.shut().await;
    let _ = server.write_all(b"after").await;
    let _ = client.write_all(b"after").await;
    assert_eq!(settle(client).await, (0, 0));
    assert_eq!(settle(server).await, (0, 0));
    assert_eq!(port.house.gate.counts().cut, 1);
    port.is_shut().await;
}

#[tokio::test]
async fn no_stage_before_full_lets_everyone_through() {
    let port = new().await;
    for (epoch, stage) in [(1, Stage::CleanRoom), (2, Stage::Pilot), (3, Stage::Basic)] {
        port.house.open(MELDEN, epoch, stage).await;
        port.is_shut().await;
    }
}

#[tokio::test]
async fn http_never_reaches_a_backend_that_speaks_something_else() {
    let port = new().await;
    port.house.open(MELDEN, 1, Stage::Full).await;
    let to = port.house.address();
    assert_eq!(crate::client::get(to, HOST, "/melden/a").await.status, 502);
    port.house.open(MELDEN, 2, Stage::Pilot).await;
    port.is_shut().await;
}

#[tokio::test]
async fn a_cell_may_be_served_over_http_and_beside_it() {
    let pages = crate::backend::mirror().await;
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let beside = format!("tcp://{}", backend.local_addr().unwrap());
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let house = House::with(pages, |config: &mut GateConfig| {
        config.upstreams.tcp.insert(cell(MELDEN), beside);
        config.serving.tcp = vec![(any, cell(MELDEN))];
    })
    .await;
    house.ground().await;
    let port = Port { house, backend };
    port.is_shut().await;
    port.house.open(MELDEN, 1, Stage::Full).await;
    let to = port.house.address();
    assert_eq!(crate::client::get(to, HOST, "/melden/a").await.status, 200);
    let (client, server) = port.talk().await;
    port.shut().await;
    assert_eq!(settle(client).await, (0, 0));
    assert_eq!(settle(server).await, (0, 0));
    assert_eq!(crate::client::get(to, HOST, "/melden/a").await.status, 503);
    port.is_shut().await;
}

#[tokio::test]
async fn a_name_that_is_no_cell_of_its_own_is_reset() {
    let port = new().await;
    port.house.open(MELDEN, 1, Stage::Full).await;
    for first in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &hello(HOST),
        &hello("nobody.example"),
    ] {
        let mut client = TcpStream::connect(port.house.gate.passing()[1])
            .await
            .unwrap();
        let _ = client.write_all(first).await;
        let mut bytes = Vec::new();
        let ended = client.read_to_end(&mut bytes).await;
        assert!(ended.is_err() || bytes.is_empty(), "{bytes:?}");
    }
    assert_eq!(port.house.gate.counts().passed, 0);
}

/// The first message of a TLS client for that name.
fn hello(name: &str) -> Vec<u8> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(config.into(), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

/// A cell that has its host for itself.
const PORTAL: &str = "foundation/verzeichnis";

#[tokio::test]
async fn tls_is_passed_to_the_cell_of_its_name() {
    let port = new().await;
    let spec = port.house.cast.landscape.gate_table();
    let known = spec.cell(&cell(PORTAL)).unwrap();
    let first = hello(&known.host);
    let mut client = TcpStream::connect(port.house.gate.passing()[1])
        .await
        .unwrap();
    // In pieces, as networks do.
    let (one, rest) = first.split_at(20);
    client.write_all(one).await.unwrap();
    client.write_all(rest).await.unwrap();
    let (mut server, _) = port.backend.accept().await.unwrap();
    let mut got = vec![0; first.len()];
    server.read_exact(&mut got).await.unwrap();
    assert_eq!(got, first, "not a byte of it is changed");
    server.write_all(b"hello too").await.unwrap();
    let mut room = [0; 9];
    client.read_exact(&mut room).await.unwrap();

    let envelope = text(&closing(cells(&[PORTAL]), 1));
    let answer = post(port.house.admin(), "/close", &envelope).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let _ = server.write_all(b"after").await;
    assert_eq!(settle(client).await, (0, 0));
}
