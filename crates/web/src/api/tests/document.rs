//! The document says what the router serves, and answers keep the forms it tells.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::document::problem_shape;
use super::super::route::{Access, Method as Verb};
use super::super::shape::Shape;
use super::super::table;
use crate::stand::Stand;
use crate::stand::story::{OWN, OWN_PERSON};

async fn document() -> Value {
    let stand = Stand::new();
    stand
        .ask(None, Method::GET, "/openapi.json", None)
        .await
        .json()
}

/// Every operation of the document: method, path, operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            found.push((method.clone(), path.clone(), operation.clone()));
        }
    }
    found
}

#[tokio::test]
async fn paths_of_document_and_router_are_the_same() {
    let told: BTreeSet<_> = operations(&document().await)
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    let served: BTreeSet<_> = table()
        .iter()
        .map(|route| {
            let method = if route.method == Verb::Get {
                "get"
            } else {
                "post"
            };
            (method.to_owned(), route.path.to_owned())
        })
        .collect();
    assert_eq!(told, served);
    assert_eq!(
        served.len(),
        table().len(),
        "a route stands twice in the table"
    );
}

#[tokio::test]
async fn every_path_of_the_document_is_served() {
    let stand = Stand::new();
    for (method, path, _) in operations(&document().await) {
        let filled = path.replace(['{', '}'], "");
        let method = if method == "get" {
            Method::GET
        } else {
            Method::POST
        };
        let answer = stand.ask(None, method, &filled, None).await;
        let is_served =
            answer.status == StatusCode::OK || answer.status == StatusCode::UNAUTHORIZED;
        assert!(is_served, "{path}: {} {}", answer.status, answer.text);
    }
}

#[tokio::test]
async fn the_document_is_openapi_3_1() {
    let document = document().await;
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|v| v.starts_with("3.1.")),
        "{document}"
    );
    for name in ["title", "version", "description"] {
        assert!(
            document["info"][name]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{name}"
        );
    }
    assert_eq!(document["servers"][0]["url"], json!("/api/v1"));
    assert_eq!(
        document["components"]["securitySchemes"]["token"]["scheme"],
        json!("bearer")
    );
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let what = format!("{method} {path}");
        assert!(
            operation["summary"]
                .as_str()
                .is_some_and(|text| text.ends_with('.')),
            "{what}"
        );
        let id = operation["operationId"].as_str().expect("an id").to_owned();
        assert!(ids.insert(id), "{what}: an operation id stands twice");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.contains_key("200"), "{what}");
        for (status, response) in responses {
            assert!(response["description"].is_string(), "{what} {status}");
            let content = response["content"].as_object().expect("content");
            let is_problem = content.contains_key("application/problem+json");
            assert_eq!(is_problem, status != "200", "{what} {status}");
        }
        assert_parameters(&path, &operation);
        assert_eq!(
            operation.get("requestBody").is_some(),
            takes_body(&path, &method),
            "{what}"
        );
    }
    assert_security(&document);
    assert_refs(&document, &document);
}

fn takes_body(path: &str, method: &str) -> bool {
    method == "post" && path != "/ledger/checkpoint"
}

fn assert_parameters(path: &str, operation: &Value) {
    let parameters = operation["parameters"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let of = |place: &str| -> BTreeSet<String> {
        let here = parameters.iter().filter(|one| one["in"] == json!(place));
        here.map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    let named: BTreeSet<String> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(str::to_owned)
        .collect();
    assert_eq!(of("path"), named, "{path}");
    for one in &parameters {
        assert_eq!(one["required"], json!(one["in"] == json!("path")), "{path}");
        assert!(one["schema"].is_object(), "{path}");
    }
}

fn assert_security(document: &Value) {
    for route in table() {
        let method = if route.method == Verb::Get {
            "get"
        } else {
            "post"
        };
        let security = &document["paths"][route.path][method]["security"];
        let wanted = match route.access {
            Access::Open => json!([{}]),
            _ => json!([{ "token": [] }]),
        };
        assert_eq!(*security, wanted, "{}", route.path);
    }
}

/// Every `$ref` leads somewhere.
fn assert_refs(document: &Value, value: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                let pointer = target
                    .strip_prefix('#')
                    .expect("a reference within the document");
                assert!(
                    document.pointer(pointer).is_some(),
                    "{target} leads nowhere"
                );
            }
            fields
                .values()
                .for_each(|field| assert_refs(document, field));
        }
        Value::Array(items) => items.iter().for_each(|item| assert_refs(document, item)),
        _ => {}
    }
}

/// Why a value is not of a shape; none when it is.
fn misfit(shape: &Shape, value: &Value, place: &str) -> Option<String> {
    let unless = |fits: bool| (!fits).then(|| format!("{place}: {shape:?} is not {value}"));
    match shape {
        Shape::Any(_) => None,
        Shape::Text(_) => unless(value.is_string()),
        Shape::Time(_) => {
            let time = value
                .as_str()
                .and_then(|t| t.parse::<anlauf_model::Timestamp>().ok());
            unless(time.is_some())
        }
        Shape::Number(_) => unless(value.is_u64() || value.is_i64()),
        Shape::Flag(_) => unless(value.is_boolean()),
        Shape::Maybe(of) if value.is_null() => (place.is_empty() && matches!(**of, Shape::Any(_)))
            .then(|| "a whole answer is null".to_owned()),
        Shape::Maybe(of) => misfit(of, value, place),
        Shape::List(of) => match value.as_array() {
            None => unless(false),
            Some(items) => items
                .iter()
                .find_map(|item| misfit(of, item, &format!("{place}[]"))),
        },
        Shape::Map(of) => match value.as_object() {
            None => unless(false),
            Some(fields) => fields
                .iter()
                .find_map(|(name, item)| misfit(of, item, &format!("{place}.{name}"))),
        },
        Shape::Object(always, sometimes) => misfit_object((always, sometimes), value, place),
    }
}

type Fields = Vec<(&'static str, Shape)>;

fn misfit_object(
    (always, sometimes): (&Fields, &Fields),
    value: &Value,
    place: &str,
) -> Option<String> {
    let Some(fields) = value.as_object() else {
        return Some(format!("{place} is no object: {value}"));
    };
    if let Some((name, _)) = always.iter().find(|(name, _)| !fields.contains_key(*name)) {
        return Some(format!("{place}.{name} is missing"));
    }
    fields.iter().find_map(|(name, item)| {
        let known = always
            .iter()
            .chain(sometimes)
            .find(|(known, _)| known == name);
        let Some((_, shape)) = known else {
            return Some(format!("{place}.{name} is not in the document"));
        };
        misfit(shape, item, &format!("{place}.{name}"))
    })
}

#[test]
fn a_misfit_is_found() {
    let shape = super::super::shape::object([("at", Shape::Time(""))]);
    assert_eq!(
        misfit(&shape, &json!({ "at": "2026-04-24T20:00:00Z" }), ""),
        None
    );
    for wrong in [
        json!({}),
        json!({ "at": 1 }),
        json!({ "at": "soon" }),
        json!([]),
    ] {
        assert!(misfit(&shape, &wrong, "").is_some(), "{wrong}");
    }
    let more = json!({ "at": "2026-04-24T20:00:00Z", "by": "me" });
    assert!(misfit(&shape, &more, "").is_some());
}

/// Reading routes with addresses of real things, as provider, auditor, tenant and gate.
#[tokio::test]
async fn answers_keep_the_forms_of_the_document() {
    let stand = Stand::rich().await;
    let mut kept = BTreeSet::new();
    for route in table()
        .iter()
        .filter(|r| r.method == Verb::Get && r.path != "/events")
    {
        for who in ["operator-1", "auditor-1", OWN_PERSON, "gate-1"] {
            let plan = {
                use crate::Desk as _;
                stand.desk.state().plan.as_ref().expect("a plan").id
            };
            let path = route
                .path
                .replace("{tenant}", OWN)
                .replace("{owner}/{service}", &format!("{OWN}/portal"))
                .replace("{digest}", &stand.open_release(OWN))
                .replace("/entries/{number}", "/entries/2")
                .replace("/findings/{number}", "/findings/1")
                .replace("/plans/diff", &format!("/plans/diff?to={plan}"));
            let answer = stand.get(who, &path).await;
            let (shape, kind) = if answer.status == StatusCode::OK {
                kept.insert(route.path);
                (route.answer.clone(), route.content)
            } else {
                (problem_shape(), "application/problem+json")
            };
            assert_eq!(answer.headers["content-type"], kind, "{path}");
            let misfit = misfit(&shape, &answer.json(), "");
            assert_eq!(misfit, None, "GET {path} as {who}");
        }
    }
    let reading = table().iter().filter(|r| r.method == Verb::Get).count();
    assert_eq!(
        kept.len() + 1,
        reading,
        "some route was never answered: {kept:?}"
    );
}
