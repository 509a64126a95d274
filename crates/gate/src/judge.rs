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
use crate::request::Proxies;
use crate::table::{Cell, is_below};
use crate::visit::{Conn, Visit};

/// The proof that one request may pass. Whoever forwards takes it by value.
///
/// Its fields are private and only `judge` makes one: a way around the judge does not compile.
pub struct Permit {
    visit: Visit,
}

/// Why a request does not pass. Shown as calm words, never as blame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum No {
    /// Nobody passes.
    Closed,
    /// Only testers pass yet.
    Testing,
    /// The service is back with fewer functions, and this is not one of them.
    Reduced,
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

impl Permit {
    /// The cell it is for.
    pub(crate) fn cell(&self) -> &Arc<Cell> {
        self.visit.cell()
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
) -> Result<Permit, No> {
    let answer = match visit.cell().state.stage(now) {
        Stage::Closed => Err(No::Closed),
        Stage::CleanRoom if testers.is_clean_room(asked) => Ok(()),
        Stage::Pilot if testers.is_pilot(&visit, asked) => Ok(()),
        Stage::CleanRoom | Stage::Pilot => Err(No::Testing),
        Stage::Basic if is_basic(visit.cell(), asked) => Ok(()),
        Stage::Basic => Err(No::Reduced),
        Stage::Full => Ok(()),
    };
    match answer {
        Ok(()) => Ok(Permit { visit }),
        Err(no) => {
            visit.withdraw();
            Err(no)
        }
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
