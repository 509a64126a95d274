//! The services of the founding case as real servers: what stands behind the gate and comes back
//! through it, insurer by insurer.
//!
//! In:    requests of insured people and clerks, by host name (insurer) and path (service).
//! Out:   answers in each protocol's own form: HTML, OAuth errors, problem+json, OperationOutcome.
//! Never: data of a real person; an answer of one insurer to a token of another (that is 404);
//!        decides whether a cell is open: the gate does, these services do not know it exists.
//! See:   docs/guide/reference.md.
//!
//! # The rooms
//!
//! | room | path | what it is | emergency operation |
//! |---|---|---|---|
//! | [`kernel`] | - | insurers, synthetic people, store, routing, problem words, log | - |
//! | [`login`] | `/idp` | OpenID Connect issuer; the checks of its tokens | none |
//! | [`photo`] | `/lichtbild` | card photo: checks, clerk's desk, card order | intake only |
//! | [`branch`] | `/og` | online branch: my data, address, messages; drafts | reading only |
//! | [`app`] | `/app` | installable web app over the same API, state of services | offline shell |
//! | [`mail`] | SMTP | a mailbox per person, a queueing sender | none |
//! | [`record`] | `/epa` | FHIR R4 record, sealed at rest, access log | reading only |
//!
//! # How a request flows
//!
//! 1. `kernel/front.rs`: host to insurer, first path segment to service, table of routes to
//!    handler. The body is read up to the route's own limit.
//! 2. `kernel/guard.rs`: who asks (bearer token or session cookie) and whether the route is theirs.
//!    A route names its guard in the table, so that none can be forgotten.
//! 3. The handler, a plain function on a thread that may block, answers or misses.
//! 4. A miss becomes the service's own error form.
//!
//! # What is stored where
//!
//! Each insurer has a folder of its own with `house.sqlite` (people, logins, photos, card orders,
//! messages, drafts), `record.sqlite` (patient records, sealed), `mail` and `login.key`. One
//! insurer can be damaged and restored without touching another. The master key of the records lies
//! elsewhere, and beside it which insurers ever had data.

pub mod app;
pub mod branch;
pub mod kernel;
pub mod login;
pub mod mail;
pub mod photo;
pub mod record;
