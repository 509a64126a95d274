//! Values that cannot be meant: hours, estimates, stages, paths, time zone.
//!
//! In:    a [`Declared`] landscape. Out: errors and warnings, one per value.

use super::{List, Problems, Spot};
use crate::landscape::freshness::freshness_faults;
use crate::landscape::{Deadline, Declared, Freeze, Service, ServiceScope, Team, Work};
use crate::limits::WORK_HOURS_MAX;
use crate::stage::Stage;

pub(super) fn check(declared: &Declared, problems: &mut Problems) {
    if jiff::tz::TimeZoneDatabase::bundled()
        .get(&declared.time_zone)
        .is_err()
    {
        let zone: String = declared.time_zone.chars().take(80).collect();
        let message = format!("the time zone `{zone}` is unknown; name one like `Europe/Berlin`");
        problems.error("AN-LAN-027", message, [Spot::top("time_zone")]);
    }
    for (index, site) in declared.sites.iter().enumerate() {
        let share = site.work_per_mille;
        if share.foundation.max(share.shared).max(share.tenant) > WORK_PER_MILLE_MAX {
            let message = format!(
                "site `{}` takes more than {WORK_PER_MILLE_MAX} per mille of the estimates; \
                 1000 is the whole of them",
                site.id
            );
            let here = Spot::nth(List::Sites, index, "work_per_mille");
            problems.error("AN-LAN-034", message, [here]);
        }
    }
    for (index, team) in declared.teams.iter().enumerate() {
        check_team(team, Spot::nth(List::Teams, index, "id"), problems);
    }
    for (index, work) in declared.work.iter().enumerate() {
        check_work(work, Spot::nth(List::Work, index, "likely"), problems);
    }
    for (index, freeze) in declared.freezes.iter().enumerate() {
        check_freeze(freeze, Spot::nth(List::Freezes, index, "to_day"), problems);
    }
    for (index, deadline) in declared.deadlines.iter().enumerate() {
        let here = Spot::nth(List::Deadlines, index, "month_day");
        check_deadline(deadline, here, problems);
    }
    let objective = declared.objective;
    if objective.fairness_per_mille.max(objective.basic_per_mille) > 1_000 {
        let message = format!(
            "the objective has {} and {} per mille; a share is at most 1000",
            objective.fairness_per_mille, objective.basic_per_mille
        );
        problems.error("AN-LAN-044", message, [Spot::top("objective")]);
    }
    for (index, why) in freshness_faults(&declared.freshness) {
        let message = format!("rule {} of freshness cannot be meant: {why}", index + 1);
        let here = Spot::nth(List::Freshness, index, "minutes_max");
        problems.error("AN-LAN-045", message, [here]);
    }
    for (index, service) in declared.services.iter().enumerate() {
        let here = Spot::nth(List::Services, index, "id");
        check_service(service, here, problems);
        check_stages(service, here, problems);
        check_door(service, here, problems);
    }
}

/// A site may be slower than the estimate, but not more than tenfold: that is a slip of the pen.
const WORK_PER_MILLE_MAX: u32 = 10_000;

fn check_team(team: &Team, here: Spot, problems: &mut Problems) {
    let id = &team.id;
    if team.lanes == 0 {
        let message = format!("team `{id}` has no lane and can do nothing; give it at least one");
        problems.error("AN-LAN-033", message, [here.at("lanes")]);
    }
    if team.hour_from >= team.hour_to || team.hour_to > 24 {
        let message = format!(
            "team `{id}` works from {} to {}; hours must be 0 to 24 and end after they begin",
            team.hour_from, team.hour_to
        );
        problems.error(
            "AN-LAN-033",
            message,
            [here.at("hour_from"), here.at("hour_to")],
        );
    }
    if team.days.iter().any(|day| !(1..=7).contains(day)) {
        let message =
            format!("team `{id}` names a day outside 1 to 7; Monday is 1 and Sunday is 7");
        problems.error("AN-LAN-033", message, [here.at("days")]);
    }
}

fn check_work(work: &Work, here: Spot, problems: &mut Problems) {
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
        problems.error("AN-LAN-034", message, [here]);
    }
}

fn check_freeze(freeze: &Freeze, here: Spot, problems: &mut Problems) {
    let (from, to) = (freeze.from_day, freeze.to_day);
    if !(0.0 <= from && from < to && to <= FREEZE_DAY_MAX) {
        let reason: String = freeze.reason.en.chars().take(80).collect();
        let message = format!(
            "the freeze `{reason}` lasts from day {from} to day {to}; it must begin at 0 or \
             later, end after it begins and before day {FREEZE_DAY_MAX}"
        );
        problems.error("AN-LAN-026", message, [here.at("from_day"), here]);
    }
}

fn check_deadline(deadline: &Deadline, here: Spot, problems: &mut Problems) {
    let (day, hour) = (deadline.month_day, deadline.hour);
    if !(1..=31).contains(&day) || !(1..=24).contains(&hour) || deadline.services.is_empty() {
        let reason: String = deadline.reason.en.chars().take(80).collect();
        let message = format!(
            "the deadline `{reason}` is day {day} at {hour} o'clock for {} services; it needs a \
             day from 1 to 31, an hour from 1 to 24 and at least one service",
            deadline.services.len()
        );
        problems.error("AN-LAN-044", message, [here]);
    }
}

/// Ten years: no incident is planned beyond.
const FREEZE_DAY_MAX: f64 = 3_660.0;

fn check_service(service: &Service, here: Spot, problems: &mut Problems) {
    let id = &service.id;
    let numbers = [
        (service.mta_hours, "mta_hours"),
        (service.rto_hours, "rto_hours"),
        (service.rank, "rank"),
    ];
    let zeros = numbers.iter().filter(|(number, _)| *number == 0);
    let spots: Vec<Spot> = zeros.map(|(_, key)| here.at(key)).collect();
    if !spots.is_empty() {
        let message = format!("service `{id}` has 0 for mta_hours, rto_hours or rank; from 1 on");
        problems.error("AN-LAN-034", message, spots);
    }
    if service.work_per_mille > WORK_PER_MILLE_MAX {
        let message = format!(
            "service `{id}` takes more than {WORK_PER_MILLE_MAX} per mille of the estimates; \
             1000 is the whole of them"
        );
        problems.error("AN-LAN-034", message, [here.at("work_per_mille")]);
    }
    let is_single = matches!(
        service.scope,
        ServiceScope::Foundation | ServiceScope::Shared
    );
    if is_single && service.home.is_none() {
        let message =
            format!("service `{id}` runs once, but no site is named for it; add `home = \"...\"`");
        problems.error("AN-LAN-037", message, [here]);
    }
    if !is_single && service.home.is_some() {
        let message = format!(
            "service `{id}` has a home, but runs at every site or at the tenant's; remove `home`"
        );
        problems.warn("AN-LAN-037", message, [here.at("home")]);
    }
    if service.custom && service.scope != ServiceScope::Tenant {
        let message =
            format!("service `{id}` is non-standard, but not of scope `tenant`; remove `custom`");
        problems.error("AN-LAN-038", message, [here.at("custom"), here.at("scope")]);
    }
}

fn check_stages(service: &Service, here: Spot, problems: &mut Problems) {
    let id = &service.id;
    let stages = &service.stages;
    let is_rising = stages.windows(2).all(|pair| pair[0] < pair[1]);
    if stages.is_empty() || stages.contains(&Stage::Closed) || !is_rising {
        let message = format!(
            "the stages of service `{id}` must rise, without `closed`, such as \
             [\"pilot\", \"full\"]"
        );
        problems.error("AN-LAN-036", message, [here.at("stages")]);
    } else if stages.last().is_some_and(|last| !last.is_public()) {
        let message = format!(
            "service `{id}` ends at a stage that lets no insured people in; end at `basic` or \
             `full`"
        );
        problems.warn("AN-LAN-036", message, [here.at("stages")]);
    }
    if stages.contains(&Stage::Basic) && service.basic.is_empty() {
        let message = format!(
            "service `{id}` goes through `basic`, but allows nothing in it; list methods and \
             paths in `basic`"
        );
        problems.warn("AN-LAN-036", message, [here.at("stages")]);
    }
}

fn check_door(service: &Service, here: Spot, problems: &mut Problems) {
    let id = &service.id;
    if service.path.as_deref().is_some_and(|path| !is_path(path)) {
        let message = format!(
            "the path of service `{id}` is none; write it like `/epa`, without `..`, `?` and `#`"
        );
        problems.error("AN-LAN-035", message, [here.at("path")]);
    }
    for (item, line) in service.basic.iter().enumerate() {
        let is_right = line.split_once(' ').is_some_and(|(method, path)| {
            !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase()) && is_path(path)
        });
        if !is_right {
            let shown: String = line.chars().take(80).collect();
            let message = format!(
                "service `{id}` allows `{shown}` in stage basic; write a method and a path, like \
                 `GET /`"
            );
            problems.error("AN-LAN-035", message, [here.at("basic").item(Some(item))]);
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
        problems.error("AN-LAN-035", message, [here.at("upstream")]);
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
