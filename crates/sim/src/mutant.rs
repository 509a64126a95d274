//! Mistakes that somebody could make in earnest, each switched on for one run.
//!
//! In:    nothing. Out: [`Mutant`], read by this crate's own gate and by its wrapper around the
//!        state machine.
//! Never: known to any other crate: the product has no switch for its own mistakes.

/// A mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// A gate opens on what the control plane hands it, unverified.
    GateBelieves,
    /// A gate counts signatures instead of persons.
    GateCountsSignatures,
    /// A gate does not look at epochs.
    GateForgetsEpoch,
    /// A gate shuts on a close but does not remember its epoch.
    GateBurnsNothing,
    /// A gate leaves open what has run out.
    GateIgnoresEnd,
    /// A gate does not keep closings over a restart.
    GateLosesCloses,
    /// A gate shuts only cells that a close names one by one.
    GateIgnoresWideCloses,
    /// A gate takes a policy of any version.
    GateTakesOldPolicy,
    /// A gate opens every cell of the owner whose release it holds.
    GateOpensNeighbours,
    /// A gate opens to everyone whatever the stage.
    GateOpensWide,
    /// A gate counts any tenant's word for a cell, not its own tenant's only.
    GateTakesAnyTenant,
    /// The control plane lets everyone read what is a tenant's.
    PlaneTellsEveryone,
    /// The control plane changes an entry that was acknowledged.
    PlaneRewrites,
    /// The control plane acknowledges an entry and does not keep it.
    PlaneLosesEntry,
    /// The control plane does a repeated command again.
    PlaneRepeats,
    /// The control plane carries out releases that lack signatures.
    PlaneReleasesAlone,
    /// The control plane never hands one service's releases to the gates.
    PlaneWithholds,
    /// The control plane drops a close instead of handing it on.
    PlaneSwallowsCloses,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Mutant; 18] = [
        Mutant::GateBelieves,
        Mutant::GateCountsSignatures,
        Mutant::GateForgetsEpoch,
        Mutant::GateBurnsNothing,
        Mutant::GateIgnoresEnd,
        Mutant::GateLosesCloses,
        Mutant::GateIgnoresWideCloses,
        Mutant::GateTakesOldPolicy,
        Mutant::GateOpensNeighbours,
        Mutant::GateOpensWide,
        Mutant::GateTakesAnyTenant,
        Mutant::PlaneTellsEveryone,
        Mutant::PlaneRewrites,
        Mutant::PlaneLosesEntry,
        Mutant::PlaneRepeats,
        Mutant::PlaneReleasesAlone,
        Mutant::PlaneWithholds,
        Mutant::PlaneSwallowsCloses,
    ];
}
