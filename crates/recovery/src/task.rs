//! Work on cells: start, finish, do again.

use anlauf_model::{Cell, CellId, Role, Stage, TaskKind, Timestamp};

use crate::command::{Actor, TaskRef};
use crate::decide::by_owner;
use crate::event::Event;
use crate::incident::{held, not_running};
use crate::refusal::{Reason, Refusal};
use crate::state::{CellState, State};

pub(crate) fn start(
    state: &State,
    at: Timestamp,
    actor: &Actor,
    tasks: &[TaskRef],
) -> Result<Vec<Event>, Refusal> {
    let mut reasons: Vec<Reason> = not_running(state).into_iter().collect();
    reasons.extend(form(tasks));
    for task in tasks {
        match look_up(state, task) {
            Err(reason) => reasons.push(reason),
            Ok((cell, now)) => {
                reasons.extend(may_start(state, at, cell, now, task.task));
                if actor.role == Role::Tenant && task.task != TaskKind::Acceptance {
                    let message = format!("{} of `{}` is the provider's work", task.task, cell.id);
                    reasons.push(Reason::new("AN-REC-004", message, "start only acceptance"));
                }
            }
        }
    }
    Refusal::unless_empty(reasons)?;
    let runs = by_owner(tasks.to_vec(), |t| &t.cell);
    Ok(runs
        .into_iter()
        .map(|tasks| Event::TasksStarted { tasks })
        .collect())
}

fn may_start(
    state: &State,
    at: Timestamp,
    cell: &Cell,
    now: &CellState,
    task: TaskKind,
) -> Vec<Reason> {
    let id = &cell.id;
    let mut reasons = Vec::new();
    if let Some(known) = now.tasks.get(&task) {
        let word = if known.finished.is_some() {
            "done"
        } else {
            "running"
        };
        let message = format!("{task} of `{id}` is already {word}");
        reasons.push(Reason::new(
            "AN-REC-030",
            message,
            "nothing needs to be started",
        ));
    }
    let steps = cell.steps(returns(state, cell)).map(|(kind, _)| kind);
    for before in steps.filter(|kind| *kind < task) {
        if !now.is_done(before) {
            let message = format!("{before} of `{id}` comes before {task} and is not done");
            reasons.push(Reason::new(
                "AN-REC-031",
                message,
                format!("finish {before} first"),
            ));
        }
    }
    if task > TaskKind::Evidence {
        for need in needs_closed(state, cell) {
            let message = format!("`{id}` needs `{need}`, which is not open");
            reasons.push(Reason::new(
                "AN-REC-032",
                message,
                format!("release `{need}` first"),
            ));
        }
    }
    reasons.extend(held(state, at, &cell.site));
    if task == TaskKind::Acceptance
        && cell.stages.contains(&Stage::Pilot)
        && now.stage < Stage::Pilot
    {
        let message = format!("`{id}` is not open to testers");
        reasons.push(Reason::new(
            "AN-REC-034",
            message,
            "release it to stage pilot first",
        ));
    }
    reasons
}

/// Whether a cell comes back from its emergency operation: that is open to people, and the cell was
/// not decided on before there was anything to return from.
pub(crate) fn returns(state: &State, cell: &Cell) -> bool {
    let way = cell.detour.as_ref();
    let way = way.and_then(|detour| state.cells.get(&detour.cell));
    let begun = state.cells.get(&cell.id).map(|now| &now.tasks);
    let decided = begun.is_some_and(|tasks| {
        let behind = tasks.keys().any(|task| *task > TaskKind::Return);
        behind && !tasks.contains_key(&TaskKind::Return)
    });
    way.is_some_and(|way| way.stage.is_public()) && !decided
}

/// Needs of a cell that are not open to people.
pub(crate) fn needs_closed<'a>(state: &'a State, cell: &'a Cell) -> Vec<&'a CellId> {
    let open = |id: &CellId| {
        state
            .cells
            .get(id)
            .is_some_and(|need| need.stage.is_public())
    };
    cell.needs.iter().filter(|need| !open(need)).collect()
}

pub(crate) fn finish(
    state: &State,
    actor: &Actor,
    tasks: &[TaskRef],
) -> Result<Vec<Event>, Refusal> {
    let mut reasons = not_under_way(state, tasks);
    reasons.extend(tasks.iter().filter_map(|task| not_theirs(actor, task)));
    Refusal::unless_empty(reasons)?;
    let runs = by_owner(tasks.to_vec(), |t| &t.cell);
    Ok(runs
        .into_iter()
        .map(|tasks| Event::TasksFinished { tasks })
        .collect())
}

pub(crate) fn fail(state: &State, tasks: &[TaskRef]) -> Result<Vec<Event>, Refusal> {
    Refusal::unless_empty(not_under_way(state, tasks))?;
    let runs = by_owner(tasks.to_vec(), |t| &t.cell);
    Ok(runs
        .into_iter()
        .map(|tasks| Event::TasksFailed { tasks })
        .collect())
}

/// Steps that end with a word that this actor cannot give.
fn not_theirs(actor: &Actor, task: &TaskRef) -> Option<Reason> {
    let cell = &task.cell;
    match task.task {
        TaskKind::Acceptance => {
            let message = format!("acceptance of `{cell}` ends with the tenant's word");
            Some(Reason::new(
                "AN-REC-037",
                message,
                "have the tenant accept or refuse",
            ))
        }
        TaskKind::Decision if !matches!(actor.role, Role::Operator | Role::Owner) => {
            let message = format!("role `{}` does not decide on `{cell}`", actor.role);
            Some(Reason::new(
                "AN-REC-037",
                message,
                "have an operator or the owner enter it",
            ))
        }
        _ => None,
    }
}

/// A reason for every task that is not running.
fn not_under_way(state: &State, tasks: &[TaskRef]) -> Vec<Reason> {
    let mut reasons = form(tasks);
    for task in tasks {
        match look_up(state, task) {
            Err(reason) => reasons.push(reason),
            Ok((_, now)) => {
                let runs = now
                    .tasks
                    .get(&task.task)
                    .is_some_and(|t| t.finished.is_none());
                if !runs {
                    let message = format!("{} of `{}` is not running", task.task, task.cell);
                    reasons.push(Reason::new("AN-REC-035", message, "start it first"));
                }
            }
        }
    }
    reasons
}

/// What is wrong with a list of tasks whatever it is for.
fn form(tasks: &[TaskRef]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if tasks.is_empty() {
        reasons.push(Reason::new(
            "AN-REC-006",
            "no task is named",
            "name at least one",
        ));
    }
    let mut sorted: Vec<_> = tasks.iter().collect();
    sorted.sort();
    for pair in sorted.windows(2).filter(|pair| pair[0] == pair[1]) {
        let message = format!("{} of `{}` is named twice", pair[0].task, pair[0].cell);
        reasons.push(Reason::new("AN-REC-006", message, "name each task once"));
    }
    reasons
}

fn look_up<'a>(state: &'a State, task: &TaskRef) -> Result<(&'a Cell, &'a CellState), Reason> {
    let cell = state.landscape.as_ref().and_then(|l| l.cell(&task.cell));
    let (Some(cell), Some(now)) = (cell, state.cells.get(&task.cell)) else {
        let message = format!("cell `{}` is not in the landscape", task.cell);
        return Err(Reason::new(
            "AN-REC-005",
            message,
            "look it up with `anlauf status`",
        ));
    };
    let begun = now.tasks.contains_key(&task.task);
    let mut steps = cell.steps(returns(state, cell));
    if !begun && !steps.any(|(kind, _)| kind == task.task) {
        let message = format!("cell `{}` has no task {}", task.cell, task.task);
        return Err(Reason::new(
            "AN-REC-036",
            message,
            "see the cell's page for its tasks",
        ));
    }
    Ok((cell, now))
}
