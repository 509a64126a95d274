//! The app's own files: shell, style, script, icon, manifest, service worker.
//!
//! In:    the insurer. Out: files that are the same for all its people.
//! Never: anything of a person: these files are kept on the device.

use maud::{DOCTYPE, html};
use ring::digest::{SHA256, digest};
use serde_json::json;

use crate::kernel::ask::{Ask, Reply};
use crate::kernel::miss::Miss;
use crate::kernel::page;
use crate::kernel::tenant::Tenant;

const SCRIPT: &str = include_str!("app.js");
const STYLE: &str = include_str!("app.css");
const WORKER: &str = include_str!("sw.js");

/// The shell: everything in it is said by the script, in the person's language.
fn document(tenant: &Tenant) -> String {
    html! {
        (DOCTYPE)
        html lang="de" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="theme-color" content=(tenant.colour);
                title { (tenant.name) " App" }
                link rel="manifest" href="/app/manifest.webmanifest";
                link rel="icon" type="image/svg+xml" href="/app/assets/icon.svg";
                link rel="stylesheet" href="/app/assets/page.css";
                link rel="stylesheet" href="/app/assets/colour.css";
                link rel="stylesheet" href="/app/assets/app.css";
                script src="/app/assets/app.js" defer {}
            }
            body data-tenant=(tenant.id) {
                p.synthetic role="note" data-say="synthetic" {
                    "Referenzanbieter: alle Personen sind erfunden." }
                header {
                    a.brand href="/app/#home" { (tenant.name) }
                    button.link #language type="button" lang="en" { "English" }
                    button.link #leave type="button" hidden data-say="leave" { "Abmelden" }
                }
                nav { ul {
                    li { a href="#home" data-say="home" { "Start" } }
                    li { a href="#record" data-say="record" { "Akte" } }
                    li { a href="#photo" data-say="photo" { "Kartenfoto" } }
                    li { a href="#state" data-say="state" { "Zustand" } }
                } }
                div #notices role="status" {}
                main #main tabindex="-1" {
                    noscript { p { "Diese App braucht JavaScript. This app needs JavaScript." } }
                }
            }
        }
    }
    .into_string()
}

/// `GET /app/`.
pub(super) fn show(ask: &Ask<'_>) -> Result<Reply, Miss> {
    Ok(Reply::new(
        200,
        "text/html; charset=utf-8",
        document(ask.tenant),
    ))
}

/// `GET /app/manifest.webmanifest`.
pub(super) fn manifest(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let icon = |purpose: &str| {
        json!({ "src": "/app/assets/icon.svg", "sizes": "any", "type": "image/svg+xml",
            "purpose": purpose })
    };
    let value = json!({
        "id": "/app/",
        "name": format!("{} App", ask.tenant.name),
        "short_name": ask.tenant.name,
        "lang": "de",
        "start_url": "/app/",
        "scope": "/app/",
        "display": "standalone",
        "theme_color": ask.tenant.colour,
        "background_color": "#ffffff",
        "icons": [icon("any"), icon("maskable")],
    });
    Ok(Reply::new(
        200,
        "application/manifest+json",
        value.to_string(),
    ))
}

/// `GET /app/sw.js`: another file is another version, and with it another worker and cache.
pub(super) fn worker(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let text = WORKER.replace("{version}", &version(ask.tenant));
    Ok(Reply::new(200, "text/javascript; charset=utf-8", text)
        .with("cache-control", "no-cache")
        .with("service-worker-allowed", "/app/"))
}

/// A mark of all that is kept on the device.
fn version(tenant: &Tenant) -> String {
    let whole = [
        &document(tenant),
        page::STYLE,
        tenant.colour,
        STYLE,
        SCRIPT,
        WORKER,
    ]
    .join("\0");
    let mark = digest(&SHA256, whole.as_bytes());
    hex::encode(mark.as_ref()).chars().take(16).collect()
}

/// `GET /app/assets/{name}`.
pub(super) fn asset(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let (media, text) = match ask.gap(0) {
        "app.js" => ("text/javascript; charset=utf-8", SCRIPT.to_owned()),
        "app.css" => ("text/css; charset=utf-8", STYLE.to_owned()),
        "icon.svg" => ("image/svg+xml", icon(ask.tenant)),
        _ => return page::asset(ask),
    };
    Ok(Reply::new(200, media, text).with("cache-control", "no-cache"))
}

/// The insurer's colour, and a card on it inside the safe zone of a masked icon.
fn icon(tenant: &Tenant) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 512 512\">\
         <rect width=\"512\" height=\"512\" fill=\"{}\"/>\
         <rect x=\"116\" y=\"166\" width=\"280\" height=\"180\" rx=\"20\" fill=\"#fff\"/>\
         <rect x=\"140\" y=\"194\" width=\"84\" height=\"108\" rx=\"8\" fill=\"{0}\"/>\
         <path d=\"M250 214h120M250 254h120M250 294h72\" stroke=\"{0}\" stroke-width=\"16\"/>\
         </svg>\n",
        tenant.colour
    )
}
