//! What a landscape is told that can be read, but not meant.

use super::*;
use crate::finding::FindingKind;
use crate::landscape::tests::declared;
use crate::landscape::{Class, FreshnessRule, Service, SignerCount, Stale, word_of};
use crate::role::Role;
use crate::stage::Stage;

/// What is said of the example after a change.
fn told(change: impl FnOnce(&mut Declared)) -> String {
    let mut declared = declared();
    change(&mut declared);
    lint(&declared)
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect()
}

fn service<'d>(declared: &'d mut Declared, id: &str) -> &'d mut Service {
    declared
        .services
        .iter_mut()
        .find(|s| s.id.as_str() == id)
        .unwrap()
}

/// What was said, case by case.
#[derive(Default)]
struct Said(String);

impl Said {
    fn add(&mut self, case: &str, text: &dyn std::fmt::Display) {
        self.0 += &format!("== {case}\n{text}\n");
    }
}

#[test]
fn a_circle_is_told_with_its_path() {
    let mut said = Said::default();
    let needs = told(|d| {
        service(d, "network")
            .needs
            .push("identity".parse().unwrap())
    });
    said.add("needs", &needs);
    let order = told(|d| service(d, "identity").after.push("portal".parse().unwrap()));
    said.add("order", &order);
    let itself = told(|d| service(d, "mail").needs.push("mail".parse().unwrap()));
    said.add("itself", &itself);
    insta::assert_snapshot!(said.0);
}

#[test]
fn a_landscape_in_a_circle_is_not_used() {
    let mut declared = declared();
    service(&mut declared, "network")
        .needs
        .push("identity".parse().unwrap());
    let problems = crate::landscape::Landscape::new(declared).unwrap_err();
    assert_eq!(problems[0].code, "AN-LAN-020");
}

#[test]
fn times_that_contradict_each_other_are_told() {
    let mut said = Said::default();
    let late = told(|d| service(d, "network").rto_hours = 60);
    said.add("late", &late);
    let impatient = told(|d| service(d, "portal").mta_hours = 10);
    said.add("impatient", &impatient);
    insta::assert_snapshot!(said.0);
}

#[test]
fn names_that_no_file_could_hold_are_told_too() {
    let mut said = Said::default();
    let unknown = told(|d| service(d, "portal").needs.push("mial".parse().unwrap()));
    said.add("unknown", &unknown);
    let twice = told(|d| {
        let first = d.tenants[0].clone();
        d.tenants.push(first);
    });
    said.add("twice", &twice);
    let reserved = told(|d| {
        for tenant in [&mut d.tenants[0].id, &mut d.offers[0].tenant] {
            *tenant = "shared".parse().unwrap();
        }
    });
    said.add("reserved", &reserved);
    let numbered = told(|d| service(d, "mail").id = "special-01".parse().unwrap());
    assert!(numbered.contains("AN-LAN-030"), "{numbered}");
    insta::assert_snapshot!(said.0);
}

#[test]
fn values_that_cannot_be_meant_are_told() {
    let mut said = Said::default();
    let values = told(|d| {
        d.time_zone = "Europe/Berln".to_owned();
        d.teams[0].lanes = 0;
        (d.teams[1].hour_from, d.teams[1].hour_to) = (20, 8);
        d.teams[2].days.push(9);
        d.work[0].likely = f64::NAN;
        d.work[1].optimistic = 1_000.0;
        d.freezes[0].to_day = 1.0;
        service(d, "network").rank = 0;
        service(d, "identity").home = None;
        service(d, "mail").custom = true;
        service(d, "portal").stages = vec![Stage::Full, Stage::Pilot];
        service(d, "portal").path = Some("/a/../b".to_owned());
        service(d, "portal").basic = vec!["get /".to_owned()];
        service(d, "portal").upstream = Some("127.0.0.1:1".to_owned());
    });
    said.add("values", &values);
    insta::assert_snapshot!(said.0);
}

#[test]
fn offers_that_make_no_sense_are_told() {
    let mut said = Said::default();
    let offers = told(|d| {
        d.offers[0].service = "network".parse().unwrap();
        d.offers[3].count = 2;
        d.offers[4].count = 0;
    });
    said.add("offers", &offers);
    let nobody = told(|d| d.offers.retain(|o| o.tenant.as_str() == "town-birch"));
    said.add("nobody", &nobody);
    let shared = told(|d| service(d, "mail").needs.push("portal".parse().unwrap()));
    assert!(shared.contains("AN-LAN-039"), "{shared}");
    let without = told(|d| {
        service(d, "special").needs.push("portal".parse().unwrap());
        d.offers
            .retain(|o| (o.tenant.as_str(), o.service.as_str()) != ("town-alder", "portal"));
    });
    said.add("without", &without);
    insta::assert_snapshot!(said.0);
}

#[test]
fn what_can_never_open_is_told() {
    let mut said = Said::default();
    let uncovered = told(|d| d.policy.retain(|rule| word_of(&rule.class) != "A"));
    said.add("uncovered", &uncovered);
    let nobody = told(|d| d.policy[0].signers.clear());
    said.add("nobody", &nobody);
    let finding = told(|d| d.policy[0].findings.push(FindingKind::TenantAccepted));
    said.add("finding", &finding);
    let auditor = told(|d| d.policy[0].signers[0].role = Role::Auditor);
    said.add("auditor", &auditor);
    let tenant = told(|d| d.policy[0].signers[0].role = Role::Tenant);
    said.add("tenant", &tenant);
    let work = told(|d| d.work.retain(|work| word_of(&work.kind) != "switch"));
    said.add("work", &work);
    insta::assert_snapshot!(said.0);
}

#[test]
fn freshness_that_cannot_be_meant_is_told() {
    let rule = |class, minutes_max| FreshnessRule {
        class,
        minutes_max,
        stale: Stale::Close,
    };
    let day = 24 * 60;
    let sound = [
        rule(Class::A, 2),
        rule(Class::B, 240),
        rule(Class::C, 7 * day),
    ];
    assert!(!told(|d| d.freshness = sound.to_vec()).contains("AN-LAN-045"));
    let mut said = Said::default();
    let wrong = [
        rule(Class::A, 1),
        rule(Class::A, 15),
        rule(Class::C, 7 * day + 1),
    ];
    said.add("wrong", &told(|d| d.freshness = wrong.to_vec()));
    insta::assert_snapshot!(said.0);
}

#[test]
fn quorums_without_people_are_told() {
    let mut said = Said::default();
    let few = told(|d| d.people.retain(|person| person.role != Role::Forensics));
    said.add("few", &few);
    let spare = told(|d| d.people.retain(|person| person.id.as_str() != "security-2"));
    said.add("spare", &spare);
    let approvers = told(|d| d.tenants[1].approvers = 0);
    said.add("approvers", &approvers);
    let bodies = told(|d| d.policy[0].organisations_min = 3);
    said.add("bodies", &bodies);
    let one = told(|d| {
        d.policy[5].signers = vec![SignerCount {
            role: Role::Owner,
            count: 1,
        }];
        d.policy[5].organisations_min = 1;
    });
    said.add("one", &one);
    insta::assert_snapshot!(said.0);
}

#[test]
fn single_points_and_doors_are_told() {
    let mut said = Said::default();
    let home = told(|d| service(d, "identity").home = Some("site-east".parse().unwrap()));
    said.add("home", &home);
    let same = told(|d| service(d, "portal").path = Some("/mail".to_owned()));
    said.add("same", &same);
    let below = told(|d| service(d, "portal").path = Some("/mail/portal".to_owned()));
    said.add("below", &below);
    insta::assert_snapshot!(said.0);
}

#[test]
fn a_landscape_over_its_limits_is_not_looked_at_further() {
    let mut said = Said::default();
    let many = told(|d| {
        d.offers[0].count = 1_000_000;
        d.tenants[0].approvers = 10_000;
        service(d, "network")
            .needs
            .push("identity".parse().unwrap());
    });
    said.add("many", &many);
    assert!(!many.contains("AN-LAN-020"), "the circle waits");
    insta::assert_snapshot!(said.0);
}

#[test]
fn the_list_of_problems_has_an_end() {
    let many = told(|d| {
        let offer = d.offers[0].clone();
        d.offers.extend((0..500).map(|_| offer.clone()));
    });
    assert_eq!(many.lines().count(), PROBLEM_COUNT_MAX);
}

#[test]
fn an_emergency_operation_that_cannot_be_is_told() {
    let with = |change: &dyn Fn(&mut Declared)| {
        told(|d| {
            let mut small = service(d, "portal").clone();
            small.id = "small".parse().unwrap();
            small.path = Some("/small".into());
            small.emergency_for = Some("portal".parse().unwrap());
            d.services.push(small);
            for offer in d.offers.clone() {
                if offer.service.as_str() == "portal" {
                    let service = "small".parse().unwrap();
                    d.offers.push(crate::landscape::Offer { service, ..offer });
                }
            }
            let mut back = d.work[0].clone();
            (back.kind, back.task) = (crate::CellKind::Tenant, crate::TaskKind::Return);
            d.work.push(back);
            change(d);
        })
    };
    let mut said = Said::default();
    said.add("as it should be", &with(&|_| {}));
    said.add("no estimate", &with(&|d| drop(d.work.pop())));
    let waits = with(&|d| service(d, "small").needs.push("portal".parse().unwrap()));
    said.add("waits", &waits);
    let leaned_on = with(&|d| service(d, "special").after.push("small".parse().unwrap()));
    said.add("leaned on", &leaned_on);
    said.add("custom", &with(&|d| service(d, "small").custom = true));
    let chain = with(&|d| {
        service(d, "portal").emergency_for = Some("mail".parse().unwrap());
    });
    said.add("of one", &chain);
    let scope = with(&|d| service(d, "small").emergency_for = Some("network".parse().unwrap()));
    said.add("scope", &scope);
    let twice = with(&|d| {
        service(d, "special").custom = false;
        service(d, "special").emergency_for = Some("portal".parse().unwrap());
    });
    said.add("twice", &twice);
    insta::assert_snapshot!(said.0);
}
