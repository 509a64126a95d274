//! Mistakes that somebody could make in earnest, each switched on for one run.
//!
//! In:    nothing. Out: [`Mutant`], read where this crate wraps the product's core.
//! Never: known to any other crate: the product has no switch for its own mistakes.
//! See:   docs/mutants.md, which lists them with who finds them.

/// A mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// A gate does not look at signatures.
    GateBelieves,
    /// A gate counts signatures, the same one twice too.
    GateCountsSignatures,
    /// A gate counts keys: two keys of one person are two persons.
    GateCountsKeys,
    /// A gate counts anybody's word for any role's.
    GateIgnoresRole,
    /// A gate counts any tenant's word for a cell, not its own tenant's only.
    GateTakesAnyTenant,
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
    /// A gate opens on a release that was signed under a policy of before.
    GateTakesPastPolicy,
    /// A gate takes a next root by the new root's own threshold.
    GateTakesForeignRoot,
    /// A gate goes back to a root of before.
    GateTakesOldRoot,
    /// A gate leaves open what a key has helped to open that a next root no longer names.
    GateKeepsRevoked,
    /// A gate opens every cell of the owner whose release it holds.
    GateOpensNeighbours,
    /// A gate opens to everyone whatever the stage.
    GateOpensWide,
    /// A gate opens only the first cell of a wave.
    GateOpensPart,
    /// A gate opens a cell while one that it needs is shut.
    GateSkipsNeeds,
    /// A gate shuts on the word of whoever signs.
    GateTakesAnyClose,
    /// A gate does not shut on the word of a machine that may.
    GateRefusesAutomation,
    /// A gate acknowledges a close before its disk has it.
    GateClosesBeforeDisk,
    /// A gate opens before its disk has the release.
    GateOpensBeforeDisk,
    /// A gate cuts off the whole line before a torn one too.
    GateDropsTail,
    /// A gate believes its wall clock, whatever it does.
    GateBelievesWall,
    /// A gate does not hold its clock against what it wrote down.
    GateForgetsTime,
    /// A gate opens on what lies on its disk, unverified.
    GateTrustsDisk,
    /// A gate opens after a start before it has fresh word.
    GateOpensUnproven,
    /// A gate takes any answer to a beacon, whatever was asked and whenever it was given.
    GateTakesAnyBeacon,
    /// A gate takes fresh word without having read the feed that it tells of.
    GateReadsNoFeed,
    /// A gate leaves open what has gone without fresh word for too long.
    GateIgnoresStale,
    /// The control plane lets everyone read what is a tenant's.
    PlaneTellsEveryone,
    /// The control plane changes an entry that was acknowledged.
    PlaneRewrites,
    /// The control plane acknowledges an entry and does not keep it.
    PlaneLosesEntry,
    /// The control plane acknowledges before the disk has the entry.
    PlaneAcknowledgesEarly,
    /// The control plane does a repeated command again.
    PlaneRepeats,
    /// The control plane carries out releases that lack signatures.
    PlaneReleasesAlone,
    /// The control plane never hands one service's releases to the gates.
    PlaneWithholds,
    /// The control plane drops a close instead of handing it on.
    PlaneSwallowsCloses,
    /// Witnesses sign a tree that does not grow out of the one they signed last.
    WitnessSignsAll,
    /// Who watches asks two of four witnesses: 2k > n + f does not hold.
    WatchAsksTwo,
    /// Who watches does not hold a tree against the one seen last.
    WatchForgets,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Mutant; 42] = [
        Mutant::GateBelieves,
        Mutant::GateCountsSignatures,
        Mutant::GateCountsKeys,
        Mutant::GateIgnoresRole,
        Mutant::GateTakesAnyTenant,
        Mutant::GateForgetsEpoch,
        Mutant::GateBurnsNothing,
        Mutant::GateIgnoresEnd,
        Mutant::GateLosesCloses,
        Mutant::GateIgnoresWideCloses,
        Mutant::GateTakesOldPolicy,
        Mutant::GateTakesPastPolicy,
        Mutant::GateTakesForeignRoot,
        Mutant::GateTakesOldRoot,
        Mutant::GateKeepsRevoked,
        Mutant::GateOpensNeighbours,
        Mutant::GateOpensWide,
        Mutant::GateOpensPart,
        Mutant::GateSkipsNeeds,
        Mutant::GateTakesAnyClose,
        Mutant::GateRefusesAutomation,
        Mutant::GateClosesBeforeDisk,
        Mutant::GateOpensBeforeDisk,
        Mutant::GateDropsTail,
        Mutant::GateBelievesWall,
        Mutant::GateForgetsTime,
        Mutant::GateTrustsDisk,
        Mutant::GateOpensUnproven,
        Mutant::GateTakesAnyBeacon,
        Mutant::GateReadsNoFeed,
        Mutant::GateIgnoresStale,
        Mutant::PlaneTellsEveryone,
        Mutant::PlaneRewrites,
        Mutant::PlaneLosesEntry,
        Mutant::PlaneAcknowledgesEarly,
        Mutant::PlaneRepeats,
        Mutant::PlaneReleasesAlone,
        Mutant::PlaneWithholds,
        Mutant::PlaneSwallowsCloses,
        Mutant::WitnessSignsAll,
        Mutant::WatchAsksTwo,
        Mutant::WatchForgets,
    ];

    /// By its name: `GateBelieves`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mutant| format!("{mutant:?}") == name)
    }

    /// The checker that finds it.
    pub const fn checker(self) -> &'static str {
        match self {
            Mutant::GateBelieves
            | Mutant::GateCountsSignatures
            | Mutant::GateCountsKeys
            | Mutant::GateIgnoresRole
            | Mutant::GateTakesAnyTenant
            | Mutant::GateForgetsEpoch
            | Mutant::GateBurnsNothing
            | Mutant::GateIgnoresEnd
            | Mutant::GateLosesCloses
            | Mutant::GateIgnoresWideCloses
            | Mutant::GateKeepsRevoked
            | Mutant::GateOpensNeighbours
            | Mutant::GateOpensWide
            | Mutant::GateTrustsDisk => "gate",
            Mutant::GateTakesOldPolicy | Mutant::GateTakesPastPolicy => "policy",
            Mutant::GateTakesForeignRoot | Mutant::GateTakesOldRoot => "root",
            Mutant::GateOpensPart => "wave",
            Mutant::GateSkipsNeeds => "needs",
            Mutant::GateTakesAnyClose
            | Mutant::GateRefusesAutomation
            | Mutant::PlaneSwallowsCloses => "close",
            Mutant::GateClosesBeforeDisk | Mutant::GateOpensBeforeDisk | Mutant::GateDropsTail => {
                "memory"
            }
            Mutant::GateBelievesWall | Mutant::GateForgetsTime => "time",
            Mutant::GateOpensUnproven
            | Mutant::GateTakesAnyBeacon
            | Mutant::GateReadsNoFeed
            | Mutant::GateIgnoresStale => "fresh",
            Mutant::PlaneTellsEveryone => "scope",
            Mutant::PlaneRewrites | Mutant::PlaneLosesEntry | Mutant::PlaneAcknowledgesEarly => {
                "ledger"
            }
            Mutant::PlaneRepeats => "repeat",
            Mutant::PlaneReleasesAlone => "release",
            Mutant::PlaneWithholds => "liveness",
            Mutant::WitnessSignsAll | Mutant::WatchAsksTwo => "fork",
            Mutant::WatchForgets => "shrink",
        }
    }

    /// Whether it is one about fresh word, and shows only where policy asks for it.
    pub fn is_about_freshness(self) -> bool {
        self.checker() == "fresh"
    }

    /// The seed from which on it is looked for: where it was found when the list was made.
    pub const fn seed(self) -> u64 {
        match self {
            Mutant::GateForgetsEpoch => 17,
            Mutant::GateTakesAnyTenant => 14,
            Mutant::GateClosesBeforeDisk => 12,
            Mutant::GateRefusesAutomation => 10,
            Mutant::GateCountsKeys | Mutant::GateOpensBeforeDisk | Mutant::GateTakesPastPolicy => 4,
            Mutant::GateBurnsNothing | Mutant::GateForgetsTime => 3,
            Mutant::GateKeepsRevoked
            | Mutant::GateTakesAnyClose
            | Mutant::GateDropsTail
            | Mutant::WatchAsksTwo => 2,
            _ => 1,
        }
    }
}
