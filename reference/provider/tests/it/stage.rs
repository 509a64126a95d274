//! A house with two insurers, a clock set by hand, and a client.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use reference_provider::kernel::ask::encode;
use reference_provider::kernel::clock::Clock;
use reference_provider::kernel::front::Door;
use reference_provider::kernel::house::{House, Settings};
use reference_provider::kernel::seed;
use reference_provider::kernel::tenant::TenantLine;
use reference_provider::login::party::Party;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// 2026-03-02 in the morning.
pub const MORNING: i64 = 1_772_438_400;

pub const SEED: u64 = 7;
pub const EISVOGEL: &str = "bkk-eisvogel";
pub const AMSEL: &str = "ek-amsel";

pub struct Stage {
    pub house: Arc<House>,
    pub address: SocketAddr,
    pub now: Arc<AtomicI64>,
    _door: Door,
    _runtime: Runtime,
    _folder: TempDir,
}

pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |v| v.to_str().expect("text"))
    }

    /// The value of a cookie that is set.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let lines = self.headers.get_all("set-cookie").iter();
        let mut lines = lines.filter_map(|line| line.to_str().ok());
        lines.find_map(|line| {
            let (key, value) = line.split(';').next()?.split_once('=')?;
            (key == name).then(|| value.to_owned())
        })
    }
}

impl Stage {
    pub fn new() -> Self {
        Self::with_status(None)
    }

    /// With a control plane to ask for its public status.
    pub fn with_status(status: Option<String>) -> Self {
        let folder = TempDir::new().expect("a folder");
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let now = Arc::new(AtomicI64::new(MORNING));
        let settings = Settings {
            status,
            ..settings(folder.path(), address, Arc::clone(&now))
        };
        let house = Arc::new(House::open(settings).expect("a house"));
        let door = runtime.block_on(async { Door::on(Arc::clone(&house), listener) });
        let door = door.expect("it serves");
        Self {
            house,
            address,
            now,
            _door: door,
            _runtime: runtime,
            _folder: folder,
        }
    }

    pub fn later(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn time(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub fn ask(
        &self,
        tenant: &str,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let host = format!("{tenant}.localhost:{}", self.address.port());
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("a request");
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .build()
            .into();
        let mut response = agent.run(request).expect("an answer");
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.body_mut().read_to_vec().expect("a body"),
        }
    }

    pub fn get(&self, tenant: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(tenant, ("GET", path), headers, b"")
    }

    pub fn form(&self, tenant: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs = fields.iter().map(|(k, v)| format!("{k}={}", encode(v)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let media = [("content-type", "application/x-www-form-urlencoded")];
        self.ask(tenant, ("POST", path), &media, body.as_bytes())
    }

    /// A client of an insurer's own login.
    pub fn party(&self, tenant: &str, client: &str) -> Party {
        let origin = format!("http://{tenant}.localhost:{}", self.address.port());
        let back = match client {
            "desk" => "lichtbild",
            "app" => "app",
            _ => "og",
        };
        Party {
            issuer: format!("{origin}/idp"),
            client: client.to_owned(),
            redirect: format!("{origin}/{back}/callback"),
            tenant: tenant.to_owned(),
            back: Some(self.address),
        }
    }

    /// Logs in by typing into the login's page; where the client is sent back to.
    pub fn type_in(&self, party: &Party, nonce: &str, (name, password): (&str, &str)) -> Answer {
        let endpoints = party.discover().expect("an issuer");
        let address = party.address(&endpoints, "state-1", nonce, VERIFIER);
        let (_, query) = address.split_once('?').expect("a query");
        let pairs = reference_provider::kernel::ask::decode_form(query.as_bytes());
        let mut fields: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        fields.extend([("name", name), ("password", password)]);
        self.form(&party.tenant, "/idp/authorize", &fields)
    }

    /// An access token of a person.
    pub fn token(&self, tenant: &str, client: &str, name: &str) -> String {
        let party = self.party(tenant, client);
        let secret = seed::password_of(SEED);
        let sent = self.type_in(&party, "nonce-1", (name, &secret));
        let code = code(&sent);
        let (person, token) = party
            .redeem(&code, VERIFIER, "nonce-1", self.time())
            .expect("tokens");
        assert_eq!(person.subject, name);
        token
    }
}

/// A verifier of PKCE, 43 characters or more.
pub const VERIFIER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

/// The number of a synthetic person.
pub fn kvnr(tenant: &str, number: u32) -> String {
    seed::insured(tenant, SEED, number).kvnr.to_string()
}

/// The code in the address a client is sent back to.
pub fn code(sent: &Answer) -> String {
    let to = sent.header("location");
    assert_eq!(sent.status, 303, "{}", sent.text());
    let (_, rest) = to
        .split_once("code=")
        .unwrap_or_else(|| panic!("no code in {to}"));
    rest.split('&').next().expect("a value").to_owned()
}

fn settings(folder: &Path, address: SocketAddr, now: Arc<AtomicI64>) -> Settings {
    let line = |(id, name): (&str, &str)| TenantLine {
        id: id.to_owned(),
        name: name.to_owned(),
    };
    Settings {
        data: folder.join("data"),
        record_key: folder.join("master.key"),
        public: format!("http://{{tenant}}.localhost:{}", address.port()),
        tenants: [(EISVOGEL, "BKK Eisvogel"), (AMSEL, "EK Amsel")]
            .map(line)
            .into(),
        seed: SEED,
        insured_count: 8,
        clock: Clock::Set(now),
        status: None,
    }
}
