//! Sets the stage: control plane, relay, gates, backends and everyone's logins, all on loopback.
//!
//! In:    landscape, story, an empty folder. Out: a [`Set`] in which everything runs and is shut.
//! Never: a part that `anlauf serve` and `anlauf gate` do not run in earnest, but for backends,
//!        clients and the attacker.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anlauf_gate::{Gate, GateConfig, Mail, MailPlace, Pilot, Serving, Tls, Upstreams};
use anlauf_model::{CellId, Digest, Landscape, Language, Minutes, Role, SiteId};
use anlauf_store::{Desk as Control, DeskConfig};
use anlauf_web::Web;
use anyhow::{Context, Result};
use reference_provider::mail::MESSAGE_SIZE_MAX;

use super::Args;
use super::backend::Backend;
use super::ceremony;
use super::clock::DrillClock;
use super::desk::Desk;
use super::forger::Forger;
use super::insured::{Insured, Ports, Ways};
use super::order::Order;
use super::party::Parties;
use super::play::Scene;
use super::provider::{self, Provider};
use super::real::Real;
use super::show::Show;
use super::story::Story;
use super::tally::Tally;
use super::traffic::Traffic;
use crate::logins::Book;
use crate::server::Server;

/// How many gates stand before the backends.
const GATE_COUNT: usize = 2;

/// How long before normal operation the landscape is commissioned, in the story.
const COMMISSIONING: Minutes = Minutes::hours(1);

/// Everything that runs.
pub struct Set {
    /// Who plays.
    pub scene: Scene,
    /// The gates.
    pub gates: Vec<Gate>,
    /// The services behind them, one server per site.
    pub backends: Vec<Backend>,
    /// The control plane's listener.
    pub server: Server,
}

/// Builds everything and starts it. Nothing is open yet.
///
/// # Errors
/// When a folder, a port or a key cannot be had.
pub async fn build(
    args: &Args,
    landscape: Arc<Landscape>,
    story: Story,
    folder: &Path,
    language: Language,
) -> Result<Set> {
    let before = story.normal().0 + COMMISSIONING.0;
    let clock = Arc::new(DrillClock::new(story.attack_at - Minutes(before)));
    let book = Arc::new(Book::default());
    let parties = Parties::new(&landscape, story.seed, GATE_COUNT, &book)?;
    let control = control(&landscape, &parties, (clock.clone(), folder))?;
    let web = web(args, &control, folder, (book, &parties));
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let server = Server::start(listen, anlauf_web::router(web)).await?;
    let forger = Forger::start(server.address).await?;

    let behind = behind(&landscape, &story, folder).await?;
    let root = ceremony::root(&landscape, &parties, clock.get());
    let builder = GateBuilder {
        landscape: &landscape,
        folder,
        forger: &forger,
        behind: &behind,
        clock: &clock,
        pin: root.digest(),
    };
    let gates = builder.start_all(&parties).await?;
    let addresses: Vec<SocketAddr> = gates.iter().flat_map(Gate::addresses).collect();
    let ports: Vec<Ports> = gates.iter().map(|gate| behind.ports(gate)).collect();
    let admins = gates.iter().filter_map(Gate::admin).collect();
    let traffic = Traffic::new(&landscape, &addresses, &behind.real);
    let Behind {
        backends, provider, ..
    } = behind;
    let real = provider.map(|provider| real(&landscape, &story, provider, (&traffic, &ports)));
    let real = real.transpose()?.flatten();
    let scene = Scene {
        desk: Desk::new(server.address),
        gates: addresses,
        admins,
        traffic,
        forger,
        tally: Tally::default(),
        show: Show::new(language, args.quiet, &landscape.declared().time_zone),
        language,
        speed: args.speed.times(),
        steps: args.steps,
        samples: args.samples,
        clients: args.clients,
        later: BTreeMap::new(),
        impatient: false,
        order: Order::new(&landscape),
        waiting: BTreeMap::new(),
        real,
        root,
        landscape,
        story,
        clock,
        parties,
        control,
    };
    Ok(Set {
        scene,
        gates,
        backends,
        server,
    })
}

/// The real services with the people who use them.
fn real(
    landscape: &Landscape,
    story: &Story,
    provider: Provider,
    (traffic, gates): (&Traffic, &[Ports]),
) -> Result<Option<Real>> {
    let Some(services) = story.services.clone() else {
        return Ok(None);
    };
    let ways = Ways {
        doors: &traffic.doors,
        gates,
        believed: provider.believed()?,
    };
    let insured = Insured::new(landscape, &services, &ways)?;
    Ok(Some(Real::new(services, provider, insured)))
}

/// The control plane in its folder.
fn control(
    landscape: &Landscape,
    parties: &Parties,
    (clock, folder): (Arc<DrillClock>, &Path),
) -> Result<Control> {
    let config = DeskConfig {
        data_dir: folder.to_owned(),
        domain: None,
        clock,
        signer: parties.log_key(),
        origin: origin(landscape),
    };
    Ok(Control::open(config)?)
}

/// What is behind the gates.
struct Behind {
    backends: Vec<Backend>,
    provider: Option<Provider>,
    /// The cells that the provider serves.
    real: BTreeSet<CellId>,
    upstreams: Upstreams,
    mail: Option<Mail>,
    /// Whose mailboxes are read at ports of their own, in their order.
    readers: Vec<CellId>,
}

impl Behind {
    /// Where a gate lets people in.
    fn ports(&self, gate: &Gate) -> Ports {
        let readers = self.readers.iter().cloned().zip(gate.passing());
        Ports {
            web: gate.addresses().first().copied(),
            mail: gate.mail().first().copied(),
            readers: readers.collect(),
        }
    }

    /// How a gate serves people.
    fn serving(&self) -> Serving {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Serving {
            mail: self.mail.clone(),
            // For STARTTLS only: pages come in plain.
            tls: self.provider.as_ref().map(|provider| Tls {
                listen: Vec::new(),
                certificates: provider.certificates.clone(),
            }),
            tcp: self
                .readers
                .iter()
                .map(|cell| (any, cell.clone()))
                .collect(),
            ..Serving::default()
        }
    }
}

/// Starts the backends, and the provider if the story has it.
async fn behind(landscape: &Landscape, story: &Story, folder: &Path) -> Result<Behind> {
    let (backends, sites) = backends(landscape).await?;
    let provider = match &story.services {
        Some(services) => Some(Provider::start(landscape, services, folder)?),
        None => None,
    };
    let (mut real, mut cells, mut tcp) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
    if let Some(provider) = &provider {
        let upstream = format!("http://{}", provider.address);
        real = provider::real_cells(landscape);
        cells.extend(real.iter().map(|cell| (cell.clone(), upstream.clone())));
        let reading = format!("tcp://{}", provider.reading);
        let boxes = provider::mail_cells(landscape).into_iter();
        tcp.extend(boxes.map(|(_, cell)| (cell, reading.clone())));
    }
    Ok(Behind {
        backends,
        mail: provider.as_ref().map(|one| mail(landscape, one)),
        provider,
        real,
        readers: tcp.keys().cloned().collect(),
        upstreams: Upstreams {
            sites,
            cells,
            tcp,
            ..Upstreams::default()
        },
    })
}

/// What the control plane's pages and API work with.
fn web(
    args: &Args,
    control: &Control,
    folder: &Path,
    (book, parties): (Arc<Book>, &Parties),
) -> Web {
    let desk = crate::control::Control::new(control.clone(), folder.to_owned());
    Web {
        desk: Arc::new(desk),
        logins: book,
        closer: parties.close_key(),
        plan_steps: args.steps,
    }
}

/// One backend per site, and where each site is served from.
async fn backends(landscape: &Landscape) -> Result<(Vec<Backend>, BTreeMap<SiteId, String>)> {
    let mut backends = Vec::new();
    let mut upstreams = BTreeMap::new();
    for site in &landscape.declared().sites {
        let backend = Backend::start().await?;
        upstreams.insert(site.id.clone(), format!("http://{}", backend.address));
        backends.push(backend);
    }
    Ok((backends, upstreams))
}

/// The gates' relay for the mail of every insurer.
fn mail(landscape: &Landscape, provider: &Provider) -> Mail {
    let place = |(domain, cell)| {
        let server = format!("tcp://{}", provider.mail);
        (domain, MailPlace { cell, server })
    };
    Mail {
        listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
        name: provider::MX.to_owned(),
        size_max: MESSAGE_SIZE_MAX as u64,
        domains: provider::mail_cells(landscape)
            .into_iter()
            .map(place)
            .collect(),
    }
}

/// Name of the ledger in its checkpoints.
pub fn origin(landscape: &Landscape) -> String {
    format!("anlauf/{}", ceremony::domain(landscape))
}

struct GateBuilder<'a> {
    landscape: &'a Landscape,
    folder: &'a Path,
    forger: &'a Forger,
    behind: &'a Behind,
    clock: &'a Arc<DrillClock>,
    pin: Digest,
}

impl GateBuilder<'_> {
    async fn start_all(&self, parties: &Parties) -> Result<Vec<Gate>> {
        let mut gates = Vec::new();
        for gate in parties.pick(Role::Gate, None, GATE_COUNT, 0) {
            let token = parties.login(&gate)?.token.clone();
            gates.push(self.start(gate.as_str(), token).await?);
        }
        Ok(gates)
    }

    async fn start(&self, name: &str, token: String) -> Result<Gate> {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let tenants = self.landscape.declared().tenants.iter();
        let passes = tenants.map(|tenant| {
            let pass = ceremony::pass(self.landscape, &tenant.id);
            (tenant.id.clone(), vec![Digest::of(pass.as_bytes())])
        });
        let config = GateConfig {
            id: name
                .parse()
                .with_context(|| format!("`{name}` is no name of a gate"))?,
            control: format!("http://{}", self.forger.address),
            token,
            state_dir: self.folder.join(name),
            listen: vec![loopback],
            admin: Some(loopback),
            pin: self.pin,
            upstreams: self.behind.upstreams.clone(),
            clean_room: Vec::new(),
            pilot: Pilot {
                networks: Vec::new(),
                passes: passes.collect(),
            },
            time_zone: self.landscape.declared().time_zone.clone(),
            clock: self.clock.clone(),
            serving: self.behind.serving(),
        };
        Gate::start(config)
            .await
            .with_context(|| format!("cannot start gate `{name}`"))
    }
}
