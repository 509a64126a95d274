//! Judges whether one request may pass.
//!
//! In:    a registered [`Visit`], the request's method, path and pass, who is let in early, `now`.
//! Out:   a [`Permit`], or a [`No`].
//! Never: reads a clock, asks anyone, lets anything pass for want of knowledge.
//! See:   docs/formats/gate.md, "Stages".

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use anlauf_model::{Digest, Stage, Timestamp};
use hyper::Method;

use crate::config::{Network, Pilot};
use crate::inflow::{Carry, Comer, Slot};
use crate::request::Proxies;
use crate::table::{Cell, CellState, is_below};
use crate::visit::{Conn, Visit};

/// The proof that one request may pass. Whoever forwards takes it by value.
///
/// Its fields are private and only `judge` makes one: a way around the judge does not compile.
pub struct Permit {
    visit: Visit,
    /// Counts as under way while the permit lives.
    _slot: Option<Slot>,
    carry: Option<Box<Carry>>,
}

/// Why a request does not pass. Shown as calm words, never as blame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum No {
    /// Nobody passes.
    Closed,
    /// Nobody passes until the gate has fresh word; the release is in force.
    Unconfirmed,
    /// Only testers pass yet.
    Testing,
    /// The service is back with fewer functions, and this is not one of them.
    Reduced,
    /// The service is fully back, but fills slowly, and this client is not of the share yet.
    Outside(Again),
    /// The same, and this client stands in line; so many stand before it.
    Waits(Again, u64),
    /// The client is in, but as many requests are under way as may be.
    Busy(Again),
}

/// When it makes sense to ask again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Again {
    /// Seconds.
    pub(crate) seconds: u16,
    /// Whether a page may ask by itself: what it asked for changes nothing.
    pub(crate) reloads: bool,
}

/// A no, and what the client is to carry from here on.
pub(crate) struct Denied {
    pub(crate) no: No,
    pub(crate) carry: Option<Box<Carry>>,
}

/// What the judge has to know of a request.
pub(crate) struct Asked<'a> {
    /// Method.
    pub(crate) method: &'a Method,
    /// Path, in every reading.
    pub(crate) paths: &'a [Cow<'a, str>],
    /// Who asks; none when that is not known.
    pub(crate) client: Option<IpAddr>,
    /// The tester's pass, as sent.
    pub(crate) pass: Option<&'a str>,
    /// How it comes into a cell that fills slowly; none for what cannot stand in line.
    pub(crate) comer: Option<Comer<'a>>,
}

/// Who is let in before everyone.
pub(crate) struct Testers {
    /// The provider's test network.
    pub(crate) clean_room: Vec<Network>,
    /// Testers of tenants.
    pub(crate) pilot: Pilot,
    /// Who may say for whom they ask.
    pub(crate) proxies: Proxies,
}

impl No {
    /// Whether the answer is for this client only.
    pub(crate) fn is_personal(self) -> bool {
        matches!(self, Self::Outside(_) | Self::Waits(..) | Self::Busy(_))
    }
}

impl Permit {
    /// The cell it is for.
    pub(crate) fn cell(&self) -> &Arc<Cell> {
        self.visit.cell()
    }

    /// What the client is to carry from here on, if that changes.
    pub(crate) fn carry(&self) -> Option<&Carry> {
        self.carry.as_deref()
    }

    /// The connection it is for.
    pub(crate) fn conn(&self) -> &Arc<Conn> {
        self.visit.conn()
    }
}

/// Judges. The visit is registered already; a no takes the registration back.
pub(crate) fn judge(
    visit: Visit,
    asked: &Asked<'_>,
    testers: &Testers,
    now: Timestamp,
) -> Result<Permit, Denied> {
    let (stage, is_filling) = visit.cell().state.present(now);
    let answer = match stage {
        Stage::Closed => Err(shut(&visit.cell().state, now)),
        Stage::CleanRoom if testers.is_clean_room(asked) => Ok(()),
        Stage::Pilot if testers.is_pilot(&visit, asked) => Ok(()),
        Stage::CleanRoom | Stage::Pilot => Err(No::Testing),
        Stage::Basic if is_basic(visit.cell(), asked) => Ok(()),
        Stage::Basic => Err(No::Reduced),
        Stage::Full if is_filling => return filling(visit, asked, now),
        Stage::Full => Ok(()),
    };
    match answer {
        Ok(()) => Ok(Permit {
            visit,
            _slot: None,
            carry: None,
        }),
        Err(no) => {
            visit.withdraw();
            Err(Denied { no, carry: None })
        }
    }
}

/// Everyone may pass, but not all at once.
fn filling(visit: Visit, asked: &Asked<'_>, now: Timestamp) -> Result<Permit, Denied> {
    let flow = visit.cell().state.flow();
    let (Some(flow), Some(comer)) = (flow, &asked.comer) else {
        return Ok(Permit {
            visit,
            _slot: None,
            carry: None,
        });
    };
    let cell = (&*visit.cell().state.name, visit.cell().spec.path.as_str());
    let answer = flow.ask(cell, comer, asked.client, now);
    let carry = answer.carry;
    match answer.verdict {
        Ok(slot) => Ok(Permit {
            visit,
            _slot: Some(slot),
            carry,
        }),
        Err(no) => {
            visit.withdraw();
            Err(Denied { no, carry })
        }
    }
}

/// What nobody passes for. The cell is shut.
pub(crate) fn shut(state: &CellState, now: Timestamp) -> No {
    if state.is_stale() && state.released(now) != Stage::Closed {
        No::Unconfirmed
    } else {
        No::Closed
    }
}

impl Testers {
    fn is_clean_room(&self, asked: &Asked<'_>) -> bool {
        is_in(&self.clean_room, asked.client)
    }

    fn is_pilot(&self, visit: &Visit, asked: &Asked<'_>) -> bool {
        if is_in(&self.pilot.networks, asked.client) || self.is_clean_room(asked) {
            return true;
        }
        let (Some(pass), Some(tenant)) = (asked.pass, &visit.cell().spec.tenant) else {
            return false;
        };
        // Digests are compared, so the time it takes tells nothing of the pass.
        let digest = Digest::of(pass.as_bytes());
        self.pilot
            .passes
            .get(tenant)
            .is_some_and(|known| known.contains(&digest))
    }
}

/// Whether somebody known is in one of the networks.
fn is_in(networks: &[Network], client: Option<IpAddr>) -> bool {
    let is_in = |client| networks.iter().any(|network| network.contains(client));
    client.is_some_and(is_in)
}

/// Whether the method may go to the path, however it is read.
fn is_basic(cell: &Cell, asked: &Asked<'_>) -> bool {
    let own = cell.spec.path.trim_end_matches('/');
    asked.paths.iter().all(|path| {
        let Some(rest) = path.strip_prefix(own) else {
            return false;
        };
        cell.basic.iter().any(|(method, path)| {
            let head = asked.method == Method::HEAD && *method == Method::GET;
            (asked.method == method || head) && is_below(rest, path)
        })
    })
}
