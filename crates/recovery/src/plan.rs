//! Plans and forecasts: propose, adopt, put on the record.

use std::sync::Arc;

use anlauf_model::{Forecast, Plan, PlanId};

use crate::event::Event;
use crate::refusal::{Reason, Refusal};
use crate::state::State;

/// Most forecasts a state holds. One a day lasts more than a year.
pub const FORECAST_COUNT_MAX: usize = 512;

/// Leaves out every second one of the older half when there are too many.
pub(crate) fn thin(forecasts: &mut Vec<Arc<Forecast>>) {
    if forecasts.len() <= FORECAST_COUNT_MAX {
        return;
    }
    let mut number = 0;
    forecasts.retain(|_| {
        number += 1;
        number > FORECAST_COUNT_MAX / 2 || number % 2 == 1
    });
}

pub(crate) fn propose(state: &State, plan: &Plan) -> Result<Vec<Event>, Refusal> {
    let mut reasons = Vec::new();
    if plan.clone().sealed().id != plan.id {
        let message = "the plan's id is not the digest of its content";
        reasons.push(Reason::new(
            "AN-REC-050",
            message,
            "have the planner make it again",
        ));
    }
    reasons.extend(wrong_parent(state, plan));
    let stranger = plan
        .rows
        .iter()
        .find(|row| !state.cells.contains_key(&row.cell));
    if let Some(row) = stranger {
        let message = format!(
            "the plan names cell `{}`, which is not in the landscape",
            row.cell
        );
        reasons.push(Reason::new(
            "AN-REC-005",
            message,
            "plan on the adopted landscape",
        ));
    }
    Refusal::unless_empty(reasons)?;
    Ok(vec![Event::PlanProposed {
        plan: Box::new(plan.clone()),
    }])
}

pub(crate) fn adopt(state: &State, id: &PlanId) -> Result<Vec<Event>, Refusal> {
    let Some(plan) = state.proposed.get(id) else {
        let message = format!("no plan `{}` is proposed", id.short());
        return Err(Refusal::one("AN-REC-051", message, "propose it first"));
    };
    Refusal::unless_empty(wrong_parent(state, plan).into_iter().collect())?;
    Ok(vec![Event::PlanAdopted { plan: *id }])
}

fn wrong_parent(state: &State, plan: &Plan) -> Option<Reason> {
    let current = state.plan.as_ref().map(|p| p.id);
    (plan.parent != current).then(|| {
        let message = "the plan is not a child of the plan in force";
        Reason::new("AN-REC-052", message, "plan again from the plan in force")
    })
}

pub(crate) fn publish_forecast(state: &State, forecast: &Forecast) -> Result<Vec<Event>, Refusal> {
    if state.plan.as_ref().map(|p| p.id) != Some(forecast.plan) {
        let message = "the forecast was not made from the plan in force";
        return Err(Refusal::one("AN-REC-053", message, "make it again"));
    }
    Ok(vec![Event::ForecastPublished {
        forecast: Box::new(forecast.clone()),
    }])
}
