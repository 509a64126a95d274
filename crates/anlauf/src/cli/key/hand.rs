//! What a person signs with: a software key of ours, or a key of OpenSSH.
//!
//! In:    `--key FILE`, or `--ssh-key FILE`; a statement. Out: its signature, which holds.
//! Never: sees the secret half of an OpenSSH key: `ssh-keygen` or its agent signs.
//! See:   ssh-keygen(1) `-Y sign`, docs/guide/key-ceremony.md.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anlauf_model::{Digest, Language, PersonId};
use anlauf_trust::armor::{dearmor, public_line};
use anlauf_trust::{Envelope, Flaw, KeyId, Message, PublicKey, Scheme, Signature, Statement};
use anlauf_words::fingerprint;

use super::{Public, Secret};
use crate::cli::read_text;
use crate::exit::{Code, Done, Failure};
use crate::output::{Output, plain};

/// Which key.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// Your secret key file of `anlauf key new`
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Your OpenSSH key: the secret file, or the `.pub` of a key that your agent or token holds
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
}

/// What a card is made from.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Source {
    /// Your secret key file of `anlauf key new`
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Your OpenSSH key: the secret file, or the `.pub` of a key that your agent or token holds
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
    /// The card of a passkey, as the page "Set up a passkey" shows it: checked, and written again
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
}

/// How the key was enrolled.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Kind {
    /// The token cannot ask for a PIN or finger: it is enrolled for touch only
    #[arg(long, requires = "ssh_key")]
    touch_only: bool,
}

/// A key at hand.
#[derive(Debug)]
pub enum Hand {
    /// A file of ours.
    Software(Secret),
    /// OpenSSH's.
    Ssh(SshKey),
}

/// A key of OpenSSH, by its public half.
#[derive(Debug)]
pub struct SshKey {
    file: PathBuf,
    scheme: Scheme,
    public: PublicKey,
    comment: String,
}

impl Source {
    /// The card of a person, whose proof holds.
    ///
    /// # Errors
    /// The key does not sign, or the card is another person's or not proven.
    pub fn card(&self, kind: Kind, person: &PersonId) -> Done<Public> {
        let Some(file) = &self.card else {
            let which = Which {
                key: self.key.clone(),
                ssh_key: self.ssh_key.clone(),
            };
            return Public::of(&Hand::read(&which, kind)?, person);
        };
        let card = Public::read_proven(file)?;
        if card.person == *person {
            return Ok(card);
        }
        let (shown, other) = (file.display(), &card.person);
        Err(Failure::input(format!(
            "`{shown}` is the card of `{other}`"
        )))
    }
}

impl Hand {
    /// Reads the key; of OpenSSH's only the public half.
    ///
    /// # Errors
    /// There is no such key, or OpenSSH's is of a kind that is not taken.
    pub fn read(which: &Which, kind: Kind) -> Done<Self> {
        match (&which.key, &which.ssh_key) {
            (Some(file), _) => Ok(Self::Software(Secret::read(file)?)),
            (None, Some(file)) => Ok(Self::Ssh(SshKey::read(file, kind)?)),
            (None, None) => Err(Failure::usage("name a key with --key or --ssh-key")),
        }
    }

    /// Reads whichever key lies in a file: ours, or OpenSSH's with its public half beside it.
    ///
    /// # Errors
    /// As [`Hand::read`].
    pub fn open(file: &Path) -> Done<Self> {
        let is_ours = std::fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"{"));
        match is_ours {
            true => Ok(Self::Software(Secret::read(file)?)),
            false => Ok(Self::Ssh(SshKey::read(file, Kind { touch_only: false })?)),
        }
    }

    /// The name of the key, as in the root.
    pub fn keyid(&self) -> KeyId {
        KeyId::of(self.scheme(), &self.public())
    }

    /// How it signs.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Software(_) => Scheme::Ed25519,
            Self::Ssh(key) => key.scheme,
        }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Software(secret) => secret.signer.public(),
            Self::Ssh(key) => key.public.clone(),
        }
    }

    /// Sixteen digits of the key, to read to one another.
    pub fn digits(&self) -> String {
        fingerprint(&Digest::of(self.public().0.as_bytes()))
    }

    /// Signs a statement, and looks whether the signature holds before anyone relies on it.
    ///
    /// # Errors
    /// OpenSSH does not sign, or signs without the person.
    pub fn sign(&self, envelope: &Envelope, statement: &Statement) -> Done<Signature> {
        let message = Message {
            bytes: anlauf_trust::envelope::pae(&envelope.payload),
            namespace: statement.namespace(),
        };
        Ok(Signature {
            keyid: self.keyid(),
            sig: self.sign_bytes(&message)?,
        })
    }

    /// Signs bytes for a namespace.
    ///
    /// # Errors
    /// As [`Hand::sign`].
    pub fn sign_bytes(&self, message: &Message) -> Done<Vec<u8>> {
        match self {
            Self::Software(secret) => Ok(secret.signer.sign_raw(&message.bytes)),
            Self::Ssh(key) => key.sign(message),
        }
    }

    /// What is asked before it signs.
    pub fn question(&self, count: usize, output: Output) -> String {
        let digits = self.digits();
        let who = match self {
            Self::Software(secret) => secret.person.to_string(),
            Self::Ssh(key) => plain(&key.comment),
        };
        match output.language {
            Language::De => {
                format!("{count} Aussage(n) unterschreiben als {who} mit Schlüssel {digits}?")
            }
            Language::En => format!("sign {count} statement(s) as {who} with key {digits}?"),
        }
    }
}

impl SshKey {
    fn read(file: &Path, kind: Kind) -> Done<Self> {
        let is_public = file.extension().is_some_and(|ending| ending == "pub");
        let mut beside = file.as_os_str().to_owned();
        beside.push(".pub");
        let beside = if is_public {
            file.into()
        } else {
            PathBuf::from(beside)
        };
        if !beside.is_file() {
            let why = format!(
                "`{0}` is missing: the public half belongs beside the key \
                 (`ssh-keygen -y -f KEY > {0}`)",
                beside.display()
            );
            return Err(Failure::missing(why));
        }
        let line = read_text(&beside, "public key")?;
        let (scheme, public) = public_line(&line)?;
        let scheme = match (scheme, kind.touch_only) {
            (Scheme::SshSkEd25519, true) => Scheme::SshSkEd25519Touch,
            (Scheme::SshSkEcdsaP256, true) => Scheme::SshSkEcdsaP256Touch,
            (_, true) => {
                let why = "--touch-only is for keys on tokens (`-sk`); this one is in a file";
                return Err(Failure::usage(why));
            }
            (scheme, false) => scheme,
        };
        let comment = line.split_ascii_whitespace().skip(2).collect::<Vec<_>>();
        Ok(Self {
            file: file.to_owned(),
            scheme,
            public,
            comment: comment.join(" "),
        })
    }

    fn sign(&self, message: &Message) -> Done<Vec<u8>> {
        let failed = |why: &str| {
            let why = format!(
                "`ssh-keygen` did not sign with `{}`: {why}",
                self.file.display()
            );
            Failure::new(Code::Failed, why)
        };
        // The words for PIN and touch, and what goes wrong, come from OpenSSH itself.
        let mut child = Command::new("ssh-keygen")
            .args(["-Y", "sign", "-n", &message.namespace, "-f"])
            .arg(&self.file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&format!("{error}; install openssh-client")))?;
        let mut stdin = child
            .stdin
            .take()
            .ok_or_else(|| failed("it takes no input"))?;
        // When it ends early its own words say why.
        let written = stdin.write_all(&message.bytes);
        drop(stdin);
        let out = child
            .wait_with_output()
            .map_err(|error| failed(&error.to_string()))?;
        if !out.status.success() || written.is_err() {
            return Err(failed("it said why above"));
        }
        let sig = dearmor(&String::from_utf8_lossy(&out.stdout))?;
        match self.scheme.verify(&self.public, message, &sig) {
            Ok(()) => Ok(sig),
            Err(Flaw::Foreign) => Err(failed("what it gave is no signature of this key")),
            Err(Flaw::Untouched) => Err(failed("nobody touched the token (AN-TRU-038)")),
            Err(Flaw::Unverified) => Err(failed(
                "the token asked for no PIN or finger (AN-TRU-039); if it never does, it is \
                 enrolled with --touch-only",
            )),
        }
    }
}
