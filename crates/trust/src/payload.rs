//! Statements as signed bytes, and back.
//!
//! In:    a statement, or bytes that may be one.
//! Out:   the one canonical byte form, or every reason why the bytes are none.
//! Never: accepts bytes that it would not have written itself: one statement, one byte form.
//! See:   in-toto Statement v1, docs/formats/statement.md.

use std::collections::BTreeSet;

use anlauf_model::limits::{
    DELEGATION_KEY_COUNT_MAX, ENVELOPE_SIZE_MAX, ID_SIZE_MAX, REASON_SIZE_MAX, WAVE_CELL_COUNT_MAX,
};
use anlauf_model::{CellId, Digest};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::fresh::Freshness;
use crate::statement::{
    Close, Delegation, Finding, Policy, Release, Root, Scope, Statement, TYPE_BREAK_GLASS,
    TYPE_CLOSE, TYPE_DELEGATION, TYPE_FINDING, TYPE_FRESHNESS, TYPE_POLICY, TYPE_RELEASE,
    TYPE_ROOT,
};
use anlauf_keys::refusal::{Reason, Refusal, plain};
use anlauf_keys::strict;

/// `_type` of every statement.
pub const TYPE_STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// Largest version or epoch: 2^53 - 1, the largest whole number every JSON reader keeps
/// (RFC 7493 §2.2); also leaves room to count on.
pub const NUMBER_MAX: u64 = (1 << 53) - 1;

/// Fields of a release this verifier understands: what `critical` may name.
const CRITICAL_KNOWN: &str =
    "domain cells stage notBefore notAfter rootVersionMin policy plan reason";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<P> {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: P,
}

/// What a statement is about, for readers that know in-toto but not this predicate.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: SubjectDigest,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectDigest {
    sha256: Digest,
}

/// Everything is signed for one domain.
trait InDomain {
    fn domain(&self) -> &str;
}

trait Predicate: InDomain + Serialize + DeserializeOwned {
    const TYPES: &'static [&'static str];

    /// The one of them it is written under.
    fn claim(&self) -> &'static str {
        Self::TYPES[0]
    }

    /// Takes over what the type alone says.
    fn take_claim(&mut self, _claim: &str) {}

    /// Follows from the predicate alone.
    fn subjects(&self) -> Vec<Subject>;

    /// What is wrong with it whoever signs it.
    fn faults(&self) -> Vec<Reason>;
}

macro_rules! bytes_of {
    ($($statement:ident),*) => {$(
        impl InDomain for $statement {
            fn domain(&self) -> &str { &self.domain }
        }

        impl $statement {
            /// The canonical bytes to sign.
            pub fn to_payload(&self) -> Vec<u8> {
                to_payload(self)
            }

            /// Parses the bytes strictly.
            ///
            /// # Errors
            /// They are not exactly the canonical form of such a statement within its limits.
            pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
                parse_as(payload, &head(payload)?)
            }
        }
    )*};
}

bytes_of!(Root, Policy, Delegation, Finding, Release, Close, Freshness);

impl Statement {
    /// Parses the bytes strictly as the statement they claim to be.
    ///
    /// # Errors
    /// They are not exactly the canonical form of one of the statements within its limits.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        let claim = head(payload)?;
        match claim.as_str() {
            TYPE_ROOT => parse_as(payload, &claim).map(Statement::Root),
            TYPE_POLICY => parse_as(payload, &claim).map(Statement::Policy),
            TYPE_DELEGATION => parse_as(payload, &claim).map(Statement::Delegation),
            TYPE_FINDING => parse_as(payload, &claim).map(Statement::Finding),
            TYPE_RELEASE | TYPE_BREAK_GLASS => parse_as(payload, &claim).map(Statement::Release),
            TYPE_CLOSE => parse_as(payload, &claim).map(Statement::Close),
            other => Err(other_type(other, "one of this product's")),
        }
    }
}

fn to_payload<P: Predicate>(predicate: &P) -> Vec<u8> {
    let form = Form {
        statement_type: TYPE_STATEMENT.to_owned(),
        subject: predicate.subjects(),
        predicate_type: predicate.claim().to_owned(),
        predicate,
    };
    serde_json::to_vec(&form).expect("statements have only string keys")
}

/// The predicate type, from bytes that have the outer form of a statement.
pub(crate) fn head(payload: &[u8]) -> Result<String, Refusal> {
    if payload.len() > ENVELOPE_SIZE_MAX {
        let message = format!(
            "{} bytes, a statement holds at most {ENVELOPE_SIZE_MAX}; split the wave",
            payload.len()
        );
        return Err(Refusal::one("AN-TRU-001", message));
    }
    // Without its contents, to see what it claims to be.
    let head: Form<IgnoredAny> = strict::parse(payload).map_err(|why| malformed(&why))?;
    if head.statement_type != TYPE_STATEMENT {
        return Err(other_type(&head.statement_type, TYPE_STATEMENT));
    }
    Ok(head.predicate_type)
}

fn parse_as<P: Predicate>(payload: &[u8], claim: &str) -> Result<P, Refusal> {
    if !P::TYPES.contains(&claim) {
        return Err(other_type(claim, P::TYPES[0]));
    }
    let mut form: Form<P> = strict::parse(payload).map_err(|why| malformed(&why))?;
    form.predicate.take_claim(claim);
    let mut reasons = form.predicate.faults();
    reasons.extend(domain_faults(form.predicate.domain()));
    if form.subject != form.predicate.subjects() {
        let message = "the subjects are not those that follow from the predicate; draw it up again";
        reasons.push(Reason::new("AN-TRU-007", message));
    }
    Refusal::unless_empty(reasons)?;
    // Spaces, order of fields, other spellings of a number or a time: all parse to the same value,
    // so the bytes could differ where the meaning seems not to. There is one form only.
    if to_payload(&form.predicate) != payload {
        return Err(malformed("it is not in canonical form"));
    }
    Ok(form.predicate)
}

fn malformed(why: &str) -> Refusal {
    let message = format!("the statement is malformed: {why}; draw it up again and sign that");
    Refusal::one("AN-TRU-005", message)
}

fn other_type(got: &str, expected: &str) -> Refusal {
    let message = format!(
        "statement type `{}` where `{expected}` was expected; send that",
        plain(got, 80)
    );
    Refusal::one("AN-TRU-006", message)
}

/// A name with the digest of the text that says what is meant.
fn subject(name: impl Into<String>, meant: &str) -> Subject {
    subject_digest(name, Digest::of(meant.as_bytes()))
}

fn subject_digest(name: impl Into<String>, sha256: Digest) -> Subject {
    Subject {
        name: name.into(),
        digest: SubjectDigest { sha256 },
    }
}

impl Predicate for Root {
    const TYPES: &'static [&'static str] = &[TYPE_ROOT];

    fn subjects(&self) -> Vec<Subject> {
        vec![subject(
            &self.domain,
            &format!("{}:root@{}", self.domain, self.version),
        )]
    }

    fn faults(&self) -> Vec<Reason> {
        number_faults("version", self.version).into_iter().collect()
    }
}

impl Predicate for Policy {
    const TYPES: &'static [&'static str] = &[TYPE_POLICY];

    fn subjects(&self) -> Vec<Subject> {
        vec![subject_digest("table", self.table)]
    }

    fn faults(&self) -> Vec<Reason> {
        number_faults("version", self.version).into_iter().collect()
    }
}

impl Predicate for Delegation {
    const TYPES: &'static [&'static str] = &[TYPE_DELEGATION];

    fn subjects(&self) -> Vec<Subject> {
        let (domain, tenant) = (&self.domain, &self.tenant);
        let meant = format!("{domain}:delegation:{tenant}@{}", self.version);
        vec![subject(format!("tenant/{tenant}"), &meant)]
    }

    fn faults(&self) -> Vec<Reason> {
        let mut faults: Vec<Reason> = number_faults("version", self.version).into_iter().collect();
        let count = self.keys.len();
        if !(1..=DELEGATION_KEY_COUNT_MAX).contains(&count) {
            let message = format!("{count} keys, a tenant has 1 to {DELEGATION_KEY_COUNT_MAX}");
            faults.push(Reason::new("AN-TRU-009", message));
        }
        faults
    }
}

impl Predicate for Finding {
    const TYPES: &'static [&'static str] = &[TYPE_FINDING];

    fn subjects(&self) -> Vec<Subject> {
        let (domain, kind, evidence) = (&self.domain, self.kind, self.evidence);
        let one = |name: String| {
            let meant = format!("{domain}:finding:{kind}:{name}@{evidence}");
            subject(name, &meant)
        };
        match self.cells.is_empty() {
            true => vec![one("incident".to_owned())],
            false => self
                .cells
                .iter()
                .map(|cell| one(cell.to_string()))
                .collect(),
        }
    }

    fn faults(&self) -> Vec<Reason> {
        let mut faults: Vec<Reason> = reason_faults(&self.note).into_iter().collect();
        match (self.kind.is_incident_wide(), self.cells.is_empty()) {
            (false, _) => faults.extend(cells_faults(self.cells.iter())),
            (true, true) => {}
            (true, false) => {
                let message = format!("{} speaks for the incident; name no cell", self.kind);
                faults.push(Reason::new("AN-TRU-009", message));
            }
        }
        faults
    }
}

impl Predicate for Release {
    const TYPES: &'static [&'static str] = &[TYPE_RELEASE, TYPE_BREAK_GLASS];

    fn claim(&self) -> &'static str {
        self.predicate_type()
    }

    fn take_claim(&mut self, claim: &str) {
        self.break_glass = claim == TYPE_BREAK_GLASS;
    }

    fn subjects(&self) -> Vec<Subject> {
        let kind = if self.break_glass { "break-glass:" } else { "" };
        let one = |cell: &crate::ReleaseCell| {
            let meant = format!("{}:{kind}{}@{}", self.domain, cell.cell, cell.epoch.0);
            subject(cell.cell.to_string(), &meant)
        };
        self.cells.iter().map(one).collect()
    }

    fn faults(&self) -> Vec<Reason> {
        let mut faults: Vec<Reason> = number_faults("rootVersionMin", self.root_version_min)
            .into_iter()
            .collect();
        faults.extend(reason_faults(&self.reason));
        if self.reason.trim().is_empty() {
            let message = "no reason is given; say why the cells may open";
            faults.push(Reason::new("AN-TRU-009", message));
        }
        faults.extend(cells_faults(self.cells.iter().map(|bound| &bound.cell)));
        for cell in &self.cells {
            faults.extend(number_faults("epoch", cell.epoch.0));
        }
        for name in &self.critical {
            if !CRITICAL_KNOWN.split(' ').any(|known| known == name) {
                let name = plain(name, 80);
                let message =
                    format!("`{name}` is critical but unknown here; update this verifier");
                faults.push(Reason::new("AN-TRU-008", message));
            }
        }
        faults
    }
}

impl Predicate for Close {
    const TYPES: &'static [&'static str] = &[TYPE_CLOSE];

    fn subjects(&self) -> Vec<Subject> {
        let (name, list) = match &self.scope {
            Scope::Everything => ("everything".to_owned(), String::new()),
            Scope::Site(site) => (format!("site/{site}"), String::new()),
            Scope::Tenant(tenant) => (format!("tenant/{tenant}"), String::new()),
            Scope::Service(service) => (format!("service/{service}"), String::new()),
            Scope::Cells(cells) => {
                let names: Vec<_> = cells.iter().map(ToString::to_string).collect();
                ("cells".to_owned(), names.join(","))
            }
        };
        let meant = format!("{}:close:{name}:{list}@{}", self.domain, self.epoch.0);
        vec![subject(name, &meant)]
    }

    fn faults(&self) -> Vec<Reason> {
        let mut faults: Vec<Reason> = number_faults("epoch", self.epoch.0).into_iter().collect();
        faults.extend(reason_faults(&self.reason));
        if matches!(&self.scope, Scope::Cells(cells) if cells.is_empty()) {
            let message = "the scope names no cell; name at least one, or a wider scope";
            faults.push(Reason::new("AN-TRU-009", message));
        }
        faults
    }
}

impl Predicate for Freshness {
    const TYPES: &'static [&'static str] = &[TYPE_FRESHNESS];

    fn subjects(&self) -> Vec<Subject> {
        vec![subject_digest(format!("gate/{}", self.gate), self.beacon)]
    }

    fn faults(&self) -> Vec<Reason> {
        number_faults("head", self.head).into_iter().collect()
    }
}

fn domain_faults(domain: &str) -> Option<Reason> {
    let legal = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    let fits = (1..=ID_SIZE_MAX).contains(&domain.len()) && domain.bytes().all(legal);
    (!fits).then(|| {
        let got = plain(domain, 80);
        let message = format!("`{got}` is not a domain id: 1 to 63 of a-z, 0-9, `-` and `.`");
        Reason::new("AN-TRU-009", message)
    })
}

/// 1 to 2,000 cells, each once, of one owner: so each party reads and signs only its own.
fn cells_faults<'c>(cells: impl ExactSizeIterator<Item = &'c CellId>) -> Vec<Reason> {
    let mut faults = Vec::new();
    let count = cells.len();
    if !(1..=WAVE_CELL_COUNT_MAX).contains(&count) {
        let message = format!("{count} cells; name 1 to {WAVE_CELL_COUNT_MAX}");
        faults.push(Reason::new("AN-TRU-009", message));
    }
    let (mut seen, mut owners) = (BTreeSet::new(), BTreeSet::new());
    for cell in cells {
        owners.insert(cell.owner());
        if !seen.insert(cell) {
            let message = format!("`{cell}` is named twice; name each cell once");
            faults.push(Reason::new("AN-TRU-009", message));
        }
    }
    if owners.len() > 1 {
        let message = "cells of several owners; make one statement per owner";
        faults.push(Reason::new("AN-TRU-021", message));
    }
    faults
}

fn number_faults(what: &str, number: u64) -> Option<Reason> {
    (number > NUMBER_MAX).then(|| {
        let message = format!("{what} {number} is too large; at most {NUMBER_MAX}");
        Reason::new("AN-TRU-009", message)
    })
}

fn reason_faults(reason: &str) -> Option<Reason> {
    (reason.len() > REASON_SIZE_MAX).then(|| {
        let message = format!(
            "{} bytes of reason, at most {REASON_SIZE_MAX}",
            reason.len()
        );
        Reason::new("AN-TRU-009", message)
    })
}
