//! Waits for the order to stop, or to open a log anew.
//!
//! In:    SIGTERM, SIGINT, SIGHUP. Out: that it came. Never: stops anything itself.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a process in order.
pub struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// Listens from here on.
    ///
    /// # Errors
    /// The system does not let it.
    pub fn listen() -> Result<Self> {
        let cannot = "cannot listen for signals";
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context(cannot)?,
            interrupt: signal(SignalKind::interrupt()).context(cannot)?,
        })
    }

    /// Waits; gives the signal's name.
    pub async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// The signal after which a log that was moved away is opened anew.
pub struct Hangup(Option<Signal>);

impl Hangup {
    /// Listens from here on, if there is a log; else the signal does what it always does.
    ///
    /// # Errors
    /// The system does not let it.
    pub fn listen(is_wanted: bool) -> Result<Self> {
        let listen = || signal(SignalKind::hangup()).context("cannot listen for signals");
        Ok(Self(is_wanted.then(listen).transpose()?))
    }

    /// Waits; for ever if there is nothing to wait for.
    pub async fn wait(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}
