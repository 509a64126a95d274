//! OpenID Connect: code and PKCE, and each claim that has to be right.

use reference_provider::kernel::seed;
use reference_provider::login::party::{Party, PartyError};
use serde_json::json;

use crate::stage::{AMSEL, Answer, EISVOGEL, SEED, Stage, VERIFIER, code, kvnr};

fn password() -> String {
    seed::password_of(SEED)
}

#[test]
fn a_person_logs_in_and_a_code_holds_once() {
    let stage = Stage::new();
    let party = stage.party(EISVOGEL, "branch");
    let name = kvnr(EISVOGEL, 2);
    let code = code(&stage.type_in(&party, "n", (&name, &password())));
    let (person, token) = party.redeem(&code, VERIFIER, "n", stage.time()).unwrap();
    assert_eq!(person.subject, name);
    let told = stage.get(
        EISVOGEL,
        "/idp/userinfo",
        &[("authorization", &format!("Bearer {token}"))],
    );
    assert_eq!(
        (told.status, &told.json()["tenant"]),
        (200, &json!(EISVOGEL))
    );
    let again = party.redeem(&code, VERIFIER, "n", stage.time());
    assert!(matches!(again, Err(PartyError::Refused(error)) if error == "invalid_grant"));
}

#[test]
fn a_code_is_bound_to_verifier_client_redirect_insurer_and_time() {
    let stage = Stage::new();
    let party = stage.party(EISVOGEL, "branch");
    let name = kvnr(EISVOGEL, 2);
    let fresh = || code(&stage.type_in(&party, "n", (&name, &password())));
    let refused = |by: &Party, code: &str, verifier: &str| {
        let told = by.redeem(code, verifier, "n", stage.time());
        assert!(matches!(told, Err(PartyError::Refused(_))), "{told:?}");
    };
    refused(&party, &fresh(), &VERIFIER.replace('0', "9"));
    refused(&stage.party(EISVOGEL, "app"), &fresh(), VERIFIER);
    let elsewhere = Party {
        redirect: "http://evil.example/".to_owned(),
        ..party.clone()
    };
    refused(&elsewhere, &fresh(), VERIFIER);
    refused(&stage.party(AMSEL, "branch"), &fresh(), VERIFIER);
    let late = fresh();
    stage.later(61);
    refused(&party, &late, VERIFIER);
}

#[test]
fn strangers_are_not_redirected_to_and_pkce_is_not_optional() {
    let stage = Stage::new();
    let origin = format!("http://{EISVOGEL}.localhost:{}", stage.address.port());
    let good = [
        ("response_type", "code".to_owned()),
        ("client_id", "branch".to_owned()),
        ("redirect_uri", format!("{origin}/og/callback")),
        ("scope", "openid".to_owned()),
        ("state", "s".to_owned()),
        ("code_challenge", "x".repeat(43)),
        ("code_challenge_method", "S256".to_owned()),
    ];
    let ask = |change: (&str, &str)| -> Answer {
        let value = |k: &str, v: &str| {
            if k == change.0 {
                change.1.to_owned()
            } else {
                v.to_owned()
            }
        };
        let pairs = good.iter().map(|(k, v)| {
            format!(
                "{k}={}",
                reference_provider::kernel::ask::encode(&value(k, v))
            )
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        stage.get(EISVOGEL, &format!("/idp/authorize?{query}"), &[])
    };
    assert_eq!(ask(("", "")).status, 200);
    for change in [
        ("client_id", "evil"),
        ("redirect_uri", "http://evil.example/og/callback"),
    ] {
        let told = ask(change);
        assert_eq!(
            (told.status, told.header("location")),
            (400, ""),
            "{change:?}"
        );
    }
    for (change, error) in [
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "email"), "invalid_scope"),
    ] {
        let told = ask(change);
        assert_eq!(told.status, 303, "{change:?}");
        assert!(
            told.header("location")
                .contains(&format!("error={error}&state=s")),
            "{change:?}"
        );
    }
}

#[test]
fn an_id_token_is_checked_claim_by_claim() {
    let stage = Stage::new();
    let party = stage.party(EISVOGEL, "branch");
    let tenant = stage.house.tenant(EISVOGEL).unwrap();
    let keys = json!({ "keys": [tenant.key.public()] });
    let now = stage.time();
    let claims = json!({
        "iss": party.issuer, "aud": "branch", "sub": "X110435031", "iat": now, "exp": now + 60,
        "nonce": "n", "tenant": EISVOGEL, "role": "insured",
    });
    let check = |claims: &serde_json::Value| {
        let token = tenant.key.sign("JWT", claims).unwrap();
        party.check(&token, &keys, "n", now)
    };
    assert!(check(&claims).is_ok());
    for (name, value) in [
        ("iss", json!("http://evil.example/idp")),
        ("aud", json!("app")),
        ("aud", json!(["branch", "app"])),
        ("tenant", json!(AMSEL)),
        ("exp", json!(now - 60)),
        ("iat", json!(now + 600)),
        ("nonce", json!("other")),
        ("sub", json!("")),
        ("role", json!("admin")),
    ] {
        let mut wrong = claims.clone();
        wrong[name] = value;
        let told = check(&wrong);
        assert!(
            matches!(told, Err(PartyError::Unsound(claim)) if claim == name),
            "{name}: {told:?}"
        );
    }
    let other = stage.house.tenant(AMSEL).unwrap();
    let forged = other.key.sign("JWT", &claims).unwrap();
    assert!(
        party.check(&forged, &keys, "n", now).is_err(),
        "another insurer's key"
    );
    let good = tenant.key.sign("JWT", &claims).unwrap();
    let (head, rest) = good.split_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIn0";
    assert!(
        party
            .check(&format!("{none}.{rest}"), &keys, "n", now)
            .is_err(),
        "alg none"
    );
    let (claims_part, _) = rest.split_once('.').unwrap();
    assert!(
        party
            .check(&format!("{head}.{claims_part}."), &keys, "n", now)
            .is_err()
    );
}

#[test]
fn wrong_passwords_have_to_wait() {
    let stage = Stage::new();
    let party = stage.party(EISVOGEL, "branch");
    let name = kvnr(EISVOGEL, 2);
    for _ in 0..5 {
        assert_eq!(stage.type_in(&party, "n", (&name, "guess")).status, 400);
    }
    assert_eq!(stage.type_in(&party, "n", (&name, &password())).status, 429);
    stage.later(901);
    assert_eq!(stage.type_in(&party, "n", (&name, &password())).status, 303);
}
