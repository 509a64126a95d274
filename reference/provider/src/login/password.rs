//! Passwords as they are kept: PBKDF2 with a salt.
//!
//! In:    a password. Out: what is kept, or whether it fits. Never: the password itself.

use std::num::NonZeroU32;

use ring::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use ring::rand::{SecureRandom, SystemRandom};

/// Rounds. 120,000 take about 30 ms of a core; the people here are synthetic.
const ROUNDS: NonZeroU32 = NonZeroU32::new(120_000).expect("not zero");

const SALT_SIZE: usize = 16;
const HASH_SIZE: usize = 32;

/// Salt and hash; none when the machine has no randomness.
pub fn keep(password: &str) -> Option<Vec<u8>> {
    let mut kept = vec![0u8; SALT_SIZE + HASH_SIZE];
    let (salt, hash) = kept.split_at_mut(SALT_SIZE);
    SystemRandom::new().fill(salt).ok()?;
    pbkdf2::derive(PBKDF2_HMAC_SHA256, ROUNDS, salt, password.as_bytes(), hash);
    Some(kept)
}

/// Whether a password is the one that was kept.
pub fn fits(password: &str, kept: &[u8]) -> bool {
    let Some((salt, hash)) = kept.split_at_checked(SALT_SIZE) else {
        return false;
    };
    pbkdf2::verify(PBKDF2_HMAC_SHA256, ROUNDS, salt, password.as_bytes(), hash).is_ok()
}
