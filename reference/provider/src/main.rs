//! `reference-provider`: the reference provider's services as one process.
//!
//! In:    flags. Out: a listener that serves until Ctrl-C, or what was deleted.
//! Never: says a secret other than the synthetic people's one password.
//! See:   docs/guide/reference.md.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use reference_provider::kernel::clock::Clock;
use reference_provider::kernel::front::Door;
use reference_provider::kernel::house::{House, Settings, read_tenants, set_emergency};
use reference_provider::kernel::route::SERVICES;
use reference_provider::kernel::seed;
use reference_provider::kernel::tenant::{TenantLine, usual_tenants};
use reference_provider::mail::{self, pop3::Reading, server::Post};
use reference_provider::photo::retention;
use reference_provider::record::manifest::{self, Manifest};
use reference_provider::record::shelf::{State, set_state};

/// The services of the founding case, to stand behind the gate. All people are synthetic.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Args)]
struct Place {
    /// Folder with one folder per insurer
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "reference-data"
    )]
    data: PathBuf,
    /// File of the master key of all patient records, outside of the data [default: `DIR.key`]
    #[arg(long, global = true, value_name = "FILE")]
    record_key: Option<PathBuf>,
    /// CSV with columns `id` and `name`, as in a landscape; without it four insurers
    #[arg(long, global = true, value_name = "FILE")]
    tenants: Option<PathBuf>,
    /// Where people reach an insurer, with `{tenant}` in it
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://{tenant}.localhost:8490"
    )]
    public: String,
    /// Seed of the synthetic people
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// Synthetic people per insurer
    #[arg(long, global = true, default_value_t = 25)]
    insured: u32,
}

#[derive(clap::Args)]
struct Serve {
    /// Where requests come in; give this as `--upstream` to the gate
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8490")]
    listen: SocketAddr,
    /// Public status of the control plane: `http://127.0.0.1:8440/api/v1/public/status`
    #[arg(long, value_name = "URL")]
    status: Option<String>,
    /// Where mail comes in; give this to the gate's `--mail`
    #[arg(long, value_name = "ADDR")]
    listen_mail: Option<SocketAddr>,
    /// Domain of an insurer's mail, with `{tenant}` in it
    #[arg(long, value_name = "DOMAIN", default_value = "{tenant}.example")]
    mail_domain: String,
    /// What the mail server calls itself
    #[arg(long, value_name = "NAME", default_value = "post.localhost")]
    mail_name: String,
    /// Chain and key for STARTTLS and for reading, as PEM
    #[arg(long, value_name = "FILE")]
    mail_tls: Option<PathBuf>,
    /// Where mail is read by POP3 under TLS; give this to the gate's `--tcp`
    #[arg(long, value_name = "ADDR", requires = "mail_tls")]
    listen_pop3: Option<SocketAddr>,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve until Ctrl-C
    Serve(Serve),
    /// Put a service of an insurer into emergency operation, or back
    Emergency {
        /// Insurer
        tenant: String,
        /// Service: `lichtbild`
        service: String,
        /// `on` or `off`
        state: String,
    },
    /// Look after an insurer's patient records
    #[command(subcommand)]
    Record(RecordVerb),
    /// Delete the photos whose time is over
    Retire,
    /// Print a certificate that speaks for itself, with its key, for trying out mail under TLS
    Certificate {
        /// Names it is for: `mx.beispiel.example`, `*.beispiel.example`
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Numbers of an insurer's synthetic people, and their password
    People {
        /// Insurer
        tenant: String,
    },
}

#[derive(Subcommand)]
enum RecordVerb {
    /// Print a manifest of every record and document, as JSON
    Manifest {
        /// Insurer
        tenant: String,
    },
    /// Hold the records against a manifest; exit code 1 when they are not whole
    Verify {
        /// Insurer
        tenant: String,
        /// What `record manifest` printed
        manifest: PathBuf,
    },
    /// Close records for a while: 409 to everything
    Suspend {
        /// Insurer
        tenant: String,
        /// Insurance number; all of the insurer without it
        number: Option<String>,
    },
    /// Open records again
    Activate {
        /// Insurer
        tenant: String,
        /// Insurance number; all of the insurer without it
        number: Option<String>,
    },
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Verb::Certificate { names } = &cli.verb {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let made = mail::self_signed::make(&names, Clock::System.seconds())?;
        print!("{made}");
        return Ok(());
    }
    let mut settings = settings(&cli.place)?;
    if let Verb::Serve(serve) = &cli.verb {
        settings.status.clone_from(&serve.status);
    }
    let house = House::open(settings)?;
    for tenant in house.lost() {
        eprintln!("the data of `{tenant}` is gone; it is not made anew, bring it back");
    }
    match cli.verb {
        Verb::Serve(wanted) => serve(house, &wanted),
        Verb::Emergency {
            tenant,
            service,
            state,
        } => emergency(&house, &tenant, (&service, &state)),
        Verb::Record(verb) => record(&house, verb),
        Verb::Retire => retire(&house),
        Verb::Certificate { .. } => Ok(()),
        Verb::People { tenant } => people(&house, &tenant),
    }
}

fn settings(place: &Place) -> Result<Settings> {
    let tenants: Vec<TenantLine> = match &place.tenants {
        Some(path) => read_tenants(path)?,
        None => usual_tenants(),
    };
    let beside = || {
        let mut name = place.data.clone().into_os_string();
        name.push(".key");
        PathBuf::from(name)
    };
    Ok(Settings {
        record_key: place.record_key.clone().unwrap_or_else(beside),
        data: place.data.clone(),
        public: place.public.trim_end_matches('/').to_owned(),
        tenants,
        seed: place.seed,
        insured_count: place.insured,
        clock: Clock::System,
        status: None,
    })
}

fn serve(house: House, wanted: &Serve) -> Result<()> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let house = Arc::new(house);
        let post = post(&house, wanted).await?;
        let reading = reading(&house, wanted).await?;
        let door = Door::open(house, wanted.listen).await?;
        println!("listening http://{}", door.address);
        if let Some(post) = &post {
            println!("listening smtp://{}", post.address);
        }
        if let Some(reading) = &reading {
            println!("listening pop3s://{}", reading.address);
        }
        tokio::signal::ctrl_c().await?;
        door.close().await;
        if let Some(post) = post {
            post.close().await;
        }
        if let Some(reading) = reading {
            reading.close().await;
        }
        Ok(())
    })
}

/// The mail server, if it is wanted.
async fn post(house: &Arc<House>, wanted: &Serve) -> Result<Option<Post>> {
    let Some(listen) = wanted.listen_mail else {
        return Ok(None);
    };
    let settings = mail::server::Settings {
        name: wanted.mail_name.clone(),
        domains: mail::house::domains(house, &wanted.mail_domain),
        clock: house.settings.clock.clone(),
        tls: wanted
            .mail_tls
            .as_deref()
            .map(mail::tls::read)
            .transpose()?,
        size_max: mail::MESSAGE_SIZE_MAX,
    };
    Post::open(settings, listen).await.map(Some)
}

/// The server for who reads mail, if it is wanted.
async fn reading(house: &Arc<House>, wanted: &Serve) -> Result<Option<Reading>> {
    let (Some(listen), Some(tls)) = (wanted.listen_pop3, &wanted.mail_tls) else {
        return Ok(None);
    };
    let settings = mail::pop3::Settings {
        name: wanted.mail_name.clone(),
        shelves: mail::house::shelves(house, &wanted.mail_domain),
        tls: mail::tls::read(tls)?,
    };
    Reading::open(settings, listen).await.map(Some)
}

fn emergency(house: &House, tenant: &str, (service, state): (&str, &str)) -> Result<()> {
    let tenant = house
        .tenant(tenant)
        .with_context(|| format!("no insurer `{tenant}`"))?;
    if !SERVICES.iter().any(|known| known.id == service) {
        bail!("no service `{service}`");
    }
    let on = match state {
        "on" => true,
        "off" => false,
        other => bail!("`{other}`: say `on` or `off`"),
    };
    set_emergency(tenant, service, on).map_err(|miss| anyhow::anyhow!(miss.words.en))
}

fn record(house: &House, verb: RecordVerb) -> Result<()> {
    let find = |id: &str| {
        let tenant = house.tenant(id);
        tenant.with_context(|| format!("no insurer `{id}`"))
    };
    let now = house.settings.clock.seconds();
    let (id, number, state) = match verb {
        RecordVerb::Manifest { tenant } => {
            let made = manifest::make(find(&tenant)?, &house.master, now)?;
            println!("{}", serde_json::to_string_pretty(&made)?);
            return Ok(());
        }
        RecordVerb::Verify { tenant, manifest } => {
            let name = manifest.display();
            let text = std::fs::read_to_string(&manifest)
                .with_context(|| format!("cannot read `{name}`"))?;
            let made: Manifest =
                serde_json::from_str(&text).with_context(|| format!("`{name}` is no manifest"))?;
            let verdict = manifest::verify(find(&tenant)?, &house.master, (&made, now))?;
            println!("{}", serde_json::to_string_pretty(&verdict)?);
            match verdict.whole {
                true => return Ok(()),
                false => bail!("the records of `{tenant}` are not whole"),
            }
        }
        RecordVerb::Suspend { tenant, number } => (tenant, number, State::Suspended),
        RecordVerb::Activate { tenant, number } => (tenant, number, State::Activated),
    };
    let count = set_state(find(&id)?, &house.master, (number.as_deref(), state))
        .map_err(|miss| anyhow::anyhow!(miss.words.en))?;
    println!("{} {count}", state.as_str());
    Ok(())
}

fn retire(house: &House) -> Result<()> {
    let now = house.settings.clock.seconds();
    for tenant in house.tenants() {
        let gone = retention::retire(tenant, now).map_err(|miss| anyhow::anyhow!(miss.words.en))?;
        println!("{} {}", tenant.id, serde_json::to_string(&gone)?);
    }
    Ok(())
}

fn people(house: &House, tenant: &str) -> Result<()> {
    let tenant = house
        .tenant(tenant)
        .with_context(|| format!("no insurer `{tenant}`"))?;
    let settings = &house.settings;
    println!("password {}", seed::password_of(settings.seed));
    for number in 0..settings.insured_count {
        let one = seed::insured(&tenant.id, settings.seed, number);
        println!("{} {} {} {}", one.kvnr, one.given, one.family, one.birth);
    }
    println!("clerk-1\nclerk-2");
    Ok(())
}
