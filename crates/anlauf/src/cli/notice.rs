//! `anlauf notice`: what people were told, with every version.

use serde_json::Value;

use super::Control;
use crate::exit::Done;
use crate::output::{Output, plain};

/// Show what people were told
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    control: Control,
}

/// Shows notices.
///
/// # Errors
/// No answer.
pub fn run(args: &Args, output: Output) -> Done {
    let notices = args.control.client(output)?.all("/notices", "notices")?;
    output.result(&notices, || {
        let told = notices.iter().flat_map(|notice| {
            let versions = notice["versions"].as_array().into_iter().flatten();
            versions.map(|version| line(notice, version, output))
        });
        told.collect::<Vec<_>>().join("\n")
    })
}

fn line(notice: &Value, version: &Value, output: Output) -> String {
    let reader = match notice["tenant"].as_str() {
        Some(tenant) => plain(tenant),
        None => output.say("alle", "everyone").to_owned(),
    };
    let next = output.say("nächste Mitteilung", "next word");
    format!(
        "{}  {}  {reader}: {}  ({next} {})",
        notice["number"],
        output.text(&version["at"]),
        output.text(&version["text"]),
        output.text(&version["next_word_at"])
    )
}
