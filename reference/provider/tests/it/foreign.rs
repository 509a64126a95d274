//! Our relying party against a login that is not ours: npm `oidc-provider`, RS256.
//!
//! In:    node and npm; the package is installed once beside the build, into `foreign/`.
//! Out:   a person logged in there is believed here, and nothing else is.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use reference_provider::kernel::ask::encode;
use reference_provider::login::party::{Party, PartyError};

use crate::stage::VERIFIER;

const PACKAGE: &str = "oidc-provider@8.8.1";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/foreign.mjs");
const REDIRECT: &str = "http://127.0.0.1/og/callback";

/// Most pages of one login.
const PAGE_COUNT_MAX: usize = 12;

struct Foreign {
    child: Child,
    issuer: String,
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Foreign {
    fn start() -> Self {
        let folder = installed();
        let mut child = Command::new("node")
            .arg(SCRIPT)
            .args([folder.as_os_str(), REDIRECT.as_ref()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("nodejs is installed");
        let out = BufReader::new(child.stdout.as_mut().expect("asked for"));
        let issuer = out
            .lines()
            .map_while(Result::ok)
            .find(|line| line.starts_with("http://"));
        let issuer = issuer.expect("it listens");
        Self { child, issuer }
    }

    fn party(&self) -> Party {
        Party {
            issuer: self.issuer.clone(),
            client: "branch".to_owned(),
            redirect: REDIRECT.to_owned(),
            tenant: "bkk-eisvogel".to_owned(),
            back: None,
        }
    }
}

/// The folder that holds the package.
fn installed() -> PathBuf {
    let own = std::env::current_exe().expect("a test");
    let folder = own.ancestors().nth(3).expect("target").join("foreign");
    if !folder
        .join("node_modules/oidc-provider/package.json")
        .exists()
    {
        std::fs::create_dir_all(&folder).expect("a folder");
        let done = Command::new("npm")
            .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(PACKAGE)
            .status();
        assert!(
            done.expect("npm is installed").success(),
            "{PACKAGE} cannot be installed"
        );
    }
    folder
}

/// A browser: follows, keeps cookies, and fills in the two forms of the development pages.
fn log_in(party: &Party, name: &str) -> String {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into();
    let endpoints = party.discover().expect("discovery");
    let mut address = party.address(&endpoints, "state-1", "nonce-1", VERIFIER);
    let mut form: Option<String> = None;
    let mut jar: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..PAGE_COUNT_MAX {
        let cookies: Vec<String> = jar.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let cookies = cookies.join("; ");
        let media = "application/x-www-form-urlencoded";
        let answer = match form.take() {
            Some(body) => {
                let request = agent.post(&address).header("cookie", &cookies);
                request.header("content-type", media).send(&body)
            }
            None => agent.get(&address).header("cookie", &cookies).call(),
        };
        let mut answer = answer.expect("an answer");
        for line in answer.headers().get_all("set-cookie") {
            let pair = line
                .to_str()
                .expect("text")
                .split(';')
                .next()
                .expect("a pair");
            let (key, value) = pair.split_once('=').expect("a cookie");
            jar.insert(key.to_owned(), value.to_owned());
        }
        if let Some(to) = answer.headers().get("location") {
            let to = to.to_str().expect("text");
            if let Some((_, rest)) = to
                .strip_prefix(REDIRECT)
                .and_then(|q| q.split_once("code="))
            {
                return rest.split('&').next().expect("a code").to_owned();
            }
            assert!(!to.starts_with(REDIRECT), "refused: {to}");
            address = match to.starts_with('/') {
                true => format!("{}{to}", party.issuer),
                false => to.to_owned(),
            };
            continue;
        }
        let page = answer.body_mut().read_to_string().expect("a page");
        form = Some(match page.contains("name=\"password\"") {
            true => format!("prompt=login&login={}&password=any", encode(name)),
            false => "prompt=consent".to_owned(),
        });
    }
    panic!("no code after {PAGE_COUNT_MAX} pages");
}

fn now() -> i64 {
    reference_provider::kernel::clock::Clock::System.seconds()
}

#[test]
fn a_foreign_login_is_believed_by_its_signature_only() {
    let foreign = Foreign::start();
    let party = foreign.party();
    let code = log_in(&party, "X110435031");
    let (person, token) = party
        .redeem(&code, VERIFIER, "nonce-1", now())
        .expect("a person");
    assert_eq!(person.subject, "X110435031");
    assert!(!token.is_empty());
    let again = party.redeem(&code, VERIFIER, "nonce-1", now());
    assert!(matches!(again, Err(PartyError::Refused(error)) if error == "invalid_grant"));

    let code = log_in(&party, "X110435031");
    let wrong = party.redeem(&code, VERIFIER, "another nonce", now());
    assert!(
        matches!(wrong, Err(PartyError::Unsound("nonce"))),
        "{wrong:?}"
    );
    let code = log_in(&party, "X110435031");
    let late = party.redeem(&code, VERIFIER, "nonce-1", now() + 86_400);
    assert!(matches!(late, Err(PartyError::Unsound("exp"))), "{late:?}");
    let code = log_in(&party, "X110435031");
    let wrong = party.redeem(&code, &VERIFIER.replace('0', "9"), "nonce-1", now());
    assert!(matches!(wrong, Err(PartyError::Refused(_))), "{wrong:?}");
}
