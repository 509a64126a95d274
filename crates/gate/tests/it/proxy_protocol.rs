//! Proxies that say in front of a connection whom it is for: Debian's HAProxy and nginx, and liars.

use std::net::SocketAddr;
use std::path::Path;

use anlauf_gate::{GateConfig, GateError, Tls};
use anlauf_model::Stage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::backend::mirror;
use crate::cast::{HOST, MELDEN, cell};
use crate::client::{get, get_with};
use crate::house::House;
use crate::proxy::{Front, front};
use crate::{smtp, tls};

const ANY: &str = "127.0.0.1:0";
const PATH: &str = "/melden/a";

/// The proxy of all these tests, and its network.
const PROXY: &str = "127.0.0.2";

/// A gate behind the proxy, with a cell in the clean room for one network.
async fn house(testers: &str, change: impl FnOnce(&mut GateConfig)) -> House {
    let change = |config: &mut GateConfig| {
        config.clean_room = vec![testers.parse().unwrap()];
        config.serving.heralds = vec![(ANY.parse().unwrap(), PROXY.parse().unwrap())];
        change(config);
    };
    let house = House::with(mirror().await, change).await;
    house.ground().await;
    house.open(MELDEN, 1, Stage::CleanRoom).await;
    house
}

/// A connection of the proxy.
async fn from_proxy(to: SocketAddr) -> TcpStream {
    from(PROXY, to).await
}

async fn from(own: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let own = SocketAddr::new(own.parse().unwrap(), 0);
    socket.bind(own).unwrap();
    socket.connect(to).await.unwrap()
}

/// Everything that comes back when these bytes are all that is sent.
async fn answer(mut stream: TcpStream, bytes: &[u8]) -> String {
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut all = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

fn request(header: &[u8]) -> Vec<u8> {
    let text = format!("GET {PATH} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
    [header, text.as_bytes()].concat()
}

/// `PROXY` over IPv4 from the address, with a field of so many bytes.
fn block(source: [u8; 4], field: usize) -> Vec<u8> {
    let size = u16::try_from(field).unwrap().to_be_bytes();
    let all = u16::try_from(12 + 3 + field).unwrap().to_be_bytes();
    let start = b"\r\n\r\n\0\r\nQUIT\n\x21\x11";
    let mut bytes = [&start[..], &all, &source, &[127, 0, 0, 1, 0, 9, 0, 9]].concat();
    bytes.extend([0x04, size[0], size[1]]);
    bytes.resize(bytes.len() + field, b'\n');
    bytes
}

async fn turned_away(house: &House) -> [u64; 2] {
    let metrics = get(house.admin(), "gate", "/metrics").await.body;
    ["stranger", "headless"].map(|reason| {
        let start = format!("anlauf_gate_turned_away_total{{reason=\"{reason}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap().parse().unwrap()
    })
}

#[tokio::test]
async fn the_header_says_who_asks() {
    let house = house("192.0.2.0/24", |_| ()).await;
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    for (header, want) in [
        (&b"PROXY TCP4 192.0.2.7 127.0.0.1 9 9\r\n"[..], "200"),
        (b"PROXY TCP6 ::ffff:192.0.2.7 ::1 9 9\r\n", "200"),
        (b"PROXY TCP4 198.51.100.9 127.0.0.1 9 9\r\n", "503"),
        (b"PROXY TCP6 2001:db8::7 ::1 9 9\r\n", "503"),
        (b"PROXY UNKNOWN\r\n", "503"),
        (&block([192, 0, 2, 7], 0), "200"),
        (&block([192, 0, 2, 7], 4_000), "200"),
        (&block([198, 51, 100, 9], 0), "503"),
        (local, "503"),
    ] {
        let said = answer(from_proxy(house.address()).await, &request(header)).await;
        let want = format!("HTTP/1.1 {want} ");
        assert!(said.starts_with(&want), "{header:?}: {said}");
    }
    assert_eq!(turned_away(&house).await, [0, 0]);
}

/// Backends hear of the client, and not of the proxy, which is no hop of HTTP.
#[tokio::test]
async fn backends_hear_of_the_client() {
    let house = house("192.0.2.0/24", |_| ()).await;
    let text = request(&block([192, 0, 2, 7], 0));
    let seen = answer(from_proxy(house.address()).await, &text).await;
    assert!(seen.contains("x-forwarded-for: 192.0.2.7\r\n"), "{seen}");
    assert!(seen.contains("forwarded: for=192.0.2.7;"), "{seen}");
    assert!(!seen.contains(PROXY), "{seen}");
}

/// A balancer before a proxy of HTTP: each is believed for what it is named for.
#[tokio::test]
async fn a_trusted_proxy_may_come_through_another() {
    let house = house("192.0.2.0/24", |config| {
        config.serving.proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    for (source, want) in [("10.0.0.3", "200"), ("198.51.100.9", "503")] {
        let header = format!("PROXY TCP4 {source} 127.0.0.1 9 9\r\n");
        let text = format!(
            "{header}GET {PATH} HTTP/1.1\r\nhost: {HOST}\r\nx-forwarded-for: 192.0.2.7\r\n\
             connection: close\r\n\r\n"
        );
        let said = answer(from_proxy(house.address()).await, text.as_bytes()).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {want} ")), "{said}");
    }
}

/// Everyone behind it would be a tester, and so would whatever it cannot name.
#[tokio::test]
async fn the_proxy_is_no_tester_itself() {
    let house = house("127.0.0.0/8", |_| ()).await;
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    for header in [&b"PROXY UNKNOWN\r\n"[..], local] {
        let said = answer(from_proxy(house.address()).await, &request(header)).await;
        assert!(said.starts_with("HTTP/1.1 503 "), "{said}");
    }
    // For everybody it is open to, it is there all the same: proxies look whether the gate lives.
    house.open(MELDEN, 2, Stage::Full).await;
    let said = answer(from_proxy(house.address()).await, &request(local)).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

#[tokio::test]
async fn nobody_else_comes_in() {
    let house = house("192.0.2.0/24", |_| ()).await;
    house.open(MELDEN, 2, Stage::Full).await;
    let sound = request(&block([192, 0, 2, 7], 0));
    for _ in 0..2 {
        assert_eq!(
            answer(from("127.0.0.3", house.address()).await, &sound).await,
            ""
        );
    }
    assert_eq!(turned_away(&house).await, [2, 0]);
}

#[tokio::test]
async fn nothing_comes_in_without_a_sound_header() {
    let house = house("192.0.2.0/24", |_| ()).await;
    house.open(MELDEN, 2, Stage::Full).await;
    let sound = request(&block([192, 0, 2, 7], 0));
    let wrong = [
        request(b""),
        request(b"PROXY TCP4 192.0.2.7 127.0.0.1 9 9\n"),
        request(b"PROXY TCP4 192.0.2.7 127.0.0.1 9\r\n"),
        request(&[&b"PROXY UNKNOWN "[..], &[b'a'; 200], b"\r\n"].concat()),
        request(&block([192, 0, 2, 7], 4_100)),
        sound[..20].to_vec(),
        Vec::new(),
    ];
    for bytes in &wrong {
        let said = answer(from_proxy(house.address()).await, bytes).await;
        assert_eq!(said, "", "{bytes:?}");
    }
    assert_eq!(turned_away(&house).await, [0, wrong.len() as u64]);
    // A second header is a request, and a bad one.
    let twice = [&block([192, 0, 2, 7], 0)[..], &sound].concat();
    let said = answer(from_proxy(house.address()).await, &twice).await;
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
}

/// In pieces, as networks do.
#[tokio::test]
async fn a_header_may_come_in_pieces() {
    let house = house("192.0.2.0/24", |_| ()).await;
    for header in [
        block([192, 0, 2, 7], 3),
        b"PROXY TCP4 192.0.2.7 127.0.0.1 9 9\r\n".to_vec(),
    ] {
        let text = request(&header);
        let mut stream = from_proxy(house.address()).await;
        for piece in text.chunks(5) {
            stream.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        let said = answer(stream, b"").await;
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    }
}

#[tokio::test]
async fn a_port_that_is_none_is_said_at_the_start() {
    let house = house("192.0.2.0/24", |_| ()).await;
    let dir = tempfile::tempdir().unwrap();
    let mut config = house.config("127.0.0.1:9", dir.path());
    config.serving.heralds = vec![("127.0.0.1:7".parse().unwrap(), PROXY.parse().unwrap())];
    let refused = anlauf_gate::Gate::start(config).await;
    assert!(matches!(refused, Err(GateError::Setting { .. })));
}

/// What is not HTTP: the same judge, and the backend sees the client's bytes only.
#[tokio::test]
async fn bytes_that_are_passed_through_begin_behind_the_header() {
    let backend = TcpListener::bind(ANY).await.unwrap();
    let address = backend.local_addr().unwrap();
    let house = house("192.0.2.0/24", |config| {
        let upstreams = &mut config.upstreams.cells;
        upstreams.insert(cell(MELDEN), format!("tcp://{address}"));
        config.serving.tcp = vec![(ANY.parse().unwrap(), cell(MELDEN))];
    })
    .await;
    let port = house.gate.passing()[0];
    let far = [&block([198, 51, 100, 9], 0)[..], b"USER a"].concat();
    assert_eq!(answer(from_proxy(port).await, &far).await, "");
    let mut client = from_proxy(port).await;
    let text = [&block([192, 0, 2, 7], 0)[..], b"USER a"].concat();
    client.write_all(&text).await.unwrap();
    let (mut server, _) = backend.accept().await.unwrap();
    let mut room = [0; 6];
    server.read_exact(&mut room).await.unwrap();
    assert_eq!(&room, b"USER a");
}

/// Mail: the recipient's cell is open for the client in the header only.
#[tokio::test]
async fn mail_is_judged_by_the_client_in_the_header() {
    let servers = smtp::server::MailServer::new().await;
    let house = house("192.0.2.0/24", |config| {
        config.serving.mail = Some(smtp::mail([servers.address; 3]));
    })
    .await;
    for (source, want) in [([192, 0, 2, 7], "250 "), ([198, 51, 100, 9], "450 ")] {
        let mut stream = from_proxy(house.gate.mail()[0]).await;
        stream.write_all(&block(source, 0)).await.unwrap();
        let mut mailer = smtp::Mailer::over(stream).await;
        assert!(mailer.ask("EHLO client.example").await.starts_with("250-"));
        let said = mailer.ask("MAIL FROM:<a@client.example>").await;
        assert!(said.starts_with("250 "), "{said}");
        let said = mailer.ask("RCPT TO:<known@melden.example>").await;
        assert!(said.starts_with(want), "{source:?}: {said}");
    }
}

async fn haproxy(gate: SocketAddr, flag: &str) -> Front {
    let text = |listen: SocketAddr, _: &Path| {
        format!(
            "defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 10s\n\
             \x20 timeout server 10s\n\
             frontend door\n  bind {listen}\n  default_backend gate\n\
             backend gate\n  source {PROXY}\n  server gate {gate} {flag}\n"
        )
    };
    front("/usr/sbin/haproxy", &["-db", "-f"], text).await
}

async fn nginx(gate: SocketAddr) -> Front {
    let text = |listen: SocketAddr, folder: &Path| {
        let folder = folder.display();
        format!(
            "load_module /usr/lib/nginx/modules/ngx_stream_module.so;
             daemon off; master_process off; pid {folder}/pid; error_log {folder}/error;
             events {{ }}
             stream {{
               server {{
                 listen {listen};
                 proxy_pass {gate}; proxy_bind {PROXY}; proxy_protocol on;
               }}
             }}"
        )
    };
    front("/usr/sbin/nginx", &["-c"], text).await
}

/// The client is 127.0.0.1; what it forges is thrown away.
#[tokio::test]
async fn the_client_behind_haproxy_and_nginx_is_known() {
    let own = house("127.0.0.1/32", |_| ()).await;
    let far = house("127.0.0.2/32", |_| ()).await;
    let forged = "x-forwarded-for: 127.0.0.2\r\n";
    for (name, own, far) in [
        (
            "HAProxy, version 1",
            haproxy(own.address(), "send-proxy").await,
            haproxy(far.address(), "send-proxy").await,
        ),
        (
            "HAProxy, version 2",
            haproxy(own.address(), "send-proxy-v2").await,
            haproxy(far.address(), "send-proxy-v2").await,
        ),
        (
            "HAProxy, version 2 with fields",
            haproxy(
                own.address(),
                "send-proxy-v2 proxy-v2-options unique-id,crc32c",
            )
            .await,
            haproxy(
                far.address(),
                "send-proxy-v2 proxy-v2-options unique-id,crc32c",
            )
            .await,
        ),
        (
            "nginx",
            nginx(own.address()).await,
            nginx(far.address()).await,
        ),
    ] {
        let answer = get_with(own.address, HOST, PATH, forged).await;
        assert_eq!(answer.status, 200, "{name}");
        let line = "x-forwarded-for: 127.0.0.1\r\n";
        assert!(answer.body.contains(line), "{name}: {}", answer.body);
        let answer = get_with(far.address, HOST, PATH, forged).await;
        assert_eq!(answer.status, 503, "{name}");
    }
}

/// The header stands before the handshake.
#[tokio::test]
async fn the_client_of_tls_is_known_too() {
    let folder = tempfile::tempdir().unwrap();
    let pem = tls::make(folder.path(), HOST).await;
    let house = house("127.0.0.1/32", |config| {
        config.serving.tls = Some(Tls {
            listen: vec![ANY.parse().unwrap()],
            certificates: folder.path().to_owned(),
        });
    })
    .await;
    let front = haproxy(house.gate.addresses()[1], "send-proxy-v2").await;
    let port = front.address.port();
    let out = tokio::process::Command::new("curl")
        .args(["--silent", "--noproxy", "*", "--http2", "--cacert"])
        .arg(&pem)
        .args(["--resolve", &format!("{HOST}:{port}:127.0.0.1")])
        .args(["--write-out", "\n%{http_version} %{http_code}"])
        .arg(format!("https://{HOST}:{port}{PATH}"))
        .output()
        .await
        .expect("these tests need `curl`");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(said.ends_with("\n2 200"), "{said}");
    assert!(said.contains("for=127.0.0.1;"), "{said}");
    assert!(said.contains("proto=https"), "{said}");
}

#[tokio::test]
async fn half_a_header_is_not_waited_for_without_an_end() {
    let house = house("192.0.2.0/24", |_| ()).await;
    let mut stream = from_proxy(house.address()).await;
    stream.write_all(b"PROXY TCP4 192.0.2.7 ").await.unwrap();
    let mut all = Vec::new();
    // The gate ends it.
    let _ = stream.read_to_end(&mut all).await;
    assert!(all.is_empty(), "{all:?}");
    assert_eq!(turned_away(&house).await, [0, 1]);
}
