//! The minutes of a key ceremony, to print: what was compared, by whom, with a line to sign.
//!
//! In:    documents as files. Out: Markdown.
//! Never: says that a signature holds: who reads the minutes verifies for himself.

use std::path::PathBuf;

use anlauf_model::{Digest, Language};
use anlauf_trust::{Statement, fingerprint};

use crate::cli::now;
use crate::cli::sign::file::read;
use crate::exit::Done;
use crate::output::{Output, plain};

/// `anlauf key protocol`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Roots and policies of the ceremony
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Prints it.
///
/// # Errors
/// A file is no document.
pub fn run(args: &Args, output: Output) -> Done {
    let de = output.language == Language::De;
    let mut lines = vec![
        format!(
            "# {}",
            output.say("Protokoll des Schlüsseltreffens", "Minutes of the ceremony")
        ),
        String::new(),
        format!("{}: {}", output.say("Ausgedruckt", "Printed"), now()),
        format!("{}: ________________", output.say("Ort", "Place")),
        format!(
            "{}: ________________",
            output.say("Leitung, Zeugin oder Zeuge", "Lead, witness")
        ),
        String::new(),
    ];
    lines.extend(steps(de).iter().map(|step| format!("- [ ] {step}")));
    for file in &args.files {
        let envelope = read(file)?;
        let statement = Statement::parse(&envelope.payload)?;
        lines.extend([
            String::new(),
            format!("## {}", plain(&file.display().to_string())),
        ]);
        lines.push(format!("\nSHA-256 `{}`", envelope.digest()));
        let aloud = output.say("Zum Vorlesen", "To read aloud");
        lines.push(format!(
            "{aloud}: **{}**\n",
            fingerprint(&envelope.digest())
        ));
        if let Statement::Root(root) = &statement {
            lines.push(format!(
                "{} {} · {} · {} / {}\n",
                output.say("Version", "version"),
                root.version,
                plain(&root.domain),
                root.root_threshold,
                root.root_organisations_min
            ));
            lines.push(row(&[
                "",
                "person",
                "role",
                "organisation",
                "scheme",
                "key",
                "✓",
            ]));
            lines.push("|---|---|---|---|---|---|---|".to_owned());
            for record in &root.keys {
                let mark = if root.root_keys.contains(&record.id) {
                    "\\*"
                } else {
                    ""
                };
                let digits = fingerprint(&Digest::of(record.public.0.as_bytes()));
                lines.push(row(&[
                    mark,
                    record.person.as_str(),
                    &record.role.to_string(),
                    record.organisation.as_str(),
                    record.scheme.word(),
                    &digits,
                    "",
                ]));
            }
        }
        lines.push(String::new());
        for signature in &envelope.signatures {
            let lead = output.say("unterschrieben mit", "signed with");
            lines.push(format!("- {lead} `{}`", signature.keyid));
        }
    }
    lines.push(format!(
        "\n{}\n\n________________  ________________  ________________",
        output.say(
            "Unterschriften der Anwesenden",
            "Signatures of those present"
        )
    ));
    output.line(&lines.join("\n"))
}

fn row(cells: &[&str]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn steps(de: bool) -> [&'static str; 6] {
    if de {
        [
            "Der Rechner ist ohne Netz und frisch gestartet; die Prüfsumme des Programms stimmt.",
            "Jede Person liest die Ziffern ihrer Karte vor; sie stehen unten genauso.",
            "Jede Person zeigt ihren Token und gibt ihre PIN selbst ein.",
            "Jede Person liest das Dokument in Worten, bevor sie unterschreibt.",
            "Zwei Organisationen nehmen die unterschriebenen Dateien je auf eigenem Träger mit.",
            "Die Prüfsumme der ersten Wurzel kommt auf Papier zu jedem Tor (`--pin`).",
        ]
    } else {
        [
            "The machine is without network and freshly started; the program's checksum matches.",
            "Everyone reads out the digits of their card; below stand the same.",
            "Everyone shows their token and types their own PIN.",
            "Everyone reads the document in words before signing.",
            "Two organisations take the signed files with them, each on its own medium.",
            "The digest of the first root goes to every gate on paper (`--pin`).",
        ]
    }
}
