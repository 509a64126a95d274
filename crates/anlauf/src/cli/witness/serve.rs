//! The witness over HTTP.
//!
//! In:    `POST /add-checkpoint`. Out: a cosignature line, or the status of the protocol.
//! Never: goes on after its disk failed.

use std::net::SocketAddr;
use std::sync::Arc;

use anlauf_transparency::witness::{No, REQUEST_SIZE_MAX};
use axum::Router;
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::json;
use tokio::sync::Notify;

use super::state::{Refused, State};
use crate::exit::{Code, Done, Failure};
use crate::output::Output;
use crate::server::Server;
use crate::signal::Stop;

struct Desk {
    state: State,
    failed: Notify,
}

/// Answers until told to stop.
///
/// # Errors
/// The address cannot be used, or the disk failed.
pub fn run(state: State, listen: SocketAddr, output: Output) -> Done {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut stop = Stop::listen()?;
        let desk = Arc::new(Desk {
            state,
            failed: Notify::new(),
        });
        let routes = Router::new()
            .route("/add-checkpoint", post(add))
            .layer(DefaultBodyLimit::max(REQUEST_SIZE_MAX))
            .with_state(Arc::clone(&desk));
        let server = Server::start(listen, routes).await?;
        let address = format!("http://{}", server.address);
        match output.json {
            true => output.line(&json!({ "listening": address }).to_string())?,
            false => output.line(&format!("listening {address}"))?,
        }
        let failed = tokio::select! {
            _ = stop.wait() => false,
            () = desk.failed.notified() => true,
        };
        server.stop().await?;
        match failed {
            false => Ok(()),
            true => Err(Failure::new(
                Code::Failed,
                "the witness's disk failed; it has stopped",
            )),
        }
    })
}

async fn add(Shared(desk): Shared<Arc<Desk>>, body: String) -> Response {
    let answering = Arc::clone(&desk);
    let at = crate::cli::now();
    let answered = tokio::task::spawn_blocking(move || answering.state.answer(&body, at)).await;
    match answered {
        Ok(Ok(line)) => line.into_response(),
        Ok(Err(Refused::No(no))) => refuse(&no),
        Ok(Err(Refused::Disk(error))) => {
            tracing::error!(%error, "cannot keep a checkpoint");
            desk.failed.notify_one();
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn refuse(no: &No) -> Response {
    let status = StatusCode::from_u16(no.status()).unwrap_or(StatusCode::BAD_REQUEST);
    match no {
        No::Conflict(size) => {
            let kind = [(header::CONTENT_TYPE, "text/x.tlog.size")];
            (status, kind, format!("{size}\n")).into_response()
        }
        other => (status, format!("{other}\n")).into_response(),
    }
}
