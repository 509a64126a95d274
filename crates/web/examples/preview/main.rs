//! Serves the pages over a recovery in memory, to look at them in a browser.
//!
//! In:    `preview [FOLDER] [PORT] [calm|empty|mid]`, FOLDER a landscape.
//! Out:   a server on loopback; tokens are the persons' ids (`operator-1`, `bkk-ibis.approver-1`).
//! Never: a control plane: it forgets everything when it ends.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anlauf_model::Landscape;
use anlauf_model::landscape::source;
use anlauf_recovery::Actor;
use anlauf_web::{Logins, Web, router};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;

mod cast;
mod desk;
mod story;

struct Tokens(BTreeMap<String, Actor>);

impl Logins for Tokens {
    fn find(&self, token: &str) -> Option<Actor> {
        self.0.get(token).cloned()
    }
}

fn landscape(folder: &Path) -> Landscape {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".toml") || name.ends_with(".csv") {
            files.insert(name, std::fs::read(&path).expect("the file can be read"));
        }
    }
    let declared = source::read(&files).unwrap_or_else(|errors| panic!("{errors:?}"));
    Landscape::new(declared).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn main() {
    let mut words = std::env::args().skip(1);
    let folder = words
        .next()
        .unwrap_or_else(|| "landscapes/krankenkassen".into());
    let port = words
        .next()
        .and_then(|port| port.parse().ok())
        .unwrap_or(8099);
    let mood = words.next().unwrap_or_else(|| "mid".into());
    let landscape = landscape(Path::new(&folder));
    let cast = cast::Cast::new(&landscape);
    let desk = desk::MemoryDesk::new(story::BEGIN);
    match mood.as_str() {
        "empty" => {}
        "calm" => story::Story::new(&desk, &cast, &landscape).calm(),
        _ => story::Story::new(&desk, &cast, &landscape).mid(),
    }
    let logins = cast
        .actors()
        .map(|actor| (actor.person.to_string(), actor.clone()));
    let web = Web {
        desk: Arc::new(desk),
        logins: Arc::new(Tokens(logins.collect())),
        closer: cast.closer(),
        plan_steps: 200,
    };
    // The style is read from the disk, so that a change shows on reload.
    let routes = axum::Router::new()
        .route("/assets/anlauf.css", axum::routing::get(style))
        .fallback_service(router(web));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(serve(routes, SocketAddr::from(([127, 0, 0, 1], port))));
}

async fn style() -> ([(axum::http::HeaderName, &'static str); 1], String) {
    let names = [
        "reset", "token", "base", "layout", "stage", "table", "form", "card", "chart", "picture",
        "status", "utility", "print",
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/style");
    let read = |name| std::fs::read_to_string(folder.join(format!("{name}.css")));
    let layers = "@layer reset, token, base, layout, component, utility, print;\n".to_owned();
    let files = names.map(|name| read(name).unwrap_or_default());
    (
        [(axum::http::header::CONTENT_TYPE, "text/css")],
        layers + &files.concat(),
    )
}

async fn serve(routes: axum::Router, address: SocketAddr) {
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .expect("the port is free");
    println!("http://{address}/login");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let service = TowerToHyperService::new(routes.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            // A browser that goes away is no error.
            let _gone = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
