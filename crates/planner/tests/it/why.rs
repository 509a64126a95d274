//! Why a cell is where it is.

use anlauf_model::Timestamp;
use anlauf_planner::{Why, plan, why};

use crate::story::SEARCH;
use crate::world::{World, cell};

/// The chain of a cell in words, nearest first.
fn chain(text: &str, id: &str) -> String {
    let world = World::told(text);
    let plan = plan(&world.situation(), None, SEARCH).unwrap();
    let links = why(&world.situation(), &plan, &cell(id));
    links
        .iter()
        .map(|link| format!("{}\n", words(&world, link)))
        .collect()
}

fn words(world: &World, link: &Why) -> String {
    let at = |at: &Timestamp| {
        let minutes = (*at - world.began).0;
        format!(
            "{}d{:02}:{:02}",
            minutes / 1440,
            minutes % 1440 / 60,
            minutes % 60
        )
    };
    match link {
        Why::Needs { cell, until } => format!("needs {cell}, open at {}", at(until)),
        Why::After { cell, until } => format!("comes after {cell}, open at {}", at(until)),
        Why::Work { task, start, end } => format!("{task} from {} to {}", at(start), at(end)),
        Why::Team {
            team,
            task,
            since,
            until,
            behind,
        } => {
            let behind: Vec<_> = behind.iter().map(ToString::to_string).collect();
            let behind = behind.join(" ");
            format!(
                "{task}: {team} busy from {} to {} with {behind}",
                at(since),
                at(until)
            )
        }
        Why::Acceptance { since, until } => {
            format!("testers busy from {} to {}", at(since), at(until))
        }
        Why::Hold { site, until } => format!("{site} held until {}", at(until)),
        Why::Agreed { slot } => format!("agreed from {} to {}", at(&slot.from), at(&slot.to)),
        Why::Calendar { until } => format!("nobody works or decides until {}", at(until)),
    }
}

#[test]
fn it_goes_back_to_what_can_begin_at_once() {
    let lines = "site rz\n team crew 1 0-24\n team night 1 8-18\n service net site crew
        service core tenant crew needs=net\n service app tenant crew needs=core
        tenant oak 900 rz\n work foundation rebuild - 5\n work tenant rebuild - 2
        work tenant decision night 1";
    insta::assert_snapshot!(chain(lines, "oak/app"), @r"
    decision from 0d11:00 to 0d12:00
    rebuild from 0d09:00 to 0d11:00
    needs oak/core, open at 0d09:00
    decision from 0d08:00 to 0d09:00
    nobody works or decides until 0d08:00
    rebuild from 0d05:00 to 0d07:00
    needs rz/net, open at 0d05:00
    rebuild from 0d00:00 to 0d05:00
    ");
}

#[test]
fn a_busy_team_is_named_with_those_before() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        tenant oak 900 rz\n tenant ash 300 rz\n work tenant rebuild - 3";
    insta::assert_snapshot!(chain(lines, "elm/mail"), @r"
    rebuild from 0d06:00 to 0d09:00
    rebuild: crew busy from 0d00:00 to 0d06:00 with ash/mail oak/mail
    ");
}

#[test]
fn a_hold_ends_the_chain() {
    let lines = "site rz\n team crew 1 8-18\n service mail tenant crew\n tenant elm 100 rz
        work tenant rebuild - 3\n hold rz 20";
    insta::assert_snapshot!(chain(lines, "elm/mail"), @r"
    rebuild from 1d08:00 to 1d11:00
    nobody works or decides until 1d08:00
    rz held until 0d20:00
    ");
}

#[test]
fn an_agreed_window_ends_the_chain() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        work tenant rebuild - 3\n work tenant decision - 1\n slot elm/mail 20 30";
    insta::assert_snapshot!(chain(lines, "elm/mail"), @r"
    decision from 0d20:00 to 0d21:00
    agreed from 0d20:00 to 1d06:00
    ");
}

#[test]
fn order_and_testers_are_told_apart_from_teams() {
    let lines = "site rz\n team crew 9 0-24\n service a tenant crew rank=1
        service b tenant crew rank=1\n service c tenant crew rank=1\n service d tenant crew rank=2
        service e tenant crew rank=1 after=d\n tenant oak 900 rz\n work tenant acceptance - 4
        work tenant decision - 1";
    insta::assert_snapshot!(chain(lines, "oak/e"), @r"
    decision from 0d16:00 to 0d17:00
    comes after oak/d, open at 0d16:00
    decision from 0d15:00 to 0d16:00
    acceptance from 0d11:00 to 0d15:00
    testers busy from 0d00:00 to 0d11:00
    ");
}

#[test]
fn a_freeze_is_told_as_calendar() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        work tenant rebuild - 3\n work tenant decision - 1\n freeze 0 1.5";
    insta::assert_snapshot!(chain(lines, "elm/mail"), @r"
    decision from 1d12:00 to 1d13:00
    nobody works or decides until 1d12:00
    rebuild from 0d00:00 to 0d03:00
    ");
}

#[test]
fn what_runs_is_the_end_of_the_chain() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        work tenant rebuild - 4\n work tenant decision - 1\n now 10\n running elm/mail rebuild 9";
    insta::assert_snapshot!(chain(lines, "elm/mail"), @r"
    decision from 0d13:00 to 0d14:00
    rebuild from 0d09:00 to 0d13:00
    ");
}

#[test]
fn a_cell_that_is_not_planned_has_no_chain() {
    let lines = "site rz\n team crew 1 0-24\n service mail tenant crew\n tenant elm 100 rz
        work tenant rebuild - 4\n open elm/mail";
    assert_eq!(chain(lines, "elm/mail"), "");
    assert_eq!(chain(lines, "elm/none"), "");
}
