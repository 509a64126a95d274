//! What is derived from the example, line by line.

use std::collections::BTreeMap;

use super::*;

pub(super) fn files() -> BTreeMap<String, Vec<u8>> {
    example::example()
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.into_bytes()))
        .collect()
}

pub(super) fn declared() -> Declared {
    source::read(&files()).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn landscape() -> Landscape {
    Landscape::new(declared()).unwrap()
}

fn text(ids: &[CellId]) -> String {
    ids.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_example_is_free_of_errors() {
    let problems: String = lint::lint(&declared())
        .iter()
        .map(|p| format!("{p}\n"))
        .collect();
    insta::assert_snapshot!(problems);
}

#[test]
fn cells_of_the_example() {
    let landscape = landscape();
    let lines: String = landscape
        .cells()
        .values()
        .map(|c| {
            format!(
                "{} {} {} at {} needs [{}] after [{}] insured {} harm {}\n",
                c.id,
                word_of(&c.kind),
                word_of(&c.class),
                c.site,
                text(&c.needs),
                text(&c.after),
                c.insured,
                c.harm
            )
        })
        .collect();
    insta::assert_snapshot!(lines);
}

#[test]
fn work_is_scaled_by_site_and_done_by_the_right_team() {
    let landscape = landscape();
    let tasks = |id: &str| -> String {
        let cell = landscape.cell(&id.parse().unwrap()).unwrap();
        cell.tasks
            .iter()
            .map(|(task, need)| {
                let team = need.team.as_ref().map_or("tenant", TeamId::as_str);
                let ThreePoint {
                    optimistic: o,
                    likely: l,
                    pessimistic: p,
                } = need.work;
                format!("{task} {team} {} {} {}\n", o.0, l.0, p.0)
            })
            .collect()
    };
    insta::assert_snapshot!(tasks("site-east/network"), @r"
    evidence forensics 240 480 1440
    rebuild systems 360 720 2400
    decision crisis 30 60 120
    ");
    insta::assert_snapshot!(tasks("site-west/network"), @r"
    evidence forensics 24 48 144
    rebuild systems 36 72 240
    decision crisis 3 6 12
    ");
    insta::assert_snapshot!(tasks("town-cedar/portal"), @r"
    rebuild systems 30 60 240
    acceptance tenant 15 60 360
    decision crisis 3 3 7
    ");
}

#[test]
fn doors_are_filled_in() {
    let landscape = landscape();
    let door = |id: &str| {
        let cell = landscape.cell(&id.parse().unwrap()).unwrap();
        (cell.host.clone(), cell.path.clone())
    };
    assert_eq!(
        door("town-alder/special-02"),
        (
            "town-alder.beispiel.example".to_owned(),
            "/special-02".to_owned()
        )
    );
    let mut declared = declared();
    let portal = declared
        .services
        .iter_mut()
        .find(|s| s.id.as_str() == "portal")
        .unwrap();
    portal.upstream = Some("http://{owner}.{site}.internal/{service}".to_owned());
    let landscape = Landscape::new(declared).unwrap();
    let cell = landscape
        .cell(&"town-alder/portal".parse().unwrap())
        .unwrap();
    assert_eq!(
        cell.upstream.as_deref(),
        Some("http://town-alder.site-east.internal/portal")
    );
}

#[test]
fn dependents_are_the_needs_turned_round() {
    let landscape = landscape();
    let of = |id: &str| landscape.dependents(&id.parse().unwrap());
    insta::assert_snapshot!(text(of("shared/mail")));
    insta::assert_snapshot!(text(of("town-alder/mail")), @"town-alder/portal");
    for cell in landscape.cells().values() {
        for need in &cell.needs {
            assert!(landscape.dependents(need).contains(&cell.id));
        }
    }
    let all = landscape.dependents_all(&"foundation/identity".parse().unwrap());
    let networks = landscape
        .cells_of_service(&"network".parse().unwrap())
        .len();
    // Everything but the networks and itself leans on the identities.
    assert_eq!(all.len(), landscape.cells().len() - networks - 1);
    assert!(of("town-alder/special-01").is_empty());
}

#[test]
fn cells_are_found_by_tenant_service_and_site() {
    let landscape = landscape();
    let tenant: TenantId = "town-alder".parse().unwrap();
    insta::assert_snapshot!(text(landscape.cells_of_tenant(&tenant)));
    let site: SiteId = "site-west".parse().unwrap();
    insta::assert_snapshot!(text(landscape.cells_at_site(&site)));
    assert!(
        landscape
            .cells_of_tenant(&"nobody".parse().unwrap())
            .is_empty()
    );
}

#[test]
fn approvers_that_no_file_names_are_added_once() {
    let mut declared = declared();
    declared.people.push(Person {
        id: "town-alder.approver-2".parse().unwrap(),
        name: "Amt für Digitales".to_owned(),
        organisation: "town-alder".parse().unwrap(),
        role: Role::Tenant,
    });
    let landscape = Landscape::new(declared).unwrap();
    let names: Vec<_> = landscape
        .people()
        .iter()
        .filter(|p| p.role == Role::Tenant)
        .map(|p| format!("{} {}", p.id, p.name))
        .collect();
    insta::assert_snapshot!(names.join("\n"), @r"
    town-alder.approver-2 Amt für Digitales
    town-alder.approver-1 Freigabe 1, Stadt Erle
    town-birch.approver-1 Freigabe 1, Stadt Birke
    town-birch.approver-2 Freigabe 2, Stadt Birke
    town-cedar.approver-1 Freigabe 1, Stadt Zeder
    town-cedar.approver-2 Freigabe 2, Stadt Zeder
    ");
    let again = Landscape::new(landscape.declared().clone()).unwrap();
    assert_eq!(again, landscape);
}

#[test]
fn the_first_rule_that_matches_speaks() {
    let landscape = landscape();
    let rule = |kind, stage| {
        landscape
            .rule(Class::A, kind, stage)
            .map(|r| r.findings.len())
    };
    assert_eq!(rule(CellKind::Tenant, Stage::Pilot), Some(1));
    assert_eq!(rule(CellKind::Tenant, Stage::Full), Some(3));
    assert_eq!(rule(CellKind::Tenant, Stage::Closed), None);
    assert_eq!(rule(CellKind::Switch, Stage::Full), None);
    let normal = policy::normal_rules(&landscape.declared().policy);
    assert!(
        normal
            .iter()
            .all(|r| r.findings == [FindingKind::Commissioned])
    );
    assert_eq!(normal.len(), landscape.declared().policy.len());
}

#[test]
fn a_better_rank_weighs_more() {
    let harm = |rank: u32, mta_hours: u32| {
        let mut declared = declared();
        let portal = declared
            .services
            .iter_mut()
            .find(|s| s.id.as_str() == "portal")
            .unwrap();
        (portal.rank, portal.mta_hours, portal.rto_hours) = (rank, mta_hours, 48);
        let landscape = Landscape::new(declared).unwrap();
        landscape
            .cell(&"town-alder/portal".parse().unwrap())
            .unwrap()
            .harm
    };
    assert_eq!(harm(5, 100), 100);
    assert_eq!(harm(3, 100), 200);
    assert_eq!(harm(1, 100), 400);
    assert_eq!(harm(9, 100), 25);
    assert_eq!(harm(40, 100), 25);
    assert_eq!(harm(5, 200), 50);
    assert_eq!(harm(9, 8_000_000), 1);
}
