//! `anlauf key`: makes and shows software keys; everyone makes their own.
//!
//! In:    a person's id, random bytes of the system. Out: a secret file (0600) and a public one.
//! Never: overwrites a key; prints a secret.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anlauf_model::{Digest, PersonId};
use anlauf_trust::{KeyId, PublicKey, Scheme, Signer, fingerprint};
use anyhow::Context;
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{random, read_text};
use crate::exit::{Done, Failure};
use crate::output::Output;

/// First field of a secret file; another layout gets another number.
const KIND_SECRET: &str = "anlauf-secret-key/1";
/// First field of a public file.
const KIND_PUBLIC: &str = "anlauf-public-key/1";

/// Make or show a key
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a key; the public half goes to FILE with the ending `.pub`
    New {
        /// Whose key it is, as in the landscape: `security-1`
        #[arg(long, value_name = "ID")]
        person: PersonId,
        /// Where the secret goes; keep it to yourself
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Show the public half of a key, secret or public file
    Show {
        /// Key file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
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

/// A public file: what is handed to whoever drafts the root.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Public {
    kind: String,
    /// Whose.
    pub person: PersonId,
    /// How it signs.
    pub scheme: Scheme,
    /// The key.
    pub public: PublicKey,
    /// Its name.
    pub id: KeyId,
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
    let failed = || format!("cannot write `{}`", path.display());
    let text = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)?;
    file.write_all(b"\n").with_context(failed)?;
    file.sync_all().with_context(failed)?;
    Ok(())
}

impl Public {
    /// Reads a public file.
    ///
    /// # Errors
    /// It is none, or its parts do not fit together.
    pub fn read(path: &Path) -> Done<Self> {
        let text = read_text(path, "public key")?;
        let shown = path.display();
        let wrong = |why: &str| Failure::input(format!("`{shown}` is no public key: {why}"));
        let public: Self =
            serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
        if public.kind != KIND_PUBLIC {
            return Err(wrong(&format!("its kind is not `{KIND_PUBLIC}`")));
        }
        if public.public.bytes().is_none() || public.id != KeyId::of(public.scheme, &public.public)
        {
            return Err(wrong("its id is not the one of its key"));
        }
        Ok(public)
    }

    /// Sixteen digits to read to one another.
    pub fn digits(&self) -> String {
        fingerprint(&Digest::of(self.public.0.as_bytes()))
    }
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

    /// The public half.
    pub fn public(&self) -> Public {
        Public {
            kind: KIND_PUBLIC.to_owned(),
            person: self.person.clone(),
            scheme: Scheme::Ed25519,
            public: self.signer.public(),
            id: self.signer.keyid(),
        }
    }
}
