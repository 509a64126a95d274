//! One route: what the router serves and what the document says of it, in one place.
//!
//! In:    the nouns' files. Out: [`Route`]. Never: a route that the document does not know.

use std::sync::Arc;

use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};

use super::shape::Shape;
use crate::Web;

/// What is done with a thing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Method {
    /// Read.
    Get,
    /// Change, or make.
    Post,
}

/// Who may use a route. The handler's arguments hold it; here it is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// Anyone, without a login.
    Open,
    /// Every login but those of gates and the public.
    Person,
    /// Logins that read everything: the provider's people, auditors, forensics, automations.
    Provider,
    /// Gates only.
    Gate,
}

/// One route.
pub(crate) struct Route {
    /// What is done.
    pub(crate) method: Method,
    /// Below `/api/v1`, in the router's own form: `/tenants/{id}`.
    pub(crate) path: &'static str,
    /// Noun it belongs to.
    pub(crate) tag: &'static str,
    /// One line.
    pub(crate) summary: &'static str,
    /// Who may.
    pub(crate) access: Access,
    /// Names of the query, each with what it means.
    pub(crate) query: Vec<(&'static str, Shape)>,
    /// What is sent.
    pub(crate) body: Option<Shape>,
    /// What comes back with 200.
    pub(crate) answer: Shape,
    /// Content type of the answer.
    pub(crate) content: &'static str,
    /// Statuses besides 200, 400 and 401, with what they mean here.
    pub(crate) problems: Vec<(u16, &'static str)>,
    /// Serves it.
    pub(crate) serve: MethodRouter<Arc<Web>>,
}

impl Route {
    /// A route that reads.
    pub(crate) fn get<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Web>>,
        T: 'static,
    {
        Self::new(Method::Get, (path, summary), get(handler))
    }

    /// A route that changes or makes something.
    pub(crate) fn post<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Web>>,
        T: 'static,
    {
        Self::new(Method::Post, (path, summary), post(handler))
    }

    fn new(
        method: Method,
        (path, summary): (&'static str, &'static str),
        serve: MethodRouter<Arc<Web>>,
    ) -> Self {
        let tag = path.split('/').nth(1).unwrap_or("").split('.').next();
        Self {
            method,
            path,
            tag: tag.unwrap_or(""),
            summary,
            access: Access::Person,
            query: Vec::new(),
            body: None,
            answer: Shape::Any("see the summary"),
            content: "application/json",
            problems: Vec::new(),
            serve,
        }
    }

    /// Who may use it.
    pub(crate) fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// A name of the query.
    pub(crate) fn query(mut self, name: &'static str, shape: Shape) -> Self {
        self.query.push((name, shape));
        self
    }

    /// What is sent.
    pub(crate) fn body(mut self, shape: Shape) -> Self {
        self.body = Some(shape);
        self
    }

    /// What comes back.
    pub(crate) fn answer(mut self, shape: Shape) -> Self {
        self.answer = shape;
        self
    }

    /// The answer is not JSON but this.
    pub(crate) fn content(mut self, content: &'static str) -> Self {
        self.content = content;
        self
    }

    /// Another status, and what it means here.
    pub(crate) fn problem(mut self, status: u16, says: &'static str) -> Self {
        self.problems.push((status, says));
        self
    }
}
