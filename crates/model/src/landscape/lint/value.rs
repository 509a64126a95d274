//! Values that cannot be meant: hours, estimates, stages, paths, time zone.
//!
//! In:    a [`Declared`] landscape. Out: errors and warnings, one per value.

use super::Problems;
use crate::landscape::{Declared, Freeze, Service, ServiceScope, Team, Work};
use crate::limits::WORK_HOURS_MAX;
use crate::stage::Stage;

pub(super) fn check(declared: &Declared, problems: &mut Problems) {
    if jiff::tz::TimeZoneDatabase::bundled()
        .get(&declared.time_zone)
        .is_err()
    {
        let zone: String = declared.time_zone.chars().take(80).collect();
        let message = format!("the time zone `{zone}` is unknown; name one like `Europe/Berlin`");
        problems.error("AN-LAN-027", message);
    }
    for site in &declared.sites {
        let share = site.work_per_mille;
        if share.foundation.max(share.shared).max(share.tenant) > WORK_PER_MILLE_MAX {
            let message = format!(
                "site `{}` takes more than {WORK_PER_MILLE_MAX} per mille of the estimates; \
                 1000 is the whole of them",
                site.id
            );
            problems.error("AN-LAN-034", message);
        }
    }
    declared
        .teams
        .iter()
        .for_each(|team| check_team(team, problems));
    declared
        .work
        .iter()
        .for_each(|work| check_work(work, problems));
    declared
        .freezes
        .iter()
        .for_each(|freeze| check_freeze(freeze, problems));
    for service in &declared.services {
        check_service(service, problems);
        check_stages(service, problems);
        check_door(service, problems);
    }
}

/// A site may be slower than the estimate, but not more than tenfold: that is a slip of the pen.
const WORK_PER_MILLE_MAX: u32 = 10_000;

fn check_team(team: &Team, problems: &mut Problems) {
    let id = &team.id;
    if team.lanes == 0 {
        let message = format!("team `{id}` has no lane and can do nothing; give it at least one");
        problems.error("AN-LAN-033", message);
    }
    if team.hour_from >= team.hour_to || team.hour_to > 24 {
        let message = format!(
            "team `{id}` works from {} to {}; hours must be 0 to 24 and end after they begin",
            team.hour_from, team.hour_to
        );
        problems.error("AN-LAN-033", message);
    }
    if team.days.iter().any(|day| !(1..=7).contains(day)) {
        let message =
            format!("team `{id}` names a day outside 1 to 7; Monday is 1 and Sunday is 7");
        problems.error("AN-LAN-033", message);
    }
}

fn check_work(work: &Work, problems: &mut Problems) {
    let (low, likely, high) = (work.optimistic, work.likely, work.pessimistic);
    // Written so that NaN fails: every comparison with it is false.
    let is_sane = 0.0 <= low && low <= likely && likely <= high && high <= WORK_HOURS_MAX;
    if !is_sane {
        let kind = crate::landscape::word_of(&work.kind);
        let message = format!(
            "the estimate of `{}` for kind `{kind}` is {low} / {likely} / {high} hours; it must \
             be optimistic <= likely <= pessimistic, from 0 to {WORK_HOURS_MAX}",
            work.task
        );
        problems.error("AN-LAN-034", message);
    }
}

fn check_freeze(freeze: &Freeze, problems: &mut Problems) {
    let (from, to) = (freeze.from_day, freeze.to_day);
    if !(0.0 <= from && from < to && to <= FREEZE_DAY_MAX) {
        let reason: String = freeze.reason.en.chars().take(80).collect();
        let message = format!(
            "the freeze `{reason}` lasts from day {from} to day {to}; it must begin at 0 or \
             later, end after it begins and before day {FREEZE_DAY_MAX}"
        );
        problems.error("AN-LAN-026", message);
    }
}

/// Ten years: no incident is planned beyond.
const FREEZE_DAY_MAX: f64 = 3_660.0;

fn check_service(service: &Service, problems: &mut Problems) {
    let id = &service.id;
    if service.mta_hours == 0 || service.rto_hours == 0 || service.rank == 0 {
        let message = format!("service `{id}` has 0 for mta_hours, rto_hours or rank; from 1 on");
        problems.error("AN-LAN-034", message);
    }
    let is_single = matches!(
        service.scope,
        ServiceScope::Foundation | ServiceScope::Shared
    );
    if is_single && service.home.is_none() {
        let message =
            format!("service `{id}` runs once, but no site is named for it; add `home = \"...\"`");
        problems.error("AN-LAN-037", message);
    }
    if !is_single && service.home.is_some() {
        let message = format!(
            "service `{id}` has a home, but runs at every site or at the tenant's; remove `home`"
        );
        problems.warn("AN-LAN-037", message);
    }
    if service.custom && service.scope != ServiceScope::Tenant {
        let message =
            format!("service `{id}` is non-standard, but not of scope `tenant`; remove `custom`");
        problems.error("AN-LAN-038", message);
    }
}

fn check_stages(service: &Service, problems: &mut Problems) {
    let id = &service.id;
    let stages = &service.stages;
    let is_rising = stages.windows(2).all(|pair| pair[0] < pair[1]);
    if stages.is_empty() || stages.contains(&Stage::Closed) || !is_rising {
        let message = format!(
            "the stages of service `{id}` must rise, without `closed`, such as \
             [\"pilot\", \"full\"]"
        );
        problems.error("AN-LAN-036", message);
    } else if stages.last().is_some_and(|last| !last.is_public()) {
        let message = format!(
            "service `{id}` ends at a stage that lets no insured people in; end at `basic` or \
             `full`"
        );
        problems.warn("AN-LAN-036", message);
    }
    if stages.contains(&Stage::Basic) && service.basic.is_empty() {
        let message = format!(
            "service `{id}` goes through `basic`, but allows nothing in it; list methods and \
             paths in `basic`"
        );
        problems.warn("AN-LAN-036", message);
    }
}

fn check_door(service: &Service, problems: &mut Problems) {
    let id = &service.id;
    if service.path.as_deref().is_some_and(|path| !is_path(path)) {
        let message = format!(
            "the path of service `{id}` is none; write it like `/epa`, without `..`, `?` and `#`"
        );
        problems.error("AN-LAN-035", message);
    }
    for line in &service.basic {
        let is_right = line.split_once(' ').is_some_and(|(method, path)| {
            !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase()) && is_path(path)
        });
        if !is_right {
            let shown: String = line.chars().take(80).collect();
            let message = format!(
                "service `{id}` allows `{shown}` in stage basic; write a method and a path, like \
                 `GET /`"
            );
            problems.error("AN-LAN-035", message);
        }
    }
    let is_url = |url: &str| {
        let rest = url
            .strip_prefix("http://")
            .or_else(|| url.strip_prefix("https://"));
        rest.is_some_and(|r| {
            !r.is_empty() && !r.contains(|c: char| c.is_whitespace() || c.is_control())
        })
    };
    if service.upstream.as_deref().is_some_and(|url| !is_url(url)) {
        let message = format!(
            "the upstream of service `{id}` is no address; write it like `http://127.0.0.1:9001`"
        );
        problems.error("AN-LAN-035", message);
    }
}

/// A plain absolute path: one meaning for gate and backend alike.
fn is_path(path: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    path.starts_with('/')
        && path.bytes().all(legal)
        && !path.contains("//")
        && path.split('/').all(|part| part != "." && part != "..")
}
