//! The tables of routes: path, method, whose it is, how much may come in.
//!
//! In:    each service's table. Out: [`Service`] and [`Route`]. Never: a route without a guard.

use super::ask::{Ask, Reply};
use super::miss::Miss;

/// Who may come to a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// Everyone.
    Public,
    /// Insured people of this insurer.
    Insured,
    /// Clerks of this insurer.
    Clerk,
    /// Both.
    Either,
}

/// How a person shows who they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// `Authorization: Bearer`.
    Token,
    /// A session cookie; forms must come from the insurer's own pages.
    Cookie,
}

/// What a handler is.
pub type Run = fn(&Ask<'_>) -> Result<Reply, Miss>;

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET`, `POST`, `PUT`, `DELETE`.
    pub method: &'static str,
    /// `/lichtbild/api/photos/{id}`.
    pub path: &'static str,
    /// Who may come.
    pub guard: Guard,
    /// By what they show who they are.
    pub proof: Proof,
    /// Largest body. Bytes.
    pub size_max: usize,
    /// Whether it goes on in emergency operation.
    pub in_emergency: bool,
    /// The handler.
    pub run: Run,
}

/// One service.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// First path segment, and the last part of the cell: `epa`.
    pub id: &'static str,
    /// Its routes.
    pub routes: &'static [Route],
    /// Its own error form.
    pub miss: fn(&Ask<'_>, &Miss) -> Reply,
}

/// Largest body of a plain form or JSON. Bytes.
pub const FORM_SIZE_MAX: usize = 64 * 1024;

impl Route {
    /// A route for people with a token.
    pub const fn api(method: &'static str, path: &'static str, guard: Guard, run: Run) -> Self {
        Self {
            method,
            path,
            guard,
            proof: Proof::Token,
            size_max: FORM_SIZE_MAX,
            in_emergency: true,
            run,
        }
    }

    /// A page, or a form on one.
    pub const fn page(method: &'static str, path: &'static str, guard: Guard, run: Run) -> Self {
        Self {
            proof: Proof::Cookie,
            ..Self::api(method, path, guard, run)
        }
    }

    /// The same with another largest body.
    pub const fn takes(self, size_max: usize) -> Self {
        Self { size_max, ..self }
    }

    /// The same, but only in normal operation.
    pub const fn only_normal(self) -> Self {
        Self {
            in_emergency: false,
            ..self
        }
    }

    /// What stands in the gaps of the path; none when it does not fit.
    pub fn gaps(&self, path: &str) -> Option<Vec<String>> {
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        let mut found = Vec::new();
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(found),
                (Some(gap), Some(word)) if gap.starts_with('{') && !word.is_empty() => {
                    found.push(word.to_owned());
                }
                (Some(same), Some(word)) if same == word => {}
                _ => return None,
            }
        }
    }
}

/// Every service of a house.
pub const SERVICES: [Service; 5] = [
    crate::login::SERVICE,
    crate::photo::SERVICE,
    crate::branch::SERVICE,
    crate::record::SERVICE,
    crate::app::SERVICE,
];
