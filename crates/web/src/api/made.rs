//! Plans and forecasts for the console's forms, made exactly as the API makes them.
//!
//! In:    a key, a reason. Out: the number of the entry. Never: a second way to plan.

use std::sync::Arc;

use anlauf_planner::Search;
use anlauf_recovery::Order;

use super::planning::submit_made;
use super::{command, forecast, proposal};
use crate::Web;
use crate::limits::FORECAST_SAMPLE_COUNT_DEFAULT;
use crate::memory::Memory;
use crate::problem::Problem;
use crate::who::Who;

/// Makes a plan and proposes it.
pub(crate) async fn plan_for_page(
    web: &Arc<Web>,
    memory: &Memory,
    who: &Who,
    asked: (&str, &str),
) -> Result<u64, Problem> {
    command::permitted(&who.0, "propose_plan")?;
    let made = submit_made(web, memory, who, asked, {
        let web = web.clone();
        move || {
            let search = Search {
                seed: 0,
                steps: web.plan_steps,
            };
            let plan = Box::new(proposal::make(&web, search)?);
            Ok(Order::ProposePlan { plan })
        }
    });
    Ok(made.await?.entry.seq)
}

/// Makes ranges from the plan in force and publishes them.
pub(crate) async fn forecast_for_page(
    web: &Arc<Web>,
    memory: &Memory,
    who: &Who,
    asked: (&str, &str),
) -> Result<u64, Problem> {
    command::permitted(&who.0, "publish_forecast")?;
    let made = submit_made(web, memory, who, asked, {
        let web = web.clone();
        move || {
            let made = forecast::make(&web, FORECAST_SAMPLE_COUNT_DEFAULT, 0)?;
            let forecast = Box::new(made);
            Ok(Order::PublishForecast { forecast })
        }
    });
    Ok(made.await?.entry.seq)
}
