//! `anlauf serve`: the control plane in earnest.
//!
//! In:    a landscape's folder, a data folder, signed documents for the first start.
//! Out:   a control plane that answers, until it is told to stop or cannot write any longer.
//! Never: starts on a broken or foreign ledger; acknowledges what the disk does not have.
//! See:   docs/guide/first-start.md.

use std::convert::Infallible;
use std::error::Error;
use std::future::pending;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anlauf_model::{Digest, Landscape};
use anlauf_store::{Desk, DeskConfig, FILE_LEDGER, Reader, StoreError, SystemClock};
use anlauf_web::{Web, router};
use serde_json::json;
use tokio::sync::Notify;

use crate::control::Control;
use crate::exit::{Code, Done, Failure};
use crate::log::Log;
use crate::logins::Book;
use crate::output::Output;
use crate::server::Server;
use crate::signal::Stop;
use crate::{gate, landscape};

mod asking;
mod first_start;
pub mod keys;

use asking::Asking;
use first_start::Authorities;
use keys::ControlKeys;

/// Longest time an entry may wait until a signed head covers it. Seconds.
const SIGNED_AFTER_MAX: u64 = 60;

/// Folder of the signed documents below the data folder.
const FOLDER_AUTHORITY: &str = "authority";

/// Run the control plane
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Folder of the landscape
    #[arg(long, value_name = "DIR")]
    landscape: PathBuf,
    /// Folder of ledger, keys and logins; made on the first start
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder of the signed root and policies [default: `authority` in the data folder]
    #[arg(long, value_name = "DIR")]
    authority: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8440")]
    listen: SocketAddr,
    /// Run this many gates in the same process
    #[arg(long, value_name = "N", default_value_t = 0)]
    gates: u16,
    /// Where the first of these gates listens; the others on the ports after it
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8480")]
    gate_listen: SocketAddr,
    /// Improvement steps of a plan when the request names none
    #[arg(long, value_name = "N", default_value_t = 200)]
    plan_steps: u32,
    /// How long an entry waits at most until a signed head covers it. Seconds
    #[arg(long, value_name = "N", default_value_t = SIGNED_AFTER_MAX, hide = true,
        value_parser = clap::value_parser!(u64).range(..=SIGNED_AFTER_MAX))]
    signed_after: u64,
    #[command(flatten)]
    witnesses: asking::WitnessArgs,
    #[command(flatten)]
    log: Log,
}

/// Serves until told to stop.
///
/// # Errors
/// Files, keys, documents or the ledger cannot be used; the ledger cannot be written any longer.
pub fn run(args: &Args, output: Output) -> Done {
    args.log.start();
    let (landscape, warnings) = landscape::load(&args.landscape, output.coloured())?;
    for warning in warnings {
        let problem = &warning.problem;
        let (file, line) = warning.places.first().map(|p| (p.file, p.line)).unzip();
        tracing::warn!(
            code = problem.code,
            file,
            line,
            "landscape: {}",
            problem.message
        );
    }
    let folder = args
        .authority
        .clone()
        .unwrap_or_else(|| args.data.join(FOLDER_AUTHORITY));
    let signed = Authorities::read(&folder)?;
    let Belongs { domain, is_first } = Belongs::read(&args.data, &signed)?;
    let keys = ControlKeys::find(&args.data)?;
    if is_first {
        signed.check(args, &folder, &landscape, keys.as_ref())?;
    }
    let (Some(keys), Some(domain)) = (keys, domain) else {
        return Err(keys::lost(&args.data));
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let origin = origin(&domain);
    let asking = Asking::of(&args.witnesses, &args.data, &origin, &keys.log.public())?;
    let config = DeskConfig {
        data_dir: args.data.clone(),
        origin,
        domain: Some(domain),
        clock: Arc::new(SystemClock),
        signer: keys.log,
    };
    let desk = Desk::open(config)?;
    let served = runtime.block_on(async {
        first_start::adopt(&desk, &landscape, &signed).await?;
        sign_first(&desk).await?;
        let parts = Parts {
            desk: desk.clone(),
            closer: keys.closer,
            asking,
        };
        serve(args, &landscape, parts, output).await
    });
    desk.close();
    // A witness that does not answer holds up nobody's stop.
    runtime.shutdown_background();
    served
}

/// Name of the log of a domain in its checkpoints.
fn origin(domain: &str) -> String {
    format!("anlauf/{domain}")
}

/// Whose ledger it is, before anything is written.
struct Belongs {
    /// Its domain, or that of the root it will begin with.
    domain: Option<String>,
    /// Whether there is no entry yet.
    is_first: bool,
}

impl Belongs {
    /// Asks the ledger, and holds its domain against that of the signed documents.
    ///
    /// # Errors
    /// The ledger belongs to another domain, or says nothing where nobody else does.
    fn read(data: &Path, signed: &Authorities) -> Done<Self> {
        let asked = signed.domain()?;
        if !data.join(FILE_LEDGER).exists() {
            let (domain, is_first) = (asked, true);
            return Ok(Self { domain, is_first });
        }
        // A ledger that cannot be read is told by the desk, which proves all of it.
        let told = Reader::open(data).and_then(|own| Ok((own.domain()?, own.head()?.size == 0)));
        let (found, is_first) = match told {
            Err(error) if asked.is_none() => return Err(error.into()),
            told => told.unwrap_or_default(),
        };
        match (asked, found) {
            (Some(asked), Some(found)) if asked != found => {
                Err(StoreError::DomainForeign { asked, found }.into())
            }
            (asked, found) => Ok(Self {
                domain: found.or(asked),
                is_first,
            }),
        }
    }
}

/// What a control plane is made of.
struct Parts {
    desk: Desk,
    closer: crate::cli::key::Secret,
    asking: Option<Asking>,
}

async fn serve(args: &Args, landscape: &Landscape, parts: Parts, output: Output) -> Done {
    let Parts {
        desk,
        closer,
        asking,
    } = parts;
    let witnesses = asking.as_ref().map(Asking::watched);
    let bell = witnesses.as_ref().map(|all| Arc::clone(&all.bell));
    let after = Duration::from_secs(args.signed_after);
    let mut stop = Stop::listen()?;
    let logins = Arc::new(Book::open(&args.data)?);
    let control = Control::new(desk.clone(), args.data.clone()).witnessed(witnesses);
    let routes = router(Web {
        desk: Arc::new(control),
        logins: logins.clone(),
        closer: closer.signer,
        plan_steps: args.plan_steps,
    });
    let server = Server::start(args.listen, routes).await?;
    let url = format!("http://{}", server.address);
    let mut gates = gate::start_beside(&gates(args, landscape, &desk, &url), &logins).await?;
    say(&desk, &url, &gates, output)?;

    let ended = tokio::select! {
        name = stop.wait() => {
            tracing::info!(signal = name, "stopping");
            Ok(())
        }
        failed = desk.stopped() => match failed {
            Some(error) => Err(stopped(&error)),
            None => Ok(()),
        },
        failure = gate::failed(&mut gates) => Err(failure),
        never = sign_heads(&desk, after, bell) => match never {},
        never = ask(asking) => match never {},
    };
    for (_, gate) in gates {
        gate.stop().await;
    }
    server.stop().await?;
    ended
}

/// Has the head signed at the start, so that no ledger is in use without.
async fn sign_first(desk: &Desk) -> Done {
    match desk.checkpoint().await {
        Ok(_) => Ok(()),
        Err(StoreError::Stopped) => Err(desk
            .stopped()
            .await
            .map_or_else(|| StoreError::Stopped.into(), |error| stopped(&error))),
        Err(error) => Err(error.into()),
    }
}

/// Asks the witnesses, if there are any.
async fn ask(asking: Option<Asking>) -> Infallible {
    match asking {
        Some(asking) => asking.run().await,
        None => pending().await,
    }
}

/// Has the head signed again and again, some time after entries came in, and rings the bell.
async fn sign_heads(desk: &Desk, after: Duration, bell: Option<Arc<Notify>>) -> Infallible {
    let mut written = desk.watch();
    loop {
        if written.changed().await.is_err() {
            return pending().await;
        }
        tokio::time::sleep(after).await;
        written.mark_unchanged();
        match desk.checkpoint().await {
            Ok(_) => bell.iter().for_each(|bell| bell.notify_one()),
            // Why the desk has stopped is told by `Desk::stopped`.
            Err(error) => tracing::error!("the ledger's head was not signed: {error}"),
        }
    }
}

fn gates(args: &Args, landscape: &Landscape, desk: &Desk, control: &str) -> gate::Beside {
    gate::Beside {
        count: args.gates,
        control: control.to_owned(),
        state: args.data.join("gates"),
        listen: args.gate_listen,
        pin: desk.read().pin.unwrap_or(Digest([0; 32])),
        provider: landscape.declared().provider.clone(),
        time_zone: landscape.declared().time_zone.clone(),
    }
}

/// Tells where it is, on stdout, once everything listens.
fn say(desk: &Desk, control: &str, gates: &[gate::Named], output: Output) -> Done {
    let (entries, pin, domain) = {
        let state = desk.read();
        let domain = state.authority.as_ref().map(|a| a.root().domain.clone());
        (state.seq, state.pin, domain.unwrap_or_default())
    };
    let listed: Vec<_> = gates
        .iter()
        .map(|(id, gate)| json!({ "id": id, "listening": urls(gate) }))
        .collect();
    let value = json!({
        "domain": domain, "entries": entries, "pin": pin, "listening": control, "gates": listed,
    });
    if output.json {
        return output.line(&value.to_string());
    }
    let pin = pin.map(|pin| pin.to_string()).unwrap_or_default();
    output.line(&format!("domain {domain}"))?;
    output.line(&format!("ledger {entries} entries"))?;
    output.line(&format!("pin {pin}"))?;
    for (id, gate) in gates {
        output.line(&format!("gate {id} {}", urls(gate).join(" ")))?;
    }
    output.line(&format!("listening {control}"))
}

fn urls(gate: &anlauf_gate::Gate) -> Vec<String> {
    let addresses = gate.addresses();
    addresses.iter().map(|a| format!("http://{a}")).collect()
}

/// The failure of a ledger that cannot be written any longer.
fn stopped(error: &StoreError) -> Failure {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    Failure::new(Code::Ledger, format!("{message} ({})", error.code()))
}

/// The command line that starts it like this again, for messages.
fn again(args: &Args) -> String {
    let shown = |path: &Path| path.display().to_string();
    format!(
        "anlauf serve --landscape {} --data {}",
        shown(&args.landscape),
        shown(&args.data)
    )
}
