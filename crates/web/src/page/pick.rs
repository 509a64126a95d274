//! Random words where nobody may guess: idempotency keys of forms.
//!
//! In:    the system's randomness. Out: text. Never: anything a decision hangs on.

use maud::Markup;

use super::screen::KEY_HERE;

/// A fresh idempotency key.
pub(crate) fn key() -> String {
    let mut bytes = [0u8; 16];
    // Without randomness the form says so: an empty key is refused by the desk with its reason.
    match getrandom::fill(&mut bytes) {
        Ok(()) => format!("form-{}", hex::encode(bytes)),
        Err(_) => String::new(),
    }
}

/// The markup with a key of its own in each form.
pub(crate) fn keyed(markup: &Markup) -> String {
    let mut pieces = markup.0.split(KEY_HERE);
    let mut out = String::with_capacity(markup.0.len() + 64);
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push_str(&key());
        out.push_str(piece);
    }
    out
}
