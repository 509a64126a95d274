//! A relying party: sends people to an issuer, redeems codes, checks ID tokens.
//!
//! In:    an issuer's address, a code. Out: a person.
//! Never: believes a token by where it came from.
//! See:   OpenID Connect Core 1.0 §3.1.3.7.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use super::claims::{Wanted, person};
use super::jwt::Parsed;
use super::token::challenge;
use crate::kernel::ask::{Person, encode};

/// How long an issuer may take for one answer.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);

/// Largest answer of an issuer. Bytes.
const ANSWER_SIZE_MAX: u64 = 256 * 1024;

/// Why a login did not come about.
#[derive(Debug, thiserror::Error)]
pub enum PartyError {
    /// The issuer does not answer, or not with JSON.
    #[error("the login does not answer: {0}")]
    Unreachable(String),
    /// The issuer says no.
    #[error("the login refused: `{0}`")]
    Refused(String),
    /// What it says is not believed.
    #[error("the login's answer is not believed: `{0}`")]
    Unsound(&'static str),
}

/// One client of one issuer.
#[derive(Clone, Debug)]
pub struct Party {
    /// Issuer, letter by letter as in tokens.
    pub issuer: String,
    /// Name at the issuer.
    pub client: String,
    /// Where people come back.
    pub redirect: String,
    /// Insurer.
    pub tenant: String,
    /// Where the issuer is reached from here, if not at its own address: behind the gate.
    pub back: Option<SocketAddr>,
}

/// Where the issuer does what.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// People log in.
    pub authorize: String,
    /// Codes are redeemed.
    pub token: String,
    /// Public keys.
    pub keys: String,
}

impl Party {
    /// Asks the issuer where it does what.
    ///
    /// # Errors
    /// It does not answer, or speaks for another issuer.
    pub fn discover(&self) -> Result<Endpoints, PartyError> {
        let address = format!("{}/.well-known/openid-configuration", self.issuer);
        let told = self.get(&address)?;
        if told["issuer"].as_str() != Some(self.issuer.as_str()) {
            return Err(PartyError::Unsound("issuer"));
        }
        let at = |name: &'static str| {
            let address = told[name].as_str().map(str::to_owned);
            address.ok_or(PartyError::Unsound(name))
        };
        Ok(Endpoints {
            authorize: at("authorization_endpoint")?,
            token: at("token_endpoint")?,
            keys: at("jwks_uri")?,
        })
    }

    /// Where a person is sent to log in.
    pub fn address(
        &self,
        endpoints: &Endpoints,
        state: &str,
        nonce: &str,
        verifier: &str,
    ) -> String {
        format!(
            "{}?response_type=code&client_id={}&redirect_uri={}&scope=openid&state={}&nonce={}\
             &code_challenge={}&code_challenge_method=S256",
            endpoints.authorize,
            encode(&self.client),
            encode(&self.redirect),
            encode(state),
            encode(nonce),
            challenge(verifier),
        )
    }

    /// Redeems a code; the person and the access token.
    ///
    /// # Errors
    /// The issuer says no, or its ID token does not hold.
    pub fn redeem(
        &self,
        code: &str,
        verifier: &str,
        nonce: &str,
        now: i64,
    ) -> Result<(Person, String), PartyError> {
        let endpoints = self.discover()?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect),
            ("client_id", &self.client),
            ("code_verifier", verifier),
        ];
        let body: Vec<String> = form
            .iter()
            .map(|(k, v)| format!("{k}={}", encode(v)))
            .collect();
        let told = self.post(&endpoints.token, &body.join("&"))?;
        if let Some(error) = told["error"].as_str() {
            return Err(PartyError::Refused(error.chars().take(80).collect()));
        }
        let token = told["id_token"]
            .as_str()
            .ok_or(PartyError::Unsound("id_token"))?;
        let keys = self.get(&endpoints.keys)?;
        let person = self.check(token, &keys, nonce, now)?;
        let access = told["access_token"].as_str().unwrap_or_default();
        Ok((person, access.to_owned()))
    }

    /// Checks an ID token: signature, issuer, audience, tenant, expiry, nonce.
    ///
    /// # Errors
    /// Which of them is wrong.
    pub fn check(
        &self,
        token: &str,
        keys: &Value,
        nonce: &str,
        now: i64,
    ) -> Result<Person, PartyError> {
        let parsed = Parsed::read(token).map_err(|_| PartyError::Unsound("token"))?;
        let claims = parsed
            .claims(keys)
            .map_err(|_| PartyError::Unsound("signature"))?;
        let wanted = Wanted {
            issuer: &self.issuer,
            audience: &self.client,
            tenant: &self.tenant,
            nonce: Some(nonce),
            now,
        };
        wanted
            .check(&claims)
            .map_err(|wrong| PartyError::Unsound(wrong.0))?;
        person(&claims).map_err(|wrong| PartyError::Unsound(wrong.0))
    }

    fn get(&self, address: &str) -> Result<Value, PartyError> {
        let (address, host) = self.behind(address);
        answer(agent().get(address).header("host", host).call())
    }

    fn post(&self, address: &str, form: &str) -> Result<Value, PartyError> {
        let (address, host) = self.behind(address);
        let request = agent().post(address).header("host", host);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        answer(request.send(form))
    }

    /// The address as it is reached from here, and the host that is meant.
    fn behind(&self, address: &str) -> (String, String) {
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let (host, path) = match rest.split_once('/') {
            Some((host, path)) => (host, path),
            None => (rest, ""),
        };
        let reached = match self.back {
            Some(back) => format!("http://{back}/{path}"),
            None => address.to_owned(),
        };
        (reached, host.to_owned())
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(ANSWER_WAIT_MAX))
        .max_redirects(0)
        .build()
        .into()
}

type Called = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

fn answer(called: Called) -> Result<Value, PartyError> {
    let wrong = |error: ureq::Error| PartyError::Unreachable(error.to_string());
    let mut response = called.map_err(wrong)?;
    let body = response.body_mut().with_config().limit(ANSWER_SIZE_MAX);
    body.read_json().map_err(wrong)
}
