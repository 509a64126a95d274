//! The frame of every page: the insurer's name and colour, language, menu.
//!
//! In:    a title and markup. Out: a whole document. Never: a script or style inside the page.

use maud::{DOCTYPE, Markup, html};

use super::ask::{Ask, Reply, Role, encode};
use super::miss::{Language, Miss};

/// The frame's style, the same for all insurers.
pub(crate) const STYLE: &str = include_str!("page/page.css");

/// Drafts.
const SCRIPT: &str = include_str!("page/page.js");

/// A whole document.
pub(crate) fn page(ask: &Ask<'_>, status: u16, (title, main): (&str, Markup)) -> Reply {
    let say = |de, en| ask.language.pick(de, en);
    let service = service_of(ask);
    let document = html! {
        (DOCTYPE)
        html lang=(ask.language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · " (ask.tenant.name) }
                link rel="stylesheet" href={ "/" (service) "/assets/page.css" };
                link rel="stylesheet" href={ "/" (service) "/assets/colour.css" };
                script src={ "/" (service) "/assets/page.js" } defer {}
            }
            body data-tenant=(ask.tenant.id) {
                a.skip href="#main" { (say("Zum Inhalt", "To the content")) }
                p.synthetic role="note" { (say("Referenzanbieter: alle Personen sind erfunden.",
                    "Reference provider: all people are invented.")) }
                header {
                    a.brand href={ (room(ask)) "/" } { (ask.tenant.name) }
                    (languages(ask))
                    @if ask.person.is_some() { (leave(ask)) }
                }
                (menu(ask))
                main id="main" tabindex="-1" { (main) }
                footer { p { (ask.tenant.name) " · "
                    (say("bei Störungen: Ihr Dienst kommt geordnet wieder",
                         "when disturbed: your service comes back in order")) } }
            }
        }
    };
    Reply::new(status, "text/html; charset=utf-8", document.into_string())
}

/// A miss as a page.
pub(crate) fn miss(ask: &Ask<'_>, miss: &Miss) -> Reply {
    let title = match miss.status.as_u16() {
        404 => ask.language.pick("Nicht gefunden", "Not found"),
        401 => ask.language.pick("Anmeldung nötig", "Login needed"),
        503 => ask
            .language
            .pick("Gerade nicht möglich", "Not possible at present"),
        _ => ask.language.pick("Das ging nicht", "That did not work"),
    };
    let main = html! {
        h1 { (title) }
        p.fault role="alert" { (miss.words.get(ask.language)) }
        @if !miss.more.is_empty() {
            ul { @for (code, words) in &miss.more {
                li data-code=(code) { (words.get(ask.language)) }
            } }
        }
        p { a href={ (room(ask)) "/" } {
            (ask.language.pick("Zur Startseite", "To the start page"))
        } }
    };
    page(ask, miss.status.as_u16(), (title, main))
}

fn languages(ask: &Ask<'_>) -> Markup {
    html! {
        span.languages role="group" aria-label=(ask.language.pick("Sprache", "Language")) {
            @for (language, name) in [(Language::De, "Deutsch"), (Language::En, "English")] {
                @if language == ask.language {
                    span lang=(language.tag()) aria-current="true" { (name) }
                } @else {
                    a lang=(language.tag()) hreflang=(language.tag())
                        href={ "/" (service_of(ask)) "/language?to=" (language.tag())
                            "&back=" (encode(ask.path)) } { (name) }
                }
            }
        }
    }
}

fn leave(ask: &Ask<'_>) -> Markup {
    html! {
        form.leave method="post" action={ (room(ask)) "/logout" } {
            button.link type="submit" { (ask.language.pick("Abmelden", "Log out")) }
        }
    }
}

fn menu(ask: &Ask<'_>) -> Markup {
    let insured: &[(&str, &str, &str)] = &[
        ("/og/", "Start", "Start"),
        ("/og/data", "Meine Daten", "My data"),
        ("/og/address", "Adresse ändern", "Change address"),
        ("/og/messages", "Nachrichten", "Messages"),
        ("/og/applications", "Anträge", "Applications"),
        ("/og/certificate", "Bescheinigung", "Certificate"),
        ("/og/photo", "Kartenfoto", "Card photo"),
    ];
    let clerk: &[(&str, &str, &str)] = &[
        ("/lichtbild/", "Fotos prüfen", "Review photos"),
        ("/lichtbild/orders", "Kartenaufträge", "Card orders"),
        ("/og/desk/", "Anträge bearbeiten", "Handle applications"),
    ];
    let entries = match ask.person.as_ref().map(|person| person.role) {
        Some(Role::Insured) => insured,
        Some(Role::Clerk) => clerk,
        None => return html! {},
    };
    html! {
        nav aria-label=(ask.language.pick("Menü", "Menu")) { ul {
            @for (to, de, en) in entries {
                li { a href=(to) aria-current=[(*to == ask.path).then_some("page")] {
                    (ask.language.pick(de, en)) } }
            }
        } }
    }
}

/// The pages that who asks is logged in to, and at home in.
fn room(ask: &Ask<'_>) -> String {
    match (
        service_of(ask),
        ask.person.as_ref().map(|person| person.role),
    ) {
        ("lichtbild", Some(Role::Insured)) => "/og".to_owned(),
        ("og", Some(Role::Clerk)) => "/og/desk".to_owned(),
        (service, _) => format!("/{service}"),
    }
}

/// First segment of the path: each service brings its own style, because each is a cell of its own.
fn service_of<'a>(ask: &'a Ask<'_>) -> &'a str {
    ask.path.split('/').nth(1).unwrap_or_default()
}

/// `GET /<service>/assets/{name}`: the frame's style, the insurer's colour.
pub(crate) fn asset(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let (media, text) = match ask.gap(0) {
        "page.css" => ("text/css", STYLE.to_owned()),
        "page.js" => ("text/javascript", SCRIPT.to_owned()),
        "colour.css" => (
            "text/css",
            format!(":root {{ --brand: {}; }}\n", ask.tenant.colour),
        ),
        _ => return Err(Miss::not_found()),
    };
    let media = format!("{media}; charset=utf-8");
    Ok(Reply::new(200, &media, text).with("cache-control", "max-age=3600"))
}

/// `GET /<service>/language?to=en&back=/…`: which language a person reads from here on.
pub(crate) fn language(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let to = match ask.asked("to") {
        Some("en") => "en",
        _ => "de",
    };
    let own = format!("/{}/", service_of(ask));
    let back = ask.asked("back").filter(|back| back.starts_with(&own));
    let back = back
        .filter(|back| !back.contains(['\\', '\r', '\n']))
        .unwrap_or(&own);
    let cookie = format!("reference-language={to}; Path=/; Max-Age=31536000; SameSite=Lax");
    Ok(Reply::see(back).with("set-cookie", cookie))
}
