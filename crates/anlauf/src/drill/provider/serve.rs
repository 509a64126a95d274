//! The process behind the gates: the reference provider, and a stamp on each of its answers.
//!
//! In:    one line of settings on stdin, then orders; requests from the gates.
//! Out:   answers that say which cell served them; a word on stdout for each order.
//! Never: outlives its parent: it ends when stdin does.

use std::io::BufRead;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use reference_provider::kernel::front::router;
use reference_provider::kernel::house::House;
use reference_provider::mail::{self, pop3::Reading, server::Post};
use tokio::net::TcpListener;

use super::Start;
use crate::drill::backend::{self, SERVED};
use crate::exit::Done;

/// Serve the insurers of a drill (started by the drill itself)
#[derive(Debug, Clone, clap::Args)]
pub struct Args {}

/// Serves until stdin ends.
///
/// # Errors
/// The first line is no settings, or the data or the port cannot be used.
pub fn run(_args: &Args) -> Done {
    Ok(serve()?)
}

fn serve() -> Result<()> {
    tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .init();
    let mut lines = std::io::stdin().lock().lines();
    let first = lines.next().context("no settings on stdin")??;
    let start: Start = serde_json::from_str(&first).context("cannot read the settings")?;
    backend::follow(start.stamp);
    let house = Arc::new(House::open(start.settings())?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let address = runtime.block_on(listen(start.listen, Arc::clone(&house)))?;
    let _post = runtime.block_on(take_mail(start.mail, &house))?;
    let _reading = runtime.block_on(show_mail(&start, &house))?;
    println!("listening {address}");
    for line in lines {
        let line = line?;
        match line.split_once(' ') {
            Some(("let-go", tenant)) => let_go(&house, tenant)?,
            _ => bail!("no such order: `{line}`"),
        }
    }
    Ok(())
}

fn let_go(house: &House, tenant: &str) -> Result<()> {
    let found = house.tenant(tenant).context("no such insurer")?;
    found.store.let_go();
    found.records.let_go();
    println!("let-go {tenant}");
    Ok(())
}

async fn listen(listen: SocketAddr, house: Arc<House>) -> Result<SocketAddr> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    house.back.get_or_init(|| address);
    let router: Router = router(house).layer(from_fn(stamped));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the listener failed");
        }
    });
    Ok(address)
}

/// Takes mail for the people of every insurer.
async fn take_mail(listen: SocketAddr, house: &Arc<House>) -> Result<Post> {
    let settings = mail::server::Settings {
        name: "post.drill.example".to_owned(),
        domains: mail::house::domains(house, "{tenant}.example"),
        clock: house.settings.clock.clone(),
        tls: None,
        size_max: mail::MESSAGE_SIZE_MAX,
    };
    Post::open(settings, listen).await
}

/// Lets the people of every insurer read theirs.
async fn show_mail(start: &Start, house: &Arc<House>) -> Result<Reading> {
    let settings = mail::pop3::Settings {
        name: "post.drill.example".to_owned(),
        shelves: mail::house::shelves(house, "{tenant}.example"),
        tls: mail::tls::read(&start.certificate)?,
    };
    Reading::open(settings, start.reading).await
}

/// Says on each answer whose it is: by host and path, not by what the gate says of it.
async fn stamped(request: Request, next: Next) -> Response {
    let cell = cell(&request);
    let mut response = match request.uri().path().ends_with("/slow") {
        true => Response::new(Body::new(backend::slow_body())),
        false => next.run(request).await,
    };
    if let Ok(cell) = HeaderValue::from_str(&cell) {
        let name = HeaderName::from_static(SERVED);
        response.headers_mut().insert(name, cell);
    }
    response
}

fn cell(request: &Request) -> String {
    let host = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => {
            let host = request.headers().get("host");
            host.and_then(|host| host.to_str().ok()).unwrap_or("?")
        }
    };
    let owner = host.split(['.', ':']).next().unwrap_or("?");
    let service = request.uri().path().split('/').nth(1).unwrap_or("?");
    format!("{owner}/{service}")
}
