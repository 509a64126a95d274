//! One id type per kind, parsed once at the border.
//!
//! In:    text from files, requests, statements.
//! Out:   ids that are lower-case DNS labels; a cell id is `owner/service`.
//! Never: an unchecked string past this file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::ID_SIZE_MAX;

/// Text that is not a legal id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a legal {kind}: {why}")]
pub struct IdError {
    /// What kind of id was expected, in words.
    pub kind: &'static str,
    /// The text as it came in, at most 80 characters of it.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

fn check(kind: &'static str, text: &str, more: &[u8]) -> Result<(), IdError> {
    let wrong = |why| IdError {
        kind,
        text: text.chars().take(80).collect(),
        why,
    };
    let legal =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || more.contains(&b);
    if text.is_empty() {
        return Err(wrong("it is empty"));
    }
    if text.len() > ID_SIZE_MAX {
        return Err(wrong("it is longer than 63 characters"));
    }
    if !text.bytes().all(legal) {
        return Err(wrong("only a-z, 0-9 and `-` are allowed"));
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err(wrong("it starts or ends with `-`"));
    }
    Ok(())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $more:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, schemars::JsonSchema)]
        #[schemars(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check($kind, text, $more)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A data centre: `dc-south`.
    SiteId, "site id", b""
);
id!(
    /// A customer of the provider: `bkk-amsel`.
    TenantId, "tenant id", b""
);
id!(
    /// A service type: `epa`; or a numbered non-standard one: `custom-03`.
    ServiceId, "service id", b""
);
id!(
    /// A team with parallel lanes: `forensics`.
    TeamId, "team id", b""
);
id!(
    /// A person who may act or sign: `bkk-amsel.approver-1`.
    PersonId, "person id", b"."
);
id!(
    /// A legal body that persons belong to: the provider, a tenant, an outside firm.
    OrganisationId, "organisation id", b""
);
id!(
    /// A gate process: `gate-west-1`.
    GateId, "gate id", b""
);

/// Who a cell belongs to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// One instance under everything: `foundation/pki`.
    Foundation,
    /// One instance for all tenants: `shared/mailinfra`.
    Shared,
    /// One instance per site: `dc-south/net`.
    Site(SiteId),
    /// One tenant's own instance or switch: `bkk-amsel/epa`.
    Tenant(TenantId),
}

/// Word before the slash of a foundation cell.
pub const OWNER_FOUNDATION: &str = "foundation";
/// Word before the slash of a shared cell.
pub const OWNER_SHARED: &str = "shared";

/// One tenant × one service, or a shared or foundation instance: what a gate guards.
///
/// Text form `owner/service`, where owner is `foundation`, `shared`, a site id or a tenant id.
/// Which of the four it is only the landscape knows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId {
    owner: String,
    service: String,
}

impl CellId {
    /// Builds the id of an owner's service.
    pub fn new(owner: &Owner, service: &ServiceId) -> Self {
        let owner = match owner {
            Owner::Foundation => OWNER_FOUNDATION,
            Owner::Shared => OWNER_SHARED,
            Owner::Site(site) => site.as_str(),
            Owner::Tenant(tenant) => tenant.as_str(),
        };
        Self {
            owner: owner.to_owned(),
            service: service.as_str().to_owned(),
        }
    }

    /// The part before the slash.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The part after the slash.
    pub fn service(&self) -> &str {
        &self.service
    }
}

impl FromStr for CellId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let why = "it must be `owner/service`, such as `bkk-amsel/epa`";
        let wrong = || IdError {
            kind: "cell id",
            text: text.chars().take(80).collect(),
            why,
        };
        let (owner, service) = text.split_once('/').ok_or_else(wrong)?;
        check("cell id", owner, b"")?;
        check("cell id", service, b"")?;
        Ok(Self {
            owner: owner.to_owned(),
            service: service.to_owned(),
        })
    }
}

impl fmt::Display for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.service)
    }
}

impl fmt::Debug for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for CellId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CellId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
