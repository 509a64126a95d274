//! The page of the login, and the code it ends with.
//!
//! In:    a request of a registered client with PKCE; number or name, and password.
//! Out:   303 to the client with a code, or with OAuth's error. Never: a redirect to a stranger.

use maud::html;
use ring::rand::SecureRandom;
use rusqlite::OptionalExtension;

use super::entry::{Entry, enter};
use crate::kernel::ask::{Ask, Person, Reply, Role, encode, field};
use crate::kernel::kvnr::Kvnr;
use crate::kernel::miss::Miss;
use crate::kernel::page;
use crate::kernel::tenant::Tenant;

/// How long a code holds. Seconds.
const CODE_SECONDS: i64 = 60;

/// A program that may ask for a login.
pub(super) struct Client {
    pub(super) id: &'static str,
    pub(super) back: &'static str,
    pub(super) role: Role,
}

/// Every client: where it is sent back to, below the insurer's own address, and for whom it is.
pub(super) const CLIENTS: [Client; 4] = [
    Client {
        id: "branch",
        back: "/og/callback",
        role: Role::Insured,
    },
    Client {
        id: "app",
        back: "/app/callback",
        role: Role::Insured,
    },
    Client {
        id: "desk",
        back: "/lichtbild/callback",
        role: Role::Clerk,
    },
    Client {
        id: "branch-desk",
        back: "/og/desk/callback",
        role: Role::Clerk,
    },
];

/// What a client asks for.
struct Wish {
    client: &'static Client,
    redirect: String,
    state: String,
    nonce: String,
    challenge: String,
}

const CARRIED: [&str; 8] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
];

pub(super) fn show(ask: &Ask<'_>) -> Result<Reply, Miss> {
    match wish(ask, &ask.query)? {
        Ok(wish) => Ok(form(ask, &wish, &ask.query, None)),
        Err(back) => Ok(back),
    }
}

pub(super) fn decide(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let fields = ask.form()?;
    let wish = match wish(ask, &fields)? {
        Ok(wish) => wish,
        Err(back) => return Ok(back),
    };
    match person(ask, &wish, &fields) {
        Ok(person) => code(ask, &wish, &person),
        Err(miss) => Ok(form(ask, &wish, &fields, Some(&miss))),
    }
}

/// A client that is not known, or its address: a page. Everything else: the client learns it.
fn wish(ask: &Ask<'_>, fields: &[(String, String)]) -> Result<Result<Wish, Reply>, Miss> {
    let id = field(fields, "client_id");
    let client = CLIENTS
        .iter()
        .find(|client| client.id == id)
        .ok_or_else(|| {
            Miss::bad(
                "invalid-client",
                "Dieses Programm ist hier nicht bekannt.",
                "This program is not known here.",
            )
        })?;
    let redirect = field(fields, "redirect_uri").to_owned();
    if redirect != format!("{}{}", ask.tenant.origin, client.back) {
        return Err(Miss::bad(
            "invalid-redirect",
            "Diese Rücksprungadresse ist nicht eingetragen.",
            "This return address is not registered.",
        ));
    }
    let state = field(fields, "state").to_owned();
    let is_s256 = field(fields, "code_challenge_method") == "S256";
    let challenge = field(fields, "code_challenge").to_owned();
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let wrong = if field(fields, "response_type") != "code" {
        Some("unsupported_response_type")
    } else if !field(fields, "scope")
        .split(' ')
        .any(|scope| scope == "openid")
    {
        Some("invalid_scope")
    } else if !is_s256 || challenge.len() != 43 || !challenge.bytes().all(legal) {
        Some("invalid_request")
    } else {
        None
    };
    let wish = Wish {
        client,
        redirect,
        state,
        nonce: field(fields, "nonce").to_owned(),
        challenge,
    };
    Ok(match wrong {
        Some(error) => Err(back(ask, &wish, &format!("error={error}"))),
        None => Ok(wish),
    })
}

fn back(ask: &Ask<'_>, wish: &Wish, answer: &str) -> Reply {
    let (state, issuer) = (encode(&wish.state), encode(&ask.tenant.issuer()));
    Reply::see(&format!(
        "{}?{answer}&state={state}&iss={issuer}",
        wish.redirect
    ))
}

fn person(ask: &Ask<'_>, wish: &Wish, fields: &[(String, String)]) -> Result<Person, Miss> {
    let typed = field(fields, "name");
    let subject = match wish.client.role {
        Role::Insured => typed.to_ascii_uppercase(),
        Role::Clerk => typed.to_ascii_lowercase(),
    };
    if wish.client.role == Role::Insured && subject.parse::<Kvnr>().is_err() {
        return Err(Miss::bad(
            "no-such-number",
            "Das ist keine Versichertennummer: ein Buchstabe und neun Ziffern, vorn auf der Karte.",
            "This is no insurance number: a letter and nine digits, on the front of the card.",
        ));
    }
    let who = (wish.client.role, subject.as_str());
    match enter(ask.tenant, who, (field(fields, "password"), ask.now))? {
        Entry::In => Ok(Person {
            subject,
            role: wish.client.role,
        }),
        Entry::Wait => Err(Miss::new(
            429,
            "too-many-tries",
            "Zu viele Versuche. Bitte warten Sie eine Viertelstunde.",
            "Too many tries. Please wait a quarter of an hour.",
        )),
        Entry::Wrong => Err(Miss::bad(
            "wrong-login",
            "Nummer oder Passwort stimmt nicht.",
            "Number or password is wrong.",
        )),
    }
}

fn code(ask: &Ask<'_>, wish: &Wish, person: &Person) -> Result<Reply, Miss> {
    let secret = secret(ask)?;
    let mark = super::token::mark(&secret);
    ask.tenant.store.with(|c| {
        c.execute("DELETE FROM code WHERE until < ?1", [ask.now - 3600])?;
        c.execute(
            "INSERT INTO code (digest, client, redirect, challenge, nonce, subject, role, until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            rusqlite::params![
                mark,
                wish.client.id,
                wish.redirect,
                wish.challenge,
                wish.nonce,
                person.subject,
                person.role.as_str(),
                ask.now + CODE_SECONDS
            ],
        )
    })?;
    Ok(back(ask, wish, &format!("code={secret}")))
}

/// 32 random bytes in hex.
pub(crate) fn secret(ask: &Ask<'_>) -> Result<String, Miss> {
    let mut bytes = [0u8; 32];
    ask.house.chance.fill(&mut bytes).map_err(|_| {
        Miss::new(
            503,
            "no-randomness",
            "Bitte später noch einmal.",
            "Please try again later.",
        )
    })?;
    Ok(hex::encode(bytes))
}

/// What a person is called.
pub(crate) fn name_of(tenant: &Tenant, person: &Person) -> Result<String, Miss> {
    let question = match person.role {
        Role::Insured => "SELECT given || ' ' || family FROM insured WHERE kvnr = ?1",
        Role::Clerk => "SELECT title FROM clerk WHERE name = ?1",
    };
    let found: Option<String> = tenant.store.with(|c| {
        c.query_row(question, [&person.subject], |row| row.get(0))
            .optional()
    })?;
    Ok(found.unwrap_or_default())
}

fn form(ask: &Ask<'_>, wish: &Wish, fields: &[(String, String)], miss: Option<&Miss>) -> Reply {
    let (title, name) = match wish.client.role {
        Role::Insured => ask.language.pick(
            ("Anmelden", "Versichertennummer"),
            ("Log in", "Insurance number"),
        ),
        Role::Clerk => ask.language.pick(
            ("Anmelden (Sachbearbeitung)", "Kennung"),
            ("Log in (clerks)", "Name"),
        ),
    };
    let main = html! {
        h1 { (title) }
        @if let Some(miss) = miss { p.fault role="alert" { (miss.words.get(ask.language)) } }
        form method="post" action="/idp/authorize" {
            @for key in CARRIED { input type="hidden" name=(key) value=(field(fields, key)); }
            label { (name)
                input name="name" autocomplete="username" required value=(field(fields, "name")); }
            label { (ask.language.pick("Passwort", "Password"))
                input name="password" type="password" autocomplete="current-password" required; }
            button type="submit" { (ask.language.pick("Anmelden", "Log in")) }
        }
    };
    let status = miss.map_or(200, |miss| miss.status.as_u16());
    page::page(ask, status, (title, main))
}

pub(super) fn page_of_miss(ask: &Ask<'_>, miss: &Miss) -> Reply {
    page::miss(ask, miss)
}
