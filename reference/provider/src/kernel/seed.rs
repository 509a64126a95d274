//! Fills an empty insurer with synthetic people: always the same from the same seed.
//!
//! In:    a seed, how many. Out: rows of insured people and two clerks. Never: a real person.

use anyhow::{Result, anyhow};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use ring::digest::{SHA256, digest};

use super::house::Settings;
use super::kvnr::Kvnr;
use super::synth;
use super::tenant::Tenant;
use crate::login::password;

/// One synthetic insured person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Insured {
    /// Number.
    pub kvnr: Kvnr,
    /// First name.
    pub given: &'static str,
    /// Last name.
    pub family: &'static str,
    /// `1979-04-12`.
    pub birth: String,
    /// As FHIR has it: `female`, `male`, `other`.
    pub gender: &'static str,
    /// Street and number.
    pub street: String,
    /// Postcode.
    pub postcode: String,
    /// Town.
    pub city: &'static str,
    /// Insured since.
    pub since: String,
}

/// The one password of all synthetic people of a house.
pub fn password_of(seed: u64) -> String {
    format!("synthetisch-{seed}")
}

/// The person of a number, from 0 on; number 0 is fourteen, number 1 needs no photo.
pub fn insured(tenant: &str, seed: u64, number: u32) -> Insured {
    let mut chance = chance(tenant, seed, number);
    let woman = chance.random_bool(0.5);
    let given = match woman {
        true => synth::GIVEN_FEMALE,
        false => synth::GIVEN_MALE,
    };
    let year = if number == 0 {
        2012
    } else {
        chance.random_range(1935..=2005)
    };
    let month = if number == 0 {
        12
    } else {
        chance.random_range(1..=12)
    };
    let house_number: u32 = chance.random_range(1..=180);
    Insured {
        kvnr: Kvnr::of(
            chance.random_range(0..26),
            chance.random_range(10_000_000..99_999_999),
        ),
        given: given[chance.random_range(0..given.len())],
        family: synth::FAMILY[chance.random_range(0..synth::FAMILY.len())],
        birth: format!("{year}-{month:02}-{:02}", chance.random_range(1..=28)),
        gender: if woman { "female" } else { "male" },
        street: format!(
            "{} {house_number}",
            synth::STREET[chance.random_range(0..synth::STREET.len())]
        ),
        postcode: format!("{:05}", chance.random_range(10_000..99_999)),
        city: synth::CITY[chance.random_range(0..synth::CITY.len())],
        since: format!("{}-01-01", chance.random_range(2010..=2024)),
    }
}

/// Chance that belongs to one person of one insurer.
fn chance(tenant: &str, seed: u64, number: u32) -> Xoshiro256PlusPlus {
    let mark = digest(&SHA256, format!("{seed}/{tenant}/{number}").as_bytes());
    let mut state = [0u8; 32];
    state.copy_from_slice(mark.as_ref());
    Xoshiro256PlusPlus::from_seed(state)
}

/// Whether an insurer has people.
///
/// # Errors
/// The store does not answer.
pub(crate) fn has_people(tenant: &Tenant) -> Result<bool> {
    let count: i64 = tenant
        .store
        .with(|c| c.query_row("SELECT count(*) FROM insured", [], |row| row.get(0)))?;
    Ok(count > 0)
}

/// Fills an insurer that has nobody.
///
/// # Errors
/// The store does not answer.
pub(crate) fn people(tenant: &Tenant, settings: &Settings) -> Result<()> {
    let secret = password_of(settings.seed);
    let kept = password::keep(&secret).ok_or_else(|| anyhow!("the machine has no randomness"))?;
    tenant.store.with(|c| {
        let change = c.transaction()?;
        for number in 0..settings.insured_count {
            let one = insured(&tenant.id, settings.seed, number);
            change.execute(
                "INSERT OR IGNORE INTO insured (kvnr, given, family, birth, gender, street,
                   postcode, city, since, no_photo, password)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                rusqlite::params![
                    one.kvnr.as_str(),
                    one.given,
                    one.family,
                    one.birth,
                    one.gender,
                    one.street,
                    one.postcode,
                    one.city,
                    one.since,
                    number == 1,
                    kept
                ],
            )?;
        }
        for (name, title) in [
            ("clerk-1", "Sachbearbeitung 1"),
            ("clerk-2", "Sachbearbeitung 2"),
        ] {
            change.execute(
                "INSERT INTO clerk VALUES (?1, ?2, ?3)",
                (name, title, &kept),
            )?;
        }
        change.commit()
    })?;
    Ok(())
}
