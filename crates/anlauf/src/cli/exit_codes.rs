//! `anlauf exit-codes`: what each exit code means.

use crate::exit::{CODES, Done};
use crate::output::Output;

/// Prints every code with its meaning.
///
/// # Errors
/// Stdout is gone.
pub fn run(output: Output) -> Done {
    let codes: Vec<_> = CODES
        .iter()
        .map(|(code, meaning)| serde_json::json!({ "code": code, "meaning": meaning }))
        .collect();
    output.list(&codes, &["code", "meaning"], |code| {
        vec![
            code["code"].to_string(),
            code["meaning"].as_str().unwrap_or_default().to_owned(),
        ]
    })
}
