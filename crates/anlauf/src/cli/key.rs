//! `anlauf key`: keys and whose they are, from the first ceremony to the last revocation.
//!
//! In:    a person's id, random bytes of the system, cards, root documents: files only.
//! Out:   a secret file (0600), a card, a drafted root, what there is to know about a root.
//! Never: overwrites a key; prints a secret; needs a network.
//! See:   docs/guide/key-ceremony.md.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anlauf_model::{Digest, PersonId};
use anlauf_trust::{Scheme, Signer};
use anyhow::Context;
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{random, read_text};
use crate::exit::{Done, Failure};
use crate::output::Output;

pub mod card;
mod delegate;
pub mod hand;
pub mod next;
mod protocol;
mod review;

pub use card::Public;

/// First field of a secret file; another layout gets another number.
const KIND_SECRET: &str = "anlauf-secret-key/1";

/// Make, enrol, rotate, revoke or review keys
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a software key, for automation and rehearsals; the public half goes to FILE with the
    /// ending `.pub`
    New {
        /// Whose key it is, as in the landscape: `security-1`
        #[arg(long, value_name = "ID")]
        person: PersonId,
        /// Where the secret goes; keep it to yourself
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Make the card of a key one holds, with the proof that one holds it, for the ceremony
    Enrol {
        /// Whose key it is, as in the landscape: `security-1`
        #[arg(long, value_name = "ID")]
        person: PersonId,
        #[command(flatten)]
        source: hand::Source,
        #[command(flatten)]
        kind: hand::Kind,
        /// Where the card goes: `security-1.pub`
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Show the public half of a key, secret or public file
    Show {
        /// Key file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Draft the first root and policies; the same as `anlauf genesis`
    Genesis(Box<super::genesis::Args>),
    /// Draft the next root with new or further keys, for signature by the thresholds of both
    Rotate(next::Rotate),
    /// Draft the next root without the keys of a person, or without one key
    Revoke(next::Revoke),
    /// Draft a tenant's own list of keys: from then on nobody else can add to them
    Delegate(Box<delegate::Args>),
    /// Who can sign what, and which roles are near their threshold
    Review(review::Args),
    /// Minutes of a ceremony to print, read aloud and sign on paper
    Protocol(protocol::Args),
}

/// A secret file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFile {
    kind: String,
    person: PersonId,
    scheme: Scheme,
    seed: String,
}

/// A key that can sign, and whose it is.
#[derive(Debug)]
pub struct Secret {
    /// Whose.
    pub person: PersonId,
    /// The key.
    pub signer: Signer,
}

/// Makes or shows.
///
/// # Errors
/// The file exists already, cannot be read or written, or is no key.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::New { person, out } => {
            let (secret, beside) = create(out, person)?;
            output.talk(output.say(
                "die geheime Datei bleibt bei Ihnen; die .pub-Datei geht an das Schlüsseltreffen",
                "the secret file stays with you; the .pub file goes to the key ceremony",
            ));
            show(&secret.public(), Some((out, &beside)), output)
        }
        Verb::Enrol {
            person,
            source,
            kind,
            out,
        } => {
            let card = source.card(*kind, person)?;
            write_new(out, 0o644, &card)?;
            output.talk(output.say(
                "die Karte geht an das Schlüsseltreffen; die Ziffern werden dort vorgelesen",
                "the card goes to the key ceremony; its digits are read out there",
            ));
            show(&card, None, output)
        }
        Verb::Genesis(args) => super::genesis::run(args, output),
        Verb::Rotate(args) => next::rotate(args, output),
        Verb::Revoke(args) => next::revoke(args, output),
        Verb::Delegate(args) => delegate::run(args, output),
        Verb::Review(args) => review::run(args, output),
        Verb::Protocol(args) => protocol::run(args, output),
        Verb::Show { file } => {
            let public = match Public::read(file) {
                Ok(public) => public,
                Err(_) => Secret::read(file)?.public(),
            };
            show(&public, None, output)
        }
    }
}

fn show(public: &Public, files: Option<(&Path, &Path)>, output: Output) -> Done {
    let digits = public.digits();
    let mut value = serde_json::to_value(public).map_err(anyhow::Error::from)?;
    value["fingerprint"] = json!(digits);
    if let Some((secret, public)) = files {
        value["files"] = json!({ "secret": secret, "public": public });
    }
    output.result(&value, || {
        let aloud = output.say("zum Vorlesen", "to read aloud");
        let mut lines = vec![
            format!("{}: {}", output.say("Person", "person"), public.person),
            format!("{}: {}", output.say("Schlüssel", "key"), public.id),
            format!(
                "{}: {}",
                output.say("öffentlich", "public"),
                public.public.0
            ),
            format!("{aloud}: {digits}"),
        ];
        if let Some((secret, public)) = files {
            lines.push(format!(
                "{}: {} (0600), {}",
                output.say("Dateien", "files"),
                secret.display(),
                public.display()
            ));
        }
        lines.join("\n")
    })
}

/// Makes a key with its two files, neither of which may exist.
///
/// # Errors
/// One of them exists, or cannot be written.
pub fn create(out: &Path, person: &PersonId) -> Done<(Secret, PathBuf)> {
    let beside = out.with_extension("pub");
    if beside == out {
        let why = "the secret file must not end in `.pub`; that is where the public half goes";
        return Err(Failure::usage(why));
    }
    for path in [out, &beside] {
        if path.exists() {
            let why = format!(
                "`{}` exists; a key is never overwritten, name another file",
                path.display()
            );
            return Err(Failure::input(why));
        }
    }
    let seed = random::<32>()?;
    let signer = Signer::from_seed(seed);
    let file = SecretFile {
        kind: KIND_SECRET.to_owned(),
        person: person.clone(),
        scheme: Scheme::Ed25519,
        seed: hex::encode(seed),
    };
    write_new(out, 0o600, &file)?;
    let secret = Secret {
        person: person.clone(),
        signer,
    };
    write_new(&beside, 0o644, &secret.public())?;
    Ok((secret, beside))
}

fn write_new(path: &Path, mode: u32, value: &impl Serialize) -> Done {
    let mut text = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
    text.push('\n');
    write_bytes(path, mode, text.as_bytes())
}

/// Writes a file that must not exist, and returns when the disk has it.
pub(super) fn write_bytes(path: &Path, mode: u32, bytes: &[u8]) -> Done {
    let failed = || format!("cannot write `{}`", path.display());
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    file.sync_all().with_context(failed)?;
    Ok(())
}

impl Secret {
    /// Reads a secret file.
    ///
    /// # Errors
    /// It is none.
    pub fn read(path: &Path) -> Done<Self> {
        let text = read_text(path, "key")?;
        let shown = path.display();
        // The parser's message could repeat a part of the secret.
        let wrong = |why: &str| Failure::input(format!("`{shown}` is no secret key: {why}"));
        let file: SecretFile = serde_json::from_str(&text)
            .map_err(|_| wrong("it was not made by `anlauf key new`"))?;
        let seed: Digest = file
            .seed
            .parse()
            .map_err(|_| wrong("its seed is not 64 hex digits"))?;
        if file.kind != KIND_SECRET {
            return Err(wrong("its kind is another one"));
        }
        Ok(Self {
            person: file.person,
            signer: Signer::from_seed(seed.0),
        })
    }

    /// The card of the key.
    pub fn public(&self) -> Public {
        let card = Public::bare(&self.person, Scheme::Ed25519, self.signer.public());
        let sig = self.signer.sign_raw(&card.message().bytes);
        card.proven(&sig)
    }
}
