//! `anlauf gate`: a gate as a process of its own; or gates beside the control plane.
//!
//! In:    flags. Out: a running gate, until told to stop.
//! Never: opens anything on what a flag says: flags say where, signatures say whether.
//! See:   docs/guide/first-start.md.

pub mod top;

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::task::Poll;

use anlauf_gate::{
    AccessLog, Clients, Driven, Gate, GateConfig, GateError, Mail, MailPlace, Network, Pilot,
    Serving, SystemClock, Tls, Upstreams,
};
use anlauf_model::{CellId, Digest, GateId, OrganisationId, PersonId, Role, SiteId, TenantId};
use anlauf_recovery::Actor;
use anlauf_trust::{Envelope, Refusal, Root};
use serde_json::json;

use crate::cli::read_text;
use crate::exit::{Code, Done, Failure};
use crate::log::Log;
use crate::logins::Book;
use crate::output::Output;
use crate::signal::{Hangup, Stop};

/// Run a gate
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Address of the control plane
    #[arg(long, env = "ANLAUF_CONTROL", value_name = "URL")]
    control: String,
    /// Folder of the gate's own state; one gate per folder
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Where clients come in; several are separated by commas; port 0 takes a free one
    #[arg(long, value_name = "ADDR", value_delimiter = ',', required = true)]
    listen: Vec<SocketAddr>,
    /// Where clients come in over TLS; needs --certificates
    #[arg(
        long,
        value_name = "ADDR",
        value_delimiter = ',',
        requires = "certificates"
    )]
    listen_tls: Vec<SocketAddr>,
    /// Folder with one file a host, chain and key in it: `stadt.example.pem`, `_.example.pem`
    #[arg(long, value_name = "DIR", requires = "listen_tls")]
    certificates: Option<PathBuf>,
    /// Port of one cell that is not HTTP; its backend is `tcp://host:port`, of a cell with HTTP too
    /// the one that is named here
    #[arg(long, value_name = "ADDR=CELL[=URL]", value_parser = tcp_place)]
    tcp: Vec<TcpPlace>,
    /// Where TLS is passed through to the cell that has the client's host for itself
    #[arg(long, value_name = "ADDR", value_delimiter = ',')]
    listen_named: Vec<SocketAddr>,
    #[command(flatten)]
    mail: MailArgs,
    /// Who it is: `gate-west-1`; the name of its login
    #[arg(long, value_name = "ID")]
    id: GateId,
    /// Digest of the first root: the one thing the gate believes unproven
    #[arg(long, value_name = "DIGEST", required_unless_present = "root")]
    pin: Option<Digest>,
    /// The first root as a file, instead of its digest
    #[arg(long, value_name = "FILE", conflicts_with = "pin")]
    root: Option<PathBuf>,
    /// File with the token of the gate's login
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Where closings are taken directly, and state and metrics are shown; loopback only
    #[arg(long, value_name = "ADDR")]
    admin: Option<SocketAddr>,
    #[command(flatten)]
    upstream: Upstream,
    /// Address range of the provider's test network: passes cells in stage `clean_room`
    #[arg(long, value_name = "NET")]
    clean_room: Vec<Network>,
    /// Address range of testers: passes cells in stage `pilot`
    #[arg(long, value_name = "NET")]
    pilot: Vec<Network>,
    /// Address range of proxies in front of this gate: they are believed for whom they ask
    /// (`X-Forwarded-For`, `Forwarded`)
    #[arg(long, value_name = "NET")]
    trusted_proxy: Vec<Network>,
    /// Where other proxies ask whether a request of theirs may pass (forward authentication); only
    /// trusted ones are answered
    #[arg(
        long,
        value_name = "ADDR",
        value_delimiter = ',',
        requires = "trusted_proxy"
    )]
    listen_auth: Vec<SocketAddr>,
    /// Port, as it is given above, whose connections only the proxies in the range announce (PROXY
    /// protocol, versions 1 and 2); no other connection comes in there
    #[arg(long, value_name = "ADDR=NET", value_parser = pair::<SocketAddr, Network>)]
    proxy_protocol: Vec<(SocketAddr, Network)>,
    /// SHA-256 of a pass that a tenant's testers send as header or cookie `anlauf-pass`
    #[arg(long, value_name = "TENANT=SHA256", value_parser = pair::<TenantId, Digest>)]
    pilot_pass: Vec<(TenantId, Digest)>,
    /// Time zone of the times on the pages
    #[arg(long, value_name = "ZONE", default_value = "Europe/Berlin")]
    time_zone: String,
    /// Threads that serve, each with a port share and backend connections of its own; one a core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    drivers: DriverArgs,
    #[command(flatten)]
    log: Log,
}

/// Filters of others that follow the cells.
#[derive(Debug, Clone, clap::Args)]
pub struct DriverArgs {
    /// HAProxy that is kept as the cells are: its admin socket, and the map that it looks into;
    /// not proven by certificate
    #[arg(long, value_name = "SOCKET=MAP", value_parser = pair::<PathBuf, String>)]
    haproxy: Vec<(PathBuf, String)>,
    /// Table of nftables (inet) whose sets open4 and open6 are kept as the cells are; not proven by
    /// certificate
    #[arg(long, value_name = "TABLE", requires = "nftables_cell")]
    nftables: Option<String>,
    /// Where a cell is served that the packet filter guards; several addresses, several times
    #[arg(long, value_name = "CELL=ADDR", requires = "nftables",
        value_parser = pair::<CellId, SocketAddr>)]
    nftables_cell: Vec<(CellId, SocketAddr)>,
    /// What is run as nft
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "nft",
        requires = "nftables"
    )]
    nft: PathBuf,
}

/// The access log.
#[derive(Debug, Clone, clap::Args)]
pub struct AccessArgs {
    /// File that gets one line of JSON for each request, connection and recipient; `-` is stdout
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
    /// How much of clients' addresses the access log holds
    #[arg(long, value_enum, default_value_t, requires = "access_log")]
    access_log_clients: Addresses,
}

/// How much of an address is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Addresses {
    /// All of it.
    Whole,
    /// 24 bits of IPv4, 48 of IPv6.
    #[default]
    Short,
    /// Nothing.
    None,
}

/// `anlauf gate` runs a gate, `anlauf gate top` looks at some.
#[derive(Debug, Clone)]
pub enum Command {
    /// Runs one.
    Run(Box<Args>),
    /// Looks at some.
    Top(top::Args),
}

// By hand, because what a gate needs is needed only when one is run, and a variable of the
// environment (`ANLAUF_CONTROL`) must not make `top` want the rest of it.
impl clap::FromArgMatches for Command {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        match matches.subcommand() {
            Some((_, matches)) => top::Args::from_arg_matches(matches).map(Self::Top),
            None => Args::from_arg_matches(matches).map(|args| Self::Run(Box::new(args))),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Command {
    fn augment_args(command: clap::Command) -> clap::Command {
        Args::augment_args(command)
            .subcommand(top::Args::augment_args(clap::Command::new("top")))
            .subcommand_negates_reqs(true)
            .args_conflicts_with_subcommands(true)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

/// The mail relay.
#[derive(Debug, Clone, clap::Args)]
pub struct MailArgs {
    /// Where SMTP clients come in; needs --mail-name
    #[arg(
        long,
        value_name = "ADDR",
        value_delimiter = ',',
        requires = "mail_name"
    )]
    listen_mail: Vec<SocketAddr>,
    /// What the relay calls itself, and whose certificate it shows: `mx.stadt.example`
    #[arg(long, value_name = "NAME", requires = "listen_mail")]
    mail_name: Option<String>,
    /// Largest message; bytes
    #[arg(long, value_name = "N", default_value_t = 50 * 1024 * 1024)]
    mail_size_max: u64,
    /// Where the mail of a domain goes: `bkk.example=bkk-amsel/post=tcp://10.1.0.20:25`
    #[arg(long, value_name = "DOMAIN=CELL=URL", value_parser = mail_place)]
    mail: Vec<(String, MailPlace)>,
}

/// Where open cells are served from, beside the signed table.
#[derive(Debug, Clone, clap::Args)]
pub struct Upstream {
    /// Where cells are served from that nothing else speaks of
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Where the cells of a site are served from
    #[arg(long, value_name = "SITE=URL", value_parser = pair::<SiteId, String>)]
    upstream_site: Vec<(SiteId, String)>,
    /// Where one cell is served from
    #[arg(long, value_name = "CELL=URL", value_parser = pair::<CellId, String>)]
    upstream_cell: Vec<(CellId, String)>,
}

/// Gates that run beside the control plane in its process.
pub struct Beside {
    /// How many.
    pub count: u16,
    /// Address of the control plane.
    pub control: String,
    /// Folder with one folder per gate.
    pub state: PathBuf,
    /// Where the first one listens.
    pub listen: SocketAddr,
    /// Digest of the first root.
    pub pin: Digest,
    /// Whom the gates belong to.
    pub provider: OrganisationId,
    /// Time zone of the times on their pages.
    pub time_zone: String,
}

/// A port of one cell for what is not HTTP.
#[derive(Debug, Clone)]
struct TcpPlace {
    listen: SocketAddr,
    cell: CellId,
    server: Option<String>,
}

impl TcpPlace {
    fn beside(&self) -> Option<(CellId, String)> {
        Some((self.cell.clone(), self.server.clone()?))
    }
}

/// A gate with its name.
pub type Named = (GateId, Gate);

fn pair<K, V>(text: &str) -> Result<(K, V), String>
where
    K: FromStr<Err: ToString>,
    V: FromStr<Err: ToString>,
{
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| "write it like `NAME=VALUE`".to_owned())?;
    Ok((
        key.parse().map_err(|error: K::Err| error.to_string())?,
        value.parse().map_err(|error: V::Err| error.to_string())?,
    ))
}

fn tcp_place(text: &str) -> Result<TcpPlace, String> {
    let (listen, rest) = pair::<SocketAddr, String>(text)?;
    let (cell, server) = match rest.split_once('=') {
        Some((cell, server)) => (cell, Some(server)),
        None => (rest.as_str(), None),
    };
    if server.is_some_and(|server| !server.starts_with("tcp://")) {
        return Err("write the backend like `tcp://10.1.0.20:995`".to_owned());
    }
    Ok(TcpPlace {
        listen,
        cell: cell
            .parse()
            .map_err(|error: anlauf_model::id::IdError| error.to_string())?,
        server: server.map(str::to_owned),
    })
}

fn mail_place(text: &str) -> Result<(String, MailPlace), String> {
    let (domain, rest) = pair::<String, String>(text)?;
    let (cell, server) = pair::<CellId, String>(&rest)?;
    Ok((domain, MailPlace { cell, server }))
}

/// Runs a gate until told to stop, or looks at some.
///
/// # Errors
/// A setting, the state on disk or an address cannot be used; no gate answers.
pub fn run(command: &Command, output: Output) -> Done {
    match command {
        Command::Run(args) => run_gate(args, output),
        Command::Top(args) => top::run(args, output),
    }
}

fn run_gate(args: &Args, output: Output) -> Done {
    args.log.start();
    let config = config(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut stop = Stop::listen()?;
        let mut hangup = Hangup::listen(args.access.access_log.is_some())?;
        let mut gate = Gate::start(config).await.map_err(cannot_start)?;
        say(args, &gate, output)?;
        let name = loop {
            tokio::select! {
                name = stop.wait() => break name,
                () = hangup.wait() => gate.reopen_access_log(),
                error = gate.failed() => return Err(cannot_start(error)),
            }
        };
        tracing::info!(signal = name, "stopping");
        gate.stop().await;
        Ok(())
    })
}

fn say(args: &Args, gate: &Gate, output: Output) -> Done {
    let addresses = gate.addresses();
    let admin = gate.admin().map(|address| format!("http://{address}"));
    if output.json {
        let listening: Vec<_> = urls(args, &addresses).collect();
        let passing: Vec<_> = gate
            .passing()
            .iter()
            .map(|a| format!("tcp://{a}"))
            .collect();
        let asked: Vec<_> = gate.asked().iter().map(|a| format!("http://{a}")).collect();
        let mail: Vec<_> = gate.mail().iter().map(|a| format!("smtp://{a}")).collect();
        let value = json!({
            "id": args.id, "listening": listening, "passing": passing, "mail": mail,
            "asked": asked, "admin": admin,
        });
        return output.line(&value.to_string());
    }
    if let Some(admin) = admin {
        output.line(&format!("admin {admin}"))?;
    }
    for url in urls(args, &addresses) {
        output.line(&format!("listening {url}"))?;
    }
    for address in gate.passing() {
        output.line(&format!("passing tcp://{address}"))?;
    }
    for address in gate.asked() {
        output.line(&format!("asked http://{address}"))?;
    }
    for address in gate.mail() {
        output.line(&format!("mail smtp://{address}"))?;
    }
    Ok(())
}

/// Those under TLS come last.
fn urls(args: &Args, addresses: &[SocketAddr]) -> impl Iterator<Item = String> {
    let plain = addresses.len().saturating_sub(args.listen_tls.len());
    addresses.iter().enumerate().map(move |(index, address)| {
        let scheme = if index < plain { "http" } else { "https" };
        format!("{scheme}://{address}")
    })
}

fn tls(args: &Args) -> Option<Tls> {
    let certificates = args.certificates.clone()?;
    Some(Tls {
        listen: args.listen_tls.clone(),
        certificates,
    })
}

fn mail(args: &MailArgs) -> Option<Mail> {
    let name = args.mail_name.clone()?;
    Some(Mail {
        listen: args.listen_mail.clone(),
        name,
        size_max: args.mail_size_max,
        domains: args.mail.iter().cloned().collect(),
    })
}

fn access(args: &AccessArgs) -> Option<AccessLog> {
    let file = args.access_log.clone()?;
    Some(AccessLog {
        to: (file.as_os_str() != "-").then_some(file),
        clients: match args.access_log_clients {
            Addresses::Whole => Clients::Whole,
            Addresses::Short => Clients::Short,
            Addresses::None => Clients::None,
        },
    })
}

fn driven(args: &DriverArgs) -> Vec<Driven> {
    let haproxy = args.haproxy.iter().map(|(socket, map)| Driven::Haproxy {
        socket: socket.clone(),
        map: map.clone(),
    });
    let nftables = args.nftables.iter().map(|table| Driven::Nftables {
        table: table.clone(),
        program: args.nft.clone(),
        cells: args.nftables_cell.clone(),
    });
    haproxy.chain(nftables).collect()
}

fn workers_usual() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn config(args: &Args) -> Done<GateConfig> {
    let pin = match (&args.pin, &args.root) {
        (Some(pin), _) => *pin,
        (None, Some(file)) => {
            let text = read_text(file, "root")?;
            let unsound = |refusal: Refusal| {
                Failure::input(format!("`{}` is no root: {refusal}", file.display()))
            };
            let root = Envelope::parse(text.trim().as_bytes()).map_err(unsound)?;
            Root::parse(&root.payload).map_err(unsound)?;
            root.digest()
        }
        (None, None) => return Err(Failure::usage("give --pin or --root")),
    };
    let token = read_text(&args.token_file, "token")?.trim().to_owned();
    let mut passes: BTreeMap<TenantId, Vec<Digest>> = BTreeMap::new();
    for (tenant, pass) in &args.pilot_pass {
        passes.entry(tenant.clone()).or_default().push(*pass);
    }
    Ok(GateConfig {
        id: args.id.clone(),
        control: args.control.clone(),
        token,
        state_dir: args.state.clone(),
        listen: args.listen.clone(),
        admin: args.admin,
        pin,
        upstreams: Upstreams {
            default: args.upstream.upstream.clone(),
            sites: args.upstream.upstream_site.iter().cloned().collect(),
            cells: args.upstream.upstream_cell.iter().cloned().collect(),
            tcp: args.tcp.iter().filter_map(TcpPlace::beside).collect(),
        },
        clean_room: args.clean_room.clone(),
        pilot: Pilot {
            networks: args.pilot.clone(),
            passes,
        },
        time_zone: args.time_zone.clone(),
        clock: Arc::new(SystemClock::new()),
        serving: Serving {
            workers: args.workers.map_or_else(workers_usual, usize::from),
            tls: tls(args),
            tcp: args
                .tcp
                .iter()
                .map(|place| (place.listen, place.cell.clone()))
                .collect(),
            named: args.listen_named.clone(),
            mail: mail(&args.mail),
            proxies: args.trusted_proxy.clone(),
            asked: args.listen_auth.clone(),
            heralds: args.proxy_protocol.clone(),
            access: access(&args.access),
            driven: driven(&args.drivers),
        },
    })
}

/// Starts gates beside the control plane, each with a fresh login of its own.
///
/// # Errors
/// A gate does not start.
pub async fn start_beside(beside: &Beside, logins: &Book) -> Done<Vec<Named>> {
    let mut gates = Vec::new();
    for number in 1..=beside.count {
        let id: GateId = format!("gate-{number}")
            .parse()
            .map_err(anyhow::Error::from)?;
        let token = login(&id, &beside.provider, logins)?;
        let mut listen = beside.listen;
        if listen.port() != 0 {
            let port = listen.port().checked_add(number - 1);
            listen.set_port(port.ok_or_else(|| Failure::usage("--gate-listen: no port is left"))?);
        }
        let config = GateConfig {
            id: id.clone(),
            control: beside.control.clone(),
            token,
            state_dir: beside.state.join(id.as_str()),
            listen: vec![listen],
            admin: None,
            pin: beside.pin,
            upstreams: Upstreams::default(),
            clean_room: Vec::new(),
            pilot: Pilot::default(),
            time_zone: beside.time_zone.clone(),
            clock: Arc::new(SystemClock::new()),
            serving: Serving::default(),
        };
        gates.push((id, Gate::start(config).await.map_err(cannot_start)?));
    }
    Ok(gates)
}

/// Waits until one of the gates has stopped by itself because its disk failed.
pub async fn failed(gates: &mut [Named]) -> Failure {
    let mut waits: Vec<_> = gates
        .iter_mut()
        .map(|(_, gate)| Box::pin(gate.failed()))
        .collect();
    let error = poll_fn(|cx| {
        let mut polls = waits.iter_mut().map(|wait| wait.as_mut().poll(cx));
        polls.find(Poll::is_ready).unwrap_or(Poll::Pending)
    });
    cannot_start(error.await)
}

fn login(id: &GateId, provider: &OrganisationId, logins: &Book) -> Done<String> {
    let person: PersonId = id.as_str().parse().map_err(anyhow::Error::from)?;
    logins.remove(&person)?;
    Ok(logins.add(Actor {
        person,
        organisation: provider.clone(),
        role: Role::Gate,
        tenant: None,
    })?)
}

fn cannot_start(error: GateError) -> Failure {
    let code = match &error {
        GateError::Setting { .. } | GateError::Admin { .. } | GateError::Certificate { .. } => {
            Code::Usage
        }
        GateError::Damaged { .. }
        | GateError::Foreign { .. }
        | GateError::Table { .. }
        | GateError::Inflow { .. } => Code::Ledger,
        GateError::Listen { .. } | GateError::Disk { .. } => Code::Failed,
    };
    Failure::new(code, format!("{:#}", anyhow::Error::from(error)))
}
