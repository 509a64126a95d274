//! Who asks, when other people's proxies stand in front: Debian's nginx and HAProxy.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anlauf_gate::GateConfig;
use anlauf_model::Stage;

use crate::backend::mirror;
use crate::cast::{HOST, MELDEN};
use crate::client::{get, get_with};
use crate::house::House;

const PATH: &str = "/melden/a";

/// A gate with a cell in the clean room, for one network, behind one proxy.
async fn house(proxy: &str, testers: &str) -> House {
    let change = |config: &mut GateConfig| {
        config.clean_room = vec![testers.parse().unwrap()];
        config.serving.proxies = vec![proxy.parse().unwrap()];
    };
    let house = House::with(mirror().await, change).await;
    house.ground().await;
    house.open(MELDEN, 1, Stage::CleanRoom).await;
    house
}

#[tokio::test]
async fn a_trusted_proxy_says_for_whom_it_asks() {
    let house = house("127.0.0.0/8", "192.0.2.0/24").await;
    for (lines, want) in [
        ("x-forwarded-for: 192.0.2.7\r\n", 200),
        ("x-forwarded-for: 192.0.2.7, 127.0.0.9\r\n", 200),
        ("forwarded: for=192.0.2.7;proto=https\r\n", 200),
        ("x-forwarded-for: 198.51.100.9\r\n", 503),
        ("x-forwarded-for: 192.0.2.7, 198.51.100.9\r\n", 503),
        ("x-forwarded-for: 192.0.2.7, unknown\r\n", 503),
        ("", 503),
        (
            "x-forwarded-for: 192.0.2.7\r\nforwarded: for=198.51.100.9\r\n",
            400,
        ),
    ] {
        let answer = get_with(house.address(), HOST, PATH, lines).await;
        assert_eq!(answer.status, want, "{lines}");
    }
    let lines = "x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: https\r\n";
    let seen = get_with(house.address(), HOST, PATH, lines).await.body;
    for line in [
        "x-forwarded-for: 192.0.2.7, 127.0.0.1\r\n",
        "x-forwarded-proto: https\r\n",
        "forwarded: for=192.0.2.7, for=127.0.0.1;",
    ] {
        assert!(seen.contains(line), "{line} in {seen}");
    }
}

/// Everyone behind it would be a tester.
#[tokio::test]
async fn a_trusted_proxy_is_no_tester_itself() {
    let house = house("127.0.0.0/8", "127.0.0.0/8").await;
    assert_eq!(get(house.address(), HOST, PATH).await.status, 503);
}

#[tokio::test]
async fn an_untrusted_one_says_nothing() {
    let house = house("10.0.0.0/8", "192.0.2.0/24").await;
    for lines in [
        "x-forwarded-for: 192.0.2.7\r\n",
        "x-forwarded-for: 192.0.2.7, 10.0.0.1\r\n",
        "forwarded: for=192.0.2.7\r\n",
    ] {
        let answer = get_with(house.address(), HOST, PATH, lines).await;
        assert_eq!(answer.status, 503, "{lines}");
    }
}

/// A proxy that asks from 127.0.0.2; ends with this value.
pub struct Front {
    process: Child,
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Starts a program with the text as its settings, and waits until it answers.
pub async fn front(
    program: &str,
    flags: &[&str],
    text: impl Fn(SocketAddr, &Path) -> String,
) -> Front {
    let folder = tempfile::tempdir().unwrap();
    let address = free_port();
    let file = folder.path().join("settings");
    std::fs::write(&file, text(address, folder.path())).unwrap();
    let mut command = Command::new(program);
    command.args(flags).arg(&file).stdin(Stdio::null());
    let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let process = process.unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    let mut front = Front {
        process,
        address,
        _folder: folder,
    };
    while tokio::net::TcpStream::connect(address).await.is_err() {
        let ended = front.process.try_wait().unwrap();
        assert!(ended.is_none(), "{program} ended: {ended:?}");
        tokio::task::yield_now().await;
    }
    front
}

async fn nginx(gate: SocketAddr) -> Front {
    let text = |listen: SocketAddr, folder: &Path| {
        let folder = folder.display();
        format!(
            "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error;
             events {{ }}
             http {{
               access_log off;
               client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
               fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
               server {{
                 listen {listen};
                 location / {{
                   proxy_pass http://{gate}; proxy_bind 127.0.0.2;
                   proxy_set_header Host $host;
                   proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                 }}
               }}
             }}"
        )
    };
    front("/usr/sbin/nginx", &["-c"], text).await
}

async fn haproxy(gate: SocketAddr) -> Front {
    let text = |listen: SocketAddr, _: &Path| {
        format!(
            "defaults\n  mode http\n  timeout connect 10s\n  timeout client 10s\n\
             \x20 timeout server 10s\n  option forwardfor\n\
             frontend door\n  bind {listen}\n  default_backend gate\n\
             backend gate\n  source 127.0.0.2\n  server gate {gate}\n"
        )
    };
    front("/usr/sbin/haproxy", &["-db", "-f"], text).await
}

/// The client is 127.0.0.1, the proxy 127.0.0.2.
#[tokio::test]
async fn the_client_behind_nginx_and_haproxy_is_known() {
    let own = house("127.0.0.2/32", "127.0.0.1/32").await;
    let far = house("127.0.0.2/32", "192.0.2.0/24").await;
    let forged = "x-forwarded-for: 192.0.2.7\r\n";
    for (name, own, far) in [
        (
            "nginx",
            nginx(own.address()).await,
            nginx(far.address()).await,
        ),
        (
            "HAProxy",
            haproxy(own.address()).await,
            haproxy(far.address()).await,
        ),
    ] {
        let answer = get_with(own.address, HOST, PATH, forged).await;
        assert_eq!(answer.status, 200, "{name}");
        let list = "x-forwarded-for: 192.0.2.7, 127.0.0.1, 127.0.0.2\r\n";
        assert!(answer.body.contains(list), "{name}: {}", answer.body);
        // What a client forges stands left of its own address.
        let answer = get_with(far.address, HOST, PATH, forged).await;
        assert_eq!(answer.status, 503, "{name}");
    }
}

/// The settings that a guide gives in this language, with these places instead of its own.
pub fn settings(guide: &str, language: &str, places: &[(&str, String)]) -> String {
    let (_, rest) = guide.split_once(&format!("```{language}\n")).unwrap();
    let mut text = rest.split_once("```").unwrap().0.to_owned();
    for (known, place) in places {
        assert!(
            text.contains(known),
            "no `{known}` in the guide's {language}"
        );
        text = text.replace(known, place);
    }
    text
}
