//! Telling people.

use anlauf_model::{TenantId, Text, Timestamp};

use crate::event::Event;
use crate::refusal::{Reason, Refusal};
use crate::state::State;

/// Longest text of a notice. Bytes, per language.
const NOTICE_SIZE_MAX: usize = 8_000;

pub(crate) fn publish(
    state: &State,
    at: Timestamp,
    text: &Text,
    next_word_at: Timestamp,
    tenant: &Option<TenantId>,
) -> Result<Vec<Event>, Refusal> {
    let mut reasons = form(at, text, next_word_at);
    if let Some(tenant) = tenant {
        let known = state
            .landscape
            .as_ref()
            .is_some_and(|l| l.tenant(tenant).is_some());
        if !known {
            let message = format!("tenant `{tenant}` is not in the landscape");
            reasons.push(Reason::new(
                "AN-REC-005",
                message,
                "look it up in the landscape",
            ));
        }
    }
    Refusal::unless_empty(reasons)?;
    Ok(vec![Event::NoticePublished {
        notice: state.notices.len() as u64 + 1,
        text: text.clone(),
        next_word_at,
        tenant: tenant.clone(),
    }])
}

pub(crate) fn revise(
    state: &State,
    at: Timestamp,
    number: u64,
    text: &Text,
    next_word_at: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let mut reasons = form(at, text, next_word_at);
    if state.notice(number).is_none() {
        let message = format!("there is no notice {number}");
        reasons.push(Reason::new(
            "AN-REC-098",
            message,
            "see the list of notices",
        ));
    }
    Refusal::unless_empty(reasons)?;
    Ok(vec![Event::NoticeRevised {
        notice: number,
        text: text.clone(),
        next_word_at,
    }])
}

fn form(at: Timestamp, text: &Text, next_word_at: Timestamp) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (language, text) in [("German", &text.de), ("English", &text.en)] {
        if text.trim().is_empty() || text.len() > NOTICE_SIZE_MAX {
            let message = format!("the {language} text is empty or longer than 8,000 bytes");
            reasons.push(Reason::new(
                "AN-REC-099",
                message,
                "write it in both languages",
            ));
        }
    }
    if next_word_at <= at {
        let message = "the next word would be in the past";
        reasons.push(Reason::new(
            "AN-REC-099",
            message,
            "say when people hear more",
        ));
    }
    reasons
}
