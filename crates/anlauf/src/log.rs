//! The log of a long-running process: on stderr, as text or JSON.
//!
//! In:    `--log-format`, the variable `ANLAUF_LOG`. Out: events of `tracing`.
//! Never: a key, a token, or what a person wrote into evidence.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// Which form log lines have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How a process logs.
#[derive(Debug, Clone, clap::Args)]
pub struct Log {
    /// Form of log lines on stderr
    #[arg(long, value_enum, default_value_t)]
    log_format: Format,
    /// What is logged: `info`, `anlauf_gate=debug`
    #[arg(
        long,
        env = "ANLAUF_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    log: String,
}

impl Log {
    /// Starts to log.
    pub fn start(&self) {
        let filter = EnvFilter::try_new(&self.log).unwrap_or_else(|_| EnvFilter::new("info"));
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::io::IsTerminal::is_terminal(&std::io::stderr());
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(colour)
            .with_writer(std::io::stderr);
        let started = match self.log_format {
            Format::Text => subscriber.try_init(),
            Format::Json => subscriber.json().try_init(),
        };
        if let Err(error) = started {
            eprintln!("anlauf: cannot start the log: {error}");
        }
    }
}
