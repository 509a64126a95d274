//! What people were told, and whom one can tell.

use anlauf_model::{TenantId, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::state::Notice;

use super::inbox::is_word_late;

/// The desk for texts.
pub(crate) struct DeskView {
    /// Newest first.
    pub(crate) notices: Vec<NoticeView>,
    pub(crate) tenants: Vec<(TenantId, String)>,
    pub(crate) is_late: bool,
}

/// A notice with its reader's name.
#[derive(Clone, Debug)]
pub(crate) struct NoticeView {
    pub(crate) notice: Notice,
    pub(crate) reader: Option<String>,
}

impl DeskView {
    pub(crate) fn of(state: &State, now: Timestamp) -> Self {
        let tenants = state.landscape.iter().flat_map(|l| &l.declared().tenants);
        Self {
            notices: notices(state, |_| true),
            tenants: tenants
                .map(|tenant| (tenant.id.clone(), tenant.name.clone()))
                .collect(),
            is_late: is_word_late(state, now),
        }
    }
}

/// Notices that are kept, newest first.
pub(crate) fn notices(state: &State, keep: impl Fn(&Notice) -> bool) -> Vec<NoticeView> {
    let view = |notice: &Notice| NoticeView {
        reader: notice.tenant.as_ref().map(|id| {
            let tenant = state.landscape.as_ref().and_then(|l| l.tenant(id));
            tenant.map_or_else(|| id.to_string(), |tenant| tenant.name.clone())
        }),
        notice: notice.clone(),
    };
    state
        .notices
        .iter()
        .rev()
        .filter(|notice| keep(notice))
        .map(view)
        .collect()
}
