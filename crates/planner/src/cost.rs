//! What a schedule costs: harm × insured × hours of restriction.
//!
//! In:    openings. Out: weighted minutes inside, weighted hours at the border.
//! Never: overflows; a cost too large for the border is the largest number there is.
//!
//! Every cell counts from the beginning of the incident, also one that was open in between: that
//! moves objective and bound by the same amount and the order not at all.

use crate::calendar::Minute;
use crate::network::Network;

/// Σ weight × minutes from the beginning of the restriction to the opening.
pub(crate) fn weighted_minutes(network: &Network<'_>, open: &[Minute]) -> u128 {
    let cost = |(node, open): (&crate::network::Node<'_>, &Minute)| {
        node.weight
            .saturating_mul((open - node.began).max(0).unsigned_abs().into())
    };
    network
        .nodes
        .iter()
        .zip(open)
        .map(cost)
        .fold(0, u128::saturating_add)
}

/// Weighted minutes as whole weighted hours.
pub(crate) fn weighted_hours(minutes: u128) -> u64 {
    u64::try_from(minutes / 60).unwrap_or(u64::MAX)
}
