//! The minutes of a key ceremony, to print: what was compared, by whom, with a line to sign.
//!
//! In:    documents as files. Out: Markdown.
//! Never: says that a signature holds: who reads the minutes verifies for himself.

use std::path::{Path, PathBuf};

use anlauf_model::{Digest, Language};
use anlauf_trust::{Root, Statement};
use anlauf_words::fingerprint;

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
        lines.extend(document(file, output)?);
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

/// One document: its digests, its keys if it is a root, who has signed it.
fn document(file: &Path, output: Output) -> Done<Vec<String>> {
    let envelope = read(file)?;
    let statement = Statement::parse(&envelope.payload)?;
    let digest = envelope.digest();
    let aloud = output.say("Zum Vorlesen", "To read aloud");
    let mut lines = vec![
        format!("\n## {}", plain(&file.display().to_string())),
        format!("\nSHA-256 `{digest}`"),
        format!("{aloud}: **{}**\n", fingerprint(&digest)),
    ];
    if let Statement::Root(root) = &statement {
        lines.extend(keys(root, output));
    }
    lines.push(String::new());
    let lead = output.say("unterschrieben mit", "signed with");
    let signed = envelope.signatures.iter();
    lines.extend(signed.map(|signature| format!("- {lead} `{}`", signature.keyid)));
    Ok(lines)
}

fn keys(root: &Root, output: Output) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {} · {} · {} / {}\n",
        output.say("Version", "version"),
        root.version,
        plain(&root.domain),
        root.root_threshold,
        root.root_organisations_min
    )];
    let head = match output.language {
        Language::De => ["", "Person", "Rolle", "Organisation", "Art", "Ziffern", "✓"],
        Language::En => ["", "person", "role", "organisation", "kind", "digits", "✓"],
    };
    lines.push(row(&head));
    lines.push("|---|---|---|---|---|---|---|".to_owned());
    lines.extend(root.keys.iter().map(|record| {
        let signs = root.root_keys.contains(&record.id);
        row(&[
            if signs { "\\*" } else { "" },
            record.person.as_str(),
            &match &record.tenant {
                Some(tenant) => format!("{} {tenant}", record.role),
                None => record.role.to_string(),
            },
            record.organisation.as_str(),
            record.scheme.word(),
            &fingerprint(&Digest::of(record.public.0.as_bytes())),
            "",
        ])
    }));
    lines
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
