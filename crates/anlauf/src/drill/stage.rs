//! Sets the stage: control plane, relay, gates, backends and everyone's logins, all on loopback.
//!
//! In:    landscape, story, an empty folder. Out: a [`Set`] in which everything runs and is shut.
//! Never: a part that `anlauf serve` and `anlauf gate` do not run in earnest, but for backends,
//!        clients and the attacker.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anlauf_gate::{Gate, GateConfig, Pilot, Serving, Upstreams};
use anlauf_model::{Digest, Landscape, Language, Minutes, Role, SiteId};
use anlauf_store::{Desk as Control, DeskConfig};
use anlauf_web::Web;
use anyhow::{Context, Result};

use super::backend::Backend;
use super::ceremony;
use super::clock::DrillClock;
use super::desk::Desk;
use super::forger::Forger;
use super::order::Order;
use super::party::Parties;
use super::play::Scene;
use super::show::Show;
use super::story::Story;
use super::tally::Tally;
use super::traffic::Traffic;
use super::{Args, Speed};
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
    let control = Control::open(DeskConfig {
        data_dir: folder.to_owned(),
        domain: None,
        clock: clock.clone(),
        signer: parties.log_key(),
        origin: origin(&landscape),
    })?;
    let web = web(args, &control, folder, (book, &parties));
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let server = Server::start(listen, anlauf_web::router(web)).await?;
    let forger = Forger::start(server.address).await?;

    let (backends, upstreams) = backends(&landscape).await?;
    let root = ceremony::root(&landscape, &parties, clock.get());
    let builder = GateBuilder {
        landscape: &landscape,
        folder,
        forger: &forger,
        upstreams,
        clock: &clock,
        pin: root.digest(),
    };
    let gates = builder.start_all(&parties).await?;
    let addresses: Vec<SocketAddr> = gates.iter().flat_map(Gate::addresses).collect();
    let admins = gates.iter().filter_map(Gate::admin).collect();
    let traffic = Traffic::new(&landscape, &addresses);
    let scene = Scene {
        desk: Desk::new(server.address),
        gates: addresses,
        admins,
        traffic,
        forger,
        tally: Tally::default(),
        show: Show::new(language, args.quiet, &landscape.declared().time_zone),
        language,
        speed: match args.speed {
            Speed::Times(times) => Some(times),
            Speed::Max => None,
        },
        steps: args.steps,
        samples: args.samples,
        clients: args.clients,
        later: BTreeMap::new(),
        impatient: false,
        order: Order::new(&landscape),
        waiting: BTreeMap::new(),
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

/// Name of the ledger in its checkpoints.
pub fn origin(landscape: &Landscape) -> String {
    format!("anlauf/{}", ceremony::domain(landscape))
}

struct GateBuilder<'a> {
    landscape: &'a Landscape,
    folder: &'a Path,
    forger: &'a Forger,
    upstreams: BTreeMap<SiteId, String>,
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
            upstreams: Upstreams {
                sites: self.upstreams.clone(),
                ..Upstreams::default()
            },
            clean_room: Vec::new(),
            pilot: Pilot {
                networks: Vec::new(),
                passes: passes.collect(),
            },
            time_zone: self.landscape.declared().time_zone.clone(),
            clock: self.clock.clone(),
            serving: Serving::default(),
        };
        Gate::start(config)
            .await
            .with_context(|| format!("cannot start gate `{name}`"))
    }
}
