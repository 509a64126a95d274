//! What a planner must do, told in small landscapes.

use anlauf_model::{Plan, Timestamp};
use anlauf_planner::{Search, plan};

use crate::checker;
use crate::world::World;

pub const SEARCH: Search = Search { seed: 7, steps: 30 };

/// Plans the world, has the plan judged, and prints it by beginning: days and times since it began.
pub fn told(text: &str) -> String {
    let world = World::told(text);
    match plan(&world.situation(), None, SEARCH) {
        Err(contradiction) => {
            let cells: Vec<String> = contradiction
                .cells
                .iter()
                .map(ToString::to_string)
                .collect();
            wrapped(&format!(
                "contradiction: {}; {contradiction}",
                cells.join(" ")
            ))
        }
        Ok(plan) => {
            let wrong = checker::violations(&world.situation(), &plan);
            assert_eq!(
                wrong,
                Vec::<String>::new(),
                "{text}\n{}",
                table(&world, &plan)
            );
            table(&world, &plan)
        }
    }
}

/// The words in lines of at most 80 characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().unwrap();
        if last.len() + word.len() > 80 {
            lines.push(word.to_owned());
        } else {
            last.push_str(if last.is_empty() { "" } else { " " });
            last.push_str(word);
        }
    }
    lines.join("\n")
}

fn table(world: &World, plan: &Plan) -> String {
    let time = |at: Timestamp| {
        let minutes = (at - world.began).0;
        let (day, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
        format!("{day}d{:02}:{:02}", minute / 60, minute % 60)
    };
    let mut rows: Vec<_> = plan.rows.iter().collect();
    rows.sort_by_key(|row| (row.start, row.end, &row.cell));
    let line = |row: &&anlauf_model::PlanRow| {
        format!(
            "{}-{} {} {}\n",
            time(row.start),
            time(row.end),
            row.cell,
            row.task
        )
    };
    let lines: String = rows.iter().map(line).collect();
    format!("{lines}cost {} bound {}", plan.objective, plan.bound)
}

#[test]
fn more_insured_and_less_work_come_first() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        tenant oak 900 rz\n tenant ash 300 rz\n work tenant rebuild - 3";
    insta::assert_snapshot!(told(lines), @r"
        0d00:00-0d03:00 oak/mail rebuild
        0d03:00-0d06:00 ash/mail rebuild
        0d06:00-0d09:00 elm/mail rebuild
        cost 540000 bound 539984
    ");
}

#[test]
fn what_others_need_comes_early_whatever_its_own_weight() {
    let lines = "site rz\n site berg\n team crew 1 0-24\n service net site crew mta=1000
        service mail tenant crew needs=net\n tenant elm 10 berg\n tenant oak 900 rz
        work foundation rebuild - 5\n work tenant rebuild - 2";
    insta::assert_snapshot!(told(lines), @r"
        0d00:00-0d05:00 rz/net rebuild
        0d05:00-0d07:00 oak/mail rebuild
        0d07:00-0d12:00 berg/net rebuild
        0d12:00-0d14:00 elm/mail rebuild
        cost 690200 bound 685399
    ");
}

#[test]
fn evidence_is_secured_before_what_the_cell_needs_is_open() {
    let lines = "site rz\n team crew 2 0-24\n team forensics 1 0-24\n service net site crew
        service mail tenant crew needs=net\n tenant oak 900 rz\n work foundation rebuild - 5
        work tenant evidence forensics 2\n work tenant rebuild - 2\n work tenant decision - 1";
    insta::assert_snapshot!(told(lines), @r"
        0d00:00-0d02:00 oak/mail evidence
        0d00:00-0d05:00 rz/net rebuild
        0d05:00-0d07:00 oak/mail rebuild
        0d07:00-0d08:00 oak/mail decision
        cost 1170000 bound 1170000
    ");
}

#[test]
fn a_night_stretches_work_and_a_sunday_skips_it() {
    let lines = "site rz\n team crew 1 8-18 1,2,3,4,5,6\n service mail tenant crew
        tenant oak 900 rz\n work tenant rebuild - 55\n work tenant decision - 1";
    insta::assert_snapshot!(told(lines), @r"
        0d08:00-5d13:00 oak/mail rebuild
        5d13:00-5d14:00 oak/mail decision
        cost 12060000 bound 12060000
    ");
}

#[test]
fn the_day_on_which_clocks_go_forward_has_an_hour_less() {
    // 29 March 2026: 02:00 becomes 03:00 in Berlin; 1 to 5 o'clock are three hours of work.
    let lines = "zone Europe/Berlin\n began 2026-03-28T12:00:00Z\n site rz\n team crew 1 1-5
        service mail tenant crew\n tenant oak 900 rz\n work tenant rebuild - 4";
    insta::assert_snapshot!(told(lines), @r"
        0d12:00-1d12:00 oak/mail rebuild
        cost 3240000 bound 3240000
    ");
}

#[test]
fn a_tenant_tests_three_cells_at_once_and_no_more() {
    let lines = "site rz\n team crew 9 0-24\n service a tenant crew\n service b tenant crew
        service c tenant crew\n service d tenant crew\n tenant oak 900 rz
        work tenant acceptance - 4\n work tenant decision - 1";
    insta::assert_snapshot!(told(lines), @r"
        0d07:00-0d11:00 oak/a acceptance
        0d07:00-0d11:00 oak/b acceptance
        0d07:00-0d11:00 oak/c acceptance
        0d11:00-0d12:00 oak/a decision
        0d11:00-0d12:00 oak/b decision
        0d11:00-0d12:00 oak/c decision
        0d11:00-0d15:00 oak/d acceptance
        0d15:00-0d16:00 oak/d decision
        cost 4680000 bound 4559928
    ");
}

#[test]
fn order_holds_the_decision_only() {
    let lines = "site rz\n team crew 3 0-24\n service app tenant crew
        service og tenant crew after=app rank=1\n tenant oak 900 rz\n work tenant rebuild - 5
        work tenant decision - 1";
    insta::assert_snapshot!(told(lines), @r"
        0d00:00-0d05:00 oak/app rebuild
        0d00:00-0d05:00 oak/og rebuild
        0d05:00-0d06:00 oak/app decision
        0d06:00-0d07:00 oak/og decision
        cost 3060000 bound 3060000
    ");
}

#[test]
fn a_held_site_waits_and_a_free_one_goes_on() {
    let lines = "site rz\n site berg\n team crew 1 0-24\n service mail tenant crew
        tenant elm 900 rz\n tenant oak 100 berg\n work tenant rebuild - 3\n hold rz 24";
    insta::assert_snapshot!(told(lines), @r"
        0d00:00-0d03:00 oak/mail rebuild
        1d00:00-1d03:00 elm/mail rebuild
        cost 2460000 bound 2460000
    ");
}

#[test]
fn nothing_is_decided_in_a_freeze() {
    let lines = "site rz\n site berg\n team crew 2 0-24\n service mail tenant crew
        tenant elm 900 rz\n tenant oak 100 berg\n work tenant rebuild - 20
        work tenant decision - 2\n freeze 0.5 1.5 rz";
    insta::assert_snapshot!(told(lines), @r"
        0d00:00-0d20:00 elm/mail rebuild
        0d00:00-0d20:00 oak/mail rebuild
        0d20:00-0d22:00 oak/mail decision
        1d12:00-1d14:00 elm/mail decision
        cost 3640000 bound 3640000
    ");
}

#[test]
fn a_cell_without_decision_does_not_end_in_a_freeze() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 900 rz
        work tenant rebuild - 20\n freeze 0.5 1.5";
    insta::assert_snapshot!(told(lines), @r"
        0d16:00-1d12:00 elm/mail rebuild
        cost 3240000 bound 3240000
    ");
}

#[test]
fn an_agreed_window_is_kept_at_the_cost_of_weightier_cells() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        tenant oak 900 rz\n tenant ash 800 rz\n work tenant rebuild - 10\n slot elm/mail 5 12";
    insta::assert_snapshot!(told(lines), @r"
        0d00:00-0d10:00 elm/mail rebuild
        0d10:00-0d20:00 oak/mail rebuild
        0d20:00-1d06:00 ash/mail rebuild
        cost 4300000 bound 2799899
    ");
}

#[test]
fn a_window_holds_a_cell_back_and_lets_others_pass() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        tenant oak 900 rz\n work tenant rebuild - 10\n work tenant decision - 1
        slot oak/mail 30 40";
    insta::assert_snapshot!(told(lines), @r"
        0d00:00-0d10:00 elm/mail rebuild
        0d10:00-0d11:00 elm/mail decision
        0d11:00-0d21:00 oak/mail rebuild
        1d06:00-1d07:00 oak/mail decision
        cost 2900000 bound 2810000
    ");
}

#[test]
fn a_window_shorter_than_the_decision_holds_its_end() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant oak 900 rz
        work tenant rebuild - 2\n work tenant decision - 3\n slot oak/mail 8 9";
    insta::assert_snapshot!(told(lines), @r"
        0d00:00-0d02:00 oak/mail rebuild
        0d05:00-0d08:00 oak/mail decision
        cost 720000 bound 720000
    ");
}

#[test]
fn a_window_before_the_work_can_end_is_named_with_the_date() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        tenant oak 900 rz\n work tenant rebuild - 10\n slot oak/mail 2 9\n slot elm/mail 2 30";
    insta::assert_snapshot!(told(lines), @r"
        contradiction: oak/mail; `oak/mail` cannot be open before 2026-03-02T10:00:00Z,
        but its window is from 2026-03-02T02:00:00Z to 2026-03-02T09:00:00Z
    ");
}

#[test]
fn of_windows_that_contradict_only_the_guilty_are_named() {
    let lines = "site rz\n team crew 1 0-24\n team other 1 0-24\n service mail tenant crew
        service tel tenant other\n tenant elm 100 rz\n tenant oak 900 rz\n tenant ash 300 rz
        work tenant rebuild - 10\n slot oak/mail 2 12\n slot elm/mail 2 19\n slot ash/tel 5 25
        slot oak/tel 5 25\n slot ash/mail 5 100";
    insta::assert_snapshot!(told(lines), @r"
        contradiction: elm/mail oak/mail; the agreed windows of `elm/mail`, `oak/mail`
        cannot be kept together; agree a later one for one of them
    ");
}

#[test]
fn a_need_with_a_later_window_contradicts_an_earlier_one() {
    let lines = "site rz\n team crew 3 0-24\n service core tenant crew
        service app tenant crew needs=core\n tenant oak 900 rz\n work tenant rebuild - 2
        slot oak/core 50 60\n slot oak/app 5 20";
    insta::assert_snapshot!(told(lines), @r"
        contradiction: oak/app oak/core; the agreed windows of `oak/app`, `oak/core`
        cannot be kept together; agree a later one for one of them
    ");
}

#[test]
fn a_window_in_which_nobody_works_is_named() {
    let lines = "site rz\n team crew 1 8-18\n service mail tenant crew\n tenant oak 900 rz
        work tenant rebuild - 2\n slot oak/mail 20 30";
    insta::assert_snapshot!(told(lines), @r"
        contradiction: oak/mail; the agreed window of `oak/mail` cannot be kept: its
        window is from 2026-03-02T20:00:00Z to 2026-03-03T06:00:00Z
    ");
}

#[test]
fn a_team_without_a_lane_is_named() {
    let lines = "site rz\n team crew 1 0-24\n team ill 2 0-24\n service mail tenant crew
        tenant oak 900 rz\n work tenant rebuild - 2\n work tenant decision ill 1\n lanes ill 0";
    insta::assert_snapshot!(told(lines), @r"
        contradiction: oak/mail; team `ill` has no lane, but 1 task waits for it; give it
        at least one
    ");
}

#[test]
fn more_lanes_than_declared_are_used() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        tenant oak 900 rz\n work tenant rebuild - 2\n lanes crew 2";
    insta::assert_snapshot!(told(lines), @r"
        0d00:00-0d02:00 elm/mail rebuild
        0d00:00-0d02:00 oak/mail rebuild
        cost 200000 bound 200000
    ");
}

#[test]
fn a_wish_moves_only_the_tenants_own_cells() {
    let lines = "site rz\n team crew 1 0-24\n service app tenant crew rank=1
        service core tenant crew rank=3\n service epa tenant crew rank=5\n tenant elm 500 rz
        tenant oak 900 rz\n work tenant rebuild - 2\n wish oak oak/epa,oak/core";
    insta::assert_snapshot!(told(lines), @r"
    0d00:00-0d02:00 oak/epa rebuild
    0d02:00-0d04:00 elm/app rebuild
    0d04:00-0d06:00 oak/core rebuild
    0d06:00-0d08:00 elm/core rebuild
    0d08:00-0d10:00 oak/app rebuild
    0d10:00-0d12:00 elm/epa rebuild
    cost 7060000 bound 4899705
    ");
    let without = lines.split("\n wish").next().unwrap();
    let of_elm = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| line.contains("elm"))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(of_elm(&told(lines)), of_elm(&told(without)));
}

#[test]
fn a_wished_cell_brings_what_it_needs_along() {
    let lines = "site rz\n team crew 1 0-24\n service app tenant crew rank=1
        service core tenant crew rank=9\n service epa tenant crew rank=9 needs=core
        tenant oak 900 rz\n work tenant rebuild - 2\n wish oak oak/epa";
    insta::assert_snapshot!(told(lines), @r"
        0d00:00-0d02:00 oak/core rebuild
        0d02:00-0d04:00 oak/epa rebuild
        0d04:00-0d06:00 oak/app rebuild
        cost 2295000 bound 944990
    ");
}

#[test]
fn what_runs_is_not_moved_and_what_is_done_is_not_planned() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        tenant oak 900 rz\n tenant ash 300 rz\n work tenant rebuild - 4\n work tenant decision - 1
        now 10\n running elm/mail rebuild 9\n done oak/mail rebuild 1 6\n open ash/mail";
    insta::assert_snapshot!(told(lines), @r"
        0d09:00-0d13:00 elm/mail rebuild
        0d13:00-0d14:00 oak/mail decision
        0d14:00-0d15:00 elm/mail decision
        cost 1410000 bound 1130000
    ");
}

#[test]
fn a_task_that_is_long_overdue_still_takes_a_little() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        work tenant rebuild - 10\n now 40\n running elm/mail rebuild 9";
    insta::assert_snapshot!(told(lines), @r"
        0d09:00-1d17:00 elm/mail rebuild
        cost 410000 bound 410000
    ");
}

#[test]
fn a_cell_whose_work_is_done_opens_at_once_and_frees_what_waits_for_it() {
    let lines = "site rz\n team crew 1 0-24\n service core tenant crew
        service app tenant crew needs=core\n tenant oak 900 rz\n work tenant rebuild - 2
        now 10\n done oak/core rebuild 1 6";
    insta::assert_snapshot!(told(lines), @r"
        0d10:00-0d12:00 oak/app rebuild
        cost 1980000 bound 1980000
    ");
}

#[test]
fn more_runs_than_a_smaller_team_has_lanes() {
    let lines = "site rz\n team crew 2 0-24\n service mail tenant crew\n tenant elm 100 rz
        tenant oak 900 rz\n tenant ash 300 rz\n work tenant rebuild - 4\n now 10\n lanes crew 1
        running elm/mail rebuild 9\n running oak/mail rebuild 8";
    insta::assert_snapshot!(told(lines), @r"
        0d08:00-0d12:00 oak/mail rebuild
        0d09:00-0d13:00 elm/mail rebuild
        0d13:00-0d17:00 ash/mail rebuild
        cost 1720000 bound 1630000
    ");
}

#[test]
fn nothing_left_to_do_is_an_empty_plan() {
    let lines = "site rz\n team crew 2 0-24\n service mail tenant crew\n tenant elm 100 rz
        work tenant rebuild - 4\n open elm/mail";
    insta::assert_snapshot!(told(lines), @r"cost 0 bound 0");
}

#[test]
fn a_running_decision_opens_no_earlier_than_agreed() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        tenant oak 900 rz\n work tenant rebuild - 4\n work tenant decision - 1\n now 10
        done elm/mail rebuild 1 5\n running elm/mail decision 9.5\n slot elm/mail 12 20";
    insta::assert_snapshot!(told(lines), @r"
    0d09:30-0d12:00 elm/mail decision
    0d10:30-0d14:30 oak/mail rebuild
    0d14:30-0d15:30 oak/mail decision
    cost 1515000 bound 1470000
    ");
}

#[test]
fn a_running_decision_opens_nothing_in_a_freeze() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        work tenant decision - 1\n now 10\n running elm/mail decision 9.5\n freeze 0.4 1";
    insta::assert_snapshot!(told(lines), @r"
    0d09:30-1d00:00 elm/mail decision
    cost 240000 bound 240000
    ");
}
