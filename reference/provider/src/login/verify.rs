//! Checks an access token at a resource.
//!
//! In:    a token, the insurer asked. Out: a person, 401, or 404 for another insurer's person.
//! Never: asks the network: keys of the house are in the house.

use serde_json::json;

use super::claims::{Wanted, person};
use super::jwt::Parsed;
use crate::kernel::ask::Person;
use crate::kernel::house::House;
use crate::kernel::miss::Miss;
use crate::kernel::tenant::Tenant;

/// Whom an access token is for.
pub fn audience(tenant: &Tenant) -> String {
    format!("{}/", tenant.origin)
}

/// The person of an access token.
///
/// # Errors
/// 401 when it does not hold; 404 when it holds, but at another insurer.
pub(crate) fn access(
    house: &House,
    tenant: &Tenant,
    token: &str,
    now: i64,
) -> Result<Person, Miss> {
    let parsed = Parsed::read(token).map_err(|_| invalid())?;
    let signer = house.tenants().find(|one| one.key.id == parsed.key_id);
    let signer = signer.ok_or_else(invalid)?;
    let keys = json!({ "keys": [signer.key.public()] });
    let claims = parsed.claims(&keys).map_err(|_| invalid())?;
    let (issuer, for_whom) = (signer.issuer(), audience(signer));
    let wanted = Wanted {
        issuer: &issuer,
        audience: &for_whom,
        tenant: &signer.id,
        nonce: None,
        now,
    };
    wanted.check(&claims).map_err(|_| invalid())?;
    let found = person(&claims).map_err(|_| invalid())?;
    if claims["tenant"] != signer.id.as_str() {
        return Err(invalid());
    }
    match signer.id == tenant.id {
        true => Ok(found),
        false => Err(Miss::not_found()),
    }
}

fn invalid() -> Miss {
    Miss::new(
        401,
        "invalid-token",
        "Die Anmeldung gilt nicht oder nicht mehr.",
        "The login does not hold, or no longer.",
    )
}
