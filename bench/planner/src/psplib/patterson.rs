//! Instances in Patterson format: what PSPLIB and its kin are written in.
//!
//! In:    text. Out: a problem, or an error that names the line and what was expected there.
//! Never: guesses a number that is not there.
//! See:   Patterson, "A comparison of exact approaches for solving the multiple constrained
//!        resource, project scheduling problem", 1984; successors are counted from 1.

use anlauf_scheduler::makespan::{Activity, Problem};
use anyhow::{Context, Result, bail};

/// Reads an instance.
///
/// # Errors
/// Missing, surplus or malformed numbers; a problem that has no schedule.
pub fn read(text: &str) -> Result<Problem> {
    let mut numbers = Numbers::new(text);
    let count = numbers.take("the number of activities")? as usize;
    let resources = numbers.take("the number of resources")? as usize;
    if count == 0 || count > 100_000 || resources > 1_000 {
        bail!("line 1: {count} activities on {resources} resources is no instance of this format");
    }
    let mut capacities = Vec::new();
    for resource in 1..=resources {
        capacities.push(numbers.take(&format!("the capacity of resource {resource}"))?);
    }
    let mut activities = Vec::new();
    for index in 1..=count {
        let activity = read_activity(&mut numbers, resources, count);
        activities.push(activity.with_context(|| format!("cannot read activity {index}"))?);
    }
    if let Some((line, word)) = numbers.rest.next() {
        bail!("line {line}: nothing is expected after the last activity, found `{word}`");
    }
    Ok(Problem::new(activities, capacities)?)
}

fn read_activity(numbers: &mut Numbers<'_>, resources: usize, count: usize) -> Result<Activity> {
    let duration = numbers.take("its duration")?;
    let mut demands = Vec::new();
    for resource in 1..=resources {
        demands.push(numbers.take(&format!("its demand of resource {resource}"))?);
    }
    let mut successors = Vec::new();
    for _ in 0..numbers.take("its number of successors")? {
        let successor = numbers.take("a successor")? as usize;
        if successor == 0 || successor > count {
            bail!(
                "line {}: successor {successor} is not among the activities 1 to {count}",
                numbers.line
            );
        }
        successors.push(successor - 1);
    }
    Ok(Activity {
        duration,
        demands,
        successors,
    })
}

/// Words of a text as numbers, with their lines.
struct Numbers<'a> {
    rest: Box<dyn Iterator<Item = (usize, &'a str)> + 'a>,
    line: usize,
}

impl<'a> Numbers<'a> {
    fn new(text: &'a str) -> Self {
        let lines = text.lines().enumerate();
        let words = lines.flat_map(|(at, line)| line.split_whitespace().map(move |w| (at + 1, w)));
        Self {
            rest: Box::new(words),
            line: 0,
        }
    }

    fn take(&mut self, what: &str) -> Result<u32> {
        let Some((line, word)) = self.rest.next() else {
            bail!(
                "the text ends after line {} where {what} is expected",
                self.line
            );
        };
        self.line = line;
        let number = word.parse();
        number.with_context(|| format!("line {line}: {what} is expected, found `{word}`"))
    }
}

/// Writes an instance, so that [`read`] and a peer read the same.
pub fn write(problem: &Problem) -> String {
    let words = |numbers: &[u32]| {
        let words: Vec<_> = numbers.iter().map(u32::to_string).collect();
        words.join(" ")
    };
    let mut text = format!(
        "{} {}\n{}\n",
        problem.activities().len(),
        problem.capacities().len(),
        words(problem.capacities())
    );
    for activity in problem.activities() {
        let mut row = vec![activity.duration];
        row.extend(&activity.demands);
        row.push(activity.successors.len() as u32);
        row.extend(activity.successors.iter().map(|&s| s as u32 + 1));
        text.push_str(&words(&row));
        text.push('\n');
    }
    text
}
