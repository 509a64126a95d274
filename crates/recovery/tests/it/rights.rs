//! Who may ask for what, as one table that people read: `tests/rights.txt`.

use std::fmt::Write as _;
use std::path::PathBuf;

use std::collections::BTreeSet;

use anlauf_model::{FindingKind, OrganisationId, Role};
use anlauf_recovery::rights::{VERBS, may};
use anlauf_recovery::{Actor, Command, decide};

use crate::sample;
use crate::story::House;

/// One column per role, one line per verb or kind of finding.
fn table() -> String {
    let mut text = String::from(
        "Who may ask for what. `own`: only for the tenant's own cells.\n\
         A change here is a change of rights: read it before you accept it (UPDATE=1).\n\n",
    );
    let mut line = |name: &str, word: &dyn Fn(Role) -> &'static str| {
        write!(text, "{name:<27}").unwrap();
        for role in Role::ALL {
            write!(text, "{:<11}", word(role)).unwrap();
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    };
    line("", &|role| role.word());
    for verb in VERBS {
        line(verb, &|role| match (may(role, verb), role) {
            (true, Role::Tenant) => "own",
            (true, _) => "yes",
            (false, _) => "-",
        });
    }
    for kind in FindingKind::ALL {
        let name = format!("finds {kind}");
        line(
            &name,
            &|role| match may(role, "add_findings") && kind.is_brought_by(role) {
                true => "yes",
                false => "-",
            },
        );
    }
    text
}

#[test]
fn rights_are_as_written() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/rights.txt");
    let real = table();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &real).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), real);
}

#[test]
fn every_order_has_its_verb() {
    // Samples stand in the order they were written down; verbs in the order of the work.
    let verbs: BTreeSet<_> = sample::orders().iter().map(|order| order.verb()).collect();
    assert_eq!(verbs, BTreeSet::from(VERBS));
    assert_eq!(sample::orders().len(), VERBS.len());
    for order in sample::orders() {
        let value = serde_json::to_value(&order).unwrap();
        assert_eq!(value["verb"], order.verb());
    }
}

/// The table is what `decide` goes by: whoever may not is told so, and of nothing else.
#[test]
fn decide_goes_by_the_table() {
    let house = House::new();
    let organisation: OrganisationId = "provider".parse().unwrap();
    for role in Role::ALL {
        for order in sample::orders() {
            let verb = order.verb();
            let actor = Actor {
                person: "gate-1".parse().unwrap(),
                organisation: organisation.clone(),
                role,
                tenant: (role == Role::Tenant).then(|| "alder".parse().unwrap()),
            };
            let command = Command {
                key: "k".into(),
                actor,
                reason: "try".into(),
                order,
            };
            let refused = match decide(&house.state, house.now, &command) {
                Ok(_) => false,
                Err(refusal) => refusal
                    .reasons
                    .iter()
                    .any(|r| r.message == format!("role `{role}` may not `{verb}`")),
            };
            assert_eq!(refused, !may(role, verb), "{role} {verb}");
        }
    }
}

/// What is wrong with a command whatever it asks for, all at once.
#[test]
fn a_command_without_form_is_told_everything_at_once() {
    let house = House::new();
    let actor = crate::cast::actor("aud");
    let order = anlauf_recovery::Order::EndIncident;
    let command = Command {
        key: String::new(),
        actor,
        reason: " ".into(),
        order,
    };
    let refusal = decide(&house.state, house.now, &command).unwrap_err();
    let codes: Vec<_> = refusal.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, ["AN-REC-001", "AN-REC-001", "AN-REC-003"]);
    let long = Command {
        key: "k".repeat(129),
        reason: "r".repeat(2_001),
        ..command
    };
    let refusal = decide(&house.state, house.now, &long).unwrap_err();
    assert_eq!(refusal.reasons.len(), 3);
}
