//! The OpenAPI 3.1 document, made from the same table as the router.
//!
//! In:    [`super::table`]. Out: the document. Never: a path the router does not serve.
//! See:   OpenAPI Specification 3.1.0; RFC 9457 for problems.

use std::sync::OnceLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder};
use utoipa::openapi::path::{ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, License, OpenApi, OpenApiBuilder, PathsBuilder, Ref,
    Required, Response as Answer, ResponseBuilder, ServerBuilder,
};

use super::route::{Access, Method, Route};
use super::shape::{Shape, list, object};

/// Name of the login scheme in the document.
const SCHEME: &str = "token";
/// Name of the problem schema in the document.
const PROBLEM: &str = "Problem";

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/openapi.json", "This document.", document)
            .access(Access::Open)
            .answer(Shape::Any("an OpenAPI 3.1 document")),
    ]
}

async fn document() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        make(&super::table())
            .to_json()
            .expect("the document has only string keys")
    });
    ([(CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

/// The document of these routes.
pub(crate) fn make(table: &[Route]) -> OpenApi {
    let mut paths = PathsBuilder::new();
    for route in table {
        let method = match route.method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
        };
        paths = paths.path(route.path, PathItem::new(method, operation(route)));
    }
    let mut license = License::new("MIT OR Apache-2.0");
    license.identifier = Some("MIT OR Apache-2.0".to_owned());
    let info = InfoBuilder::new()
        .title("Anlauf")
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(license))
        .description(Some(
            "Recovery of shared services after an attack. Every change goes through `/commands` \
             or one of the routes that draw an order up; each carries an idempotency key and a \
             reason. Errors are problem+json (RFC 9457). A tenant sees only its own.",
        ));
    let login = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let login = login.description(Some("an operator gives out tokens with `anlauf login add`"));
    let components = ComponentsBuilder::new()
        .schema(PROBLEM, problem_shape().schema())
        .security_scheme(SCHEME, SecurityScheme::Http(login.build()));
    OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([ServerBuilder::new().url("/api/v1").build()]))
        .paths(paths.build())
        .components(Some(components.build()))
        .build()
}

fn operation(route: &Route) -> Operation {
    let mut operation = OperationBuilder::new()
        .summary(Some(route.summary))
        .operation_id(Some(operation_id(route)))
        .tag(route.tag);
    for parameter in parameters(route) {
        operation = operation.parameter(parameter);
    }
    if let Some(body) = &route.body {
        let content = Content::new(Some(body.schema()));
        let body = RequestBodyBuilder::new().content("application/json", content);
        operation = operation.request_body(Some(body.required(Some(Required::True)).build()));
    }
    let content = Content::new(Some(route.answer.schema()));
    let done = ResponseBuilder::new()
        .description("done")
        .content(route.content, content);
    operation = operation.response("200", done.build());
    for (status, says) in problems(route) {
        operation = operation.response(status.to_string(), problem(says));
    }
    let security = match route.access {
        // An empty requirement: a login is not needed.
        Access::Open => SecurityRequirement::default(),
        _ => SecurityRequirement::new(SCHEME, Vec::<String>::new()),
    };
    operation.security(security).build()
}

/// `GET /tenants/{tenant}` is `get_tenants_tenant`.
fn operation_id(route: &Route) -> String {
    let method = match route.method {
        Method::Get => "get",
        Method::Post => "post",
    };
    let words = route.path.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    std::iter::once(method)
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

fn parameters(route: &Route) -> Vec<Parameter> {
    let names = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = names.map(|name| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(Shape::Text("part of the address").schema()))
            .build()
    });
    let in_query = route.query.iter().map(|(name, shape)| {
        ParameterBuilder::new()
            .name(*name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .schema(Some(shape.schema()))
            .build()
    });
    in_path.chain(in_query).collect()
}

/// The route's own problems, and those that follow from its form.
fn problems(route: &Route) -> Vec<(u16, &'static str)> {
    let mut problems = route.problems.clone();
    let mut add = |status: u16, says: &'static str| {
        if problems.iter().all(|(known, _)| *known != status) {
            problems.push((status, says));
        }
    };
    if route.body.is_some() || !route.query.is_empty() {
        add(400, "the body or query is wrong; `detail` says where");
    }
    if route.body.is_some() {
        add(413, "the body is too large");
        add(415, "the body is not sent as JSON");
    }
    match route.access {
        Access::Open => {}
        Access::Person | Access::Provider | Access::Gate => {
            add(401, "no login");
            add(403, "not for this role");
        }
    }
    problems.sort_unstable();
    problems
}

fn problem(says: &str) -> Answer {
    let schema = Ref::from_schema_name(PROBLEM);
    let content = Content::new(Some(schema));
    ResponseBuilder::new()
        .description(says)
        .content("application/problem+json", content)
        .build()
}

/// The form of a problem.
pub(crate) fn problem_shape() -> Shape {
    let reason = object([
        (
            "code",
            Shape::Text("stable code; docs/errors/CODE.md says more"),
        ),
        ("message", Shape::Text("what is wrong")),
    ])
    .or([("remedy", Shape::Text("what would remove it"))]);
    object([
        ("type", Shape::Text("about:blank")),
        ("title", Shape::Text("kind of problem")),
        ("status", Shape::Number("HTTP status")),
        ("detail", Shape::Text("what is wrong, in words")),
        ("reasons", list(reason)),
    ])
    .or([(
        "cells",
        list(Shape::Text(
            "cells whose agreed slots contradict each other",
        )),
    )])
}
