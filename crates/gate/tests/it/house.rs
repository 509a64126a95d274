//! One gate with its control plane, ready to be asked.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anlauf_gate::{Gate, GateConfig, GateError, Pilot, Serving, Upstreams};
use anlauf_model::feed::FeedKind;
use anlauf_model::landscape::FreshnessRule;
use anlauf_model::{Epoch, Stage};
use anlauf_trust::Envelope;

use crate::cast::{Cast, GROUND, cell, text};
use crate::control::Control;

pub struct House {
    pub cast: Cast,
    pub control: Control,
    pub gate: Gate,
    pub dir: tempfile::TempDir,
    pub backend: SocketAddr,
}

impl House {
    /// A gate that knows root, policy and table, and nothing is open.
    pub async fn new(backend: SocketAddr) -> Self {
        Self::with(backend, |_| ()).await
    }

    pub async fn with(backend: SocketAddr, change: impl FnOnce(&mut GateConfig)) -> Self {
        Self::of(Cast::new(), backend, change).await
    }

    /// The same where policy asks for fresh word.
    pub async fn fresh(backend: SocketAddr, rules: &[FreshnessRule]) -> Self {
        let mut cast = Cast::new();
        cast.freshness = rules.to_vec();
        Self::of(cast, backend, |_| ()).await
    }

    async fn of(cast: Cast, backend: SocketAddr, change: impl FnOnce(&mut GateConfig)) -> Self {
        let control = Control::new(cast.landscape.gate_table().to_bytes()).await;
        control.push(FeedKind::Root, text(&cast.root_envelope()));
        let last = control.push(FeedKind::Policy, text(&cast.policy_envelope()));
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(&cast, &control.address.to_string(), dir.path(), backend);
        change(&mut config);
        let gate = Gate::start(config).await.unwrap();
        let house = Self {
            cast,
            control,
            gate,
            dir,
            backend,
        };
        house.applied(last).await;
        house
    }

    /// The same with the ground open that everything leans on.
    pub async fn grounded(backend: SocketAddr) -> Self {
        let house = Self::new(backend).await;
        house.ground().await;
        house
    }

    pub async fn ground(&self) {
        for id in GROUND {
            self.open(id, 1, Stage::Full).await;
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.gate.addresses()[0]
    }

    pub fn admin(&self) -> SocketAddr {
        self.gate.admin().unwrap()
    }

    pub async fn applied(&self, seq: u64) {
        let mut progress = self.gate.progress();
        progress
            .wait_for(|progress| progress.applied >= seq)
            .await
            .unwrap();
    }

    pub async fn send(&self, kind: FeedKind, envelope: &Envelope) -> u64 {
        let seq = self.control.push(kind, text(envelope));
        self.applied(seq).await;
        seq
    }

    /// Opens with a full quorum, and sees to it that it worked.
    pub async fn open(&self, id: &str, epoch: u64, stage: Stage) {
        let envelope = self.cast.opening(id, epoch, stage);
        let seq = self.send(FeedKind::Release, &envelope).await;
        let decision = self.control.decision(seq).await;
        assert!(decision.accepted, "{id}: {:?}", decision.reasons);
        assert_eq!(self.stage(id), (stage, Epoch(epoch)));
    }

    pub fn stage(&self, id: &str) -> (Stage, Epoch) {
        self.gate.stage(&cell(id)).unwrap()
    }

    /// Every cell's state, in words.
    pub fn states(&self) -> Vec<String> {
        states(&self.cast, &self.gate)
    }

    /// What a second gate would start with.
    pub fn config(&self, control: &str, dir: &Path) -> GateConfig {
        config(&self.cast, control, dir, self.backend)
    }

    /// A second gate on another folder that hears of nobody.
    pub async fn alone(&self, dir: &Path) -> Result<Gate, GateError> {
        // Nobody serves port 9 (discard): a refused connection is a control plane that is away.
        Gate::start(self.config("127.0.0.1:9", dir)).await
    }
}

pub fn states(cast: &Cast, gate: &Gate) -> Vec<String> {
    let one = |id| match gate.stage(id) {
        Some((stage, epoch)) => format!("{id} {stage} {}", epoch.0),
        None => format!("{id} unknown"),
    };
    cast.landscape.cells().keys().map(one).collect()
}

pub fn config(cast: &Cast, control: &str, dir: &Path, backend: SocketAddr) -> GateConfig {
    GateConfig {
        id: "gate-1".parse().unwrap(),
        control: format!("http://{control}"),
        token: "secret".into(),
        state_dir: dir.to_owned(),
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        admin: Some("127.0.0.1:0".parse().unwrap()),
        pin: cast.pin(),
        upstreams: Upstreams {
            default: Some(format!("http://{backend}")),
            ..Upstreams::default()
        },
        clean_room: Vec::new(),
        pilot: Pilot::default(),
        time_zone: "Europe/Berlin".into(),
        clock: Arc::clone(&cast.clock) as Arc<dyn anlauf_gate::Clock>,
        serving: Serving::default(),
    }
}
