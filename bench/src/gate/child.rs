//! The gate of the benchmark: this same program, started again on the proxy's core.
//!
//! In:    settings as JSON in a file. Out: a gate, and its addresses as one line of JSON.
//! Never: outlives the one who started it: it ends when its input does.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anlauf_gate::{Gate, GateConfig, Pilot, Serving, SystemClock, Upstreams};
use anlauf_model::Digest;
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// What a gate is told.
#[derive(Serialize, Deserialize)]
pub struct Settings {
    pub control: SocketAddr,
    pub state: PathBuf,
    pub pin: Digest,
    pub backend: SocketAddr,
    pub listen: SocketAddr,
}

/// Where it listens.
#[derive(Serialize, Deserialize)]
pub struct Addresses {
    pub clients: SocketAddr,
    pub admin: SocketAddr,
}

/// Runs a gate until the input ends.
///
/// # Errors
/// It does not start.
pub fn run(settings: &Path) -> Result<()> {
    let settings: Settings = serde_json::from_slice(&std::fs::read(settings)?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let gate = Gate::start(GateConfig {
            id: "gate-1".parse()?,
            control: format!("http://{}", settings.control),
            token: "bench".into(),
            state_dir: settings.state,
            listen: vec![settings.listen],
            admin: Some("127.0.0.1:0".parse()?),
            pin: settings.pin,
            upstreams: Upstreams {
                default: Some(format!("http://{}", settings.backend)),
                ..Upstreams::default()
            },
            clean_room: Vec::new(),
            pilot: Pilot::default(),
            time_zone: "Europe/Berlin".into(),
            clock: Arc::new(SystemClock::new()),
            serving: Serving {
                workers: 1,
                ..Serving::default()
            },
        })
        .await?;
        let addresses = Addresses {
            clients: gate.addresses()[0],
            admin: gate.admin().unwrap_or(settings.listen),
        };
        println!("{}", serde_json::to_string(&addresses)?);
        let wait = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = tokio::task::spawn_blocking(wait).await;
        gate.stop().await;
        Ok(())
    })
}
