//! Style, script and mark, out of the binary: nothing is fetched from anywhere else.
//!
//! In:    a name. Out: the bytes with their digest as ETag. Never: a file of the disk.

use std::sync::LazyLock;

use anlauf_model::Digest;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// One file per component, in the order of their layers.
const STYLES: &[&str] = &[
    "@layer reset, token, base, layout, component, utility, print;\n",
    include_str!("../style/reset.css"),
    include_str!("../style/token.css"),
    include_str!("../style/base.css"),
    include_str!("../style/layout.css"),
    include_str!("../style/stage.css"),
    include_str!("../style/table.css"),
    include_str!("../style/form.css"),
    include_str!("../style/card.css"),
    include_str!("../style/chart.css"),
    include_str!("../style/picture.css"),
    include_str!("../style/status.css"),
    include_str!("../style/utility.css"),
    include_str!("../style/print.css"),
];

const SCRIPT: &str = include_str!("../style/anlauf.js");

/// Only on the pages that ask a passkey.
const PASSKEY: &str = include_str!("../style/passkey.js");

/// The mark: a gate, half open.
pub(crate) const MARK: &str = include_str!("../style/mark.svg");

static STYLE: LazyLock<String> = LazyLock::new(|| STYLES.concat());
static STYLE_MARK: LazyLock<String> = LazyLock::new(|| Digest::of(STYLE.as_bytes()).short());
static PASSKEY_MARK: LazyLock<String> = LazyLock::new(|| Digest::of(PASSKEY.as_bytes()).short());
static SCRIPT_MARK: LazyLock<String> = LazyLock::new(|| Digest::of(SCRIPT.as_bytes()).short());

/// Changes when the style does.
pub(crate) fn css_mark() -> &'static str {
    &STYLE_MARK
}

/// Changes when the script does.
pub(crate) fn js_mark() -> &'static str {
    &SCRIPT_MARK
}

/// Changes when the script for passkeys does.
pub(crate) fn passkey_mark() -> &'static str {
    &PASSKEY_MARK
}

/// Hands a file out.
pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let (kind, body): (&str, &str) = match name.as_str() {
        "anlauf.css" => ("text/css; charset=utf-8", &STYLE),
        "anlauf.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "passkey.js" => ("text/javascript; charset=utf-8", PASSKEY),
        "anlauf.svg" => ("image/svg+xml", MARK),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let tag = format!("\"{}\"", Digest::of(body.as_bytes()).short());
    let known = headers.get(header::IF_NONE_MATCH);
    let fresh = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let fixed = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::ETAG, tag),
        // The address carries the digest, so a changed file has another address.
        (header::CACHE_CONTROL, "public, max-age=3600".to_owned()),
    ];
    if fresh {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    (fixed, body.to_owned()).into_response()
}
