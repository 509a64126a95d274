//! Which rule speaks for a cell.
//!
//! In:    a list of [`PolicyRule`], a class, a kind, a stage.
//! Out:   the first rule that matches; none means: never.
//! Never: judges findings or signatures; that is the trust crate's.

use super::{CellKind, Class, PolicyRule};
use crate::finding::FindingKind;
use crate::stage::Stage;

impl PolicyRule {
    /// Whether the rule speaks for such a cell and stage. No rule ever speaks for `closed`.
    pub fn matches(&self, class: Class, kind: CellKind, stage: Stage) -> bool {
        self.class == class
            && stage != Stage::Closed
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
            && (self.stages.is_empty() || self.stages.contains(&stage))
    }
}

/// The first rule that speaks for such a cell and stage.
pub fn rule(
    rules: &[PolicyRule],
    class: Class,
    kind: CellKind,
    stage: Stage,
) -> Option<&PolicyRule> {
    rules.iter().find(|rule| rule.matches(class, kind, stage))
}

/// The same signers for the first opening before any incident: only `commissioned` is demanded.
pub fn normal_rules(rules: &[PolicyRule]) -> Vec<PolicyRule> {
    let normal = |rule: &PolicyRule| PolicyRule {
        findings: vec![FindingKind::Commissioned],
        ..rule.clone()
    };
    rules.iter().map(normal).collect()
}
