//! A directory in one order, to be compared.

use crate::DirectorySnapshot;

/// Sorted by ids, without what was heard of clusters.
pub(super) fn sorted(mut all: DirectorySnapshot) -> DirectorySnapshot {
    all.clusters.sort_by_key(|it| it.id);
    all.departments.sort_by_key(|it| it.id);
    all.projects.sort_by_key(|it| it.id);
    all.rules.sort_by_key(|it| it.id);
    all.roles.sort_by_key(|it| it.id);
    all.policies
        .sort_by_key(|it| (it.scope.wire_type(), it.scope.wire_id(), it.kind));
    all.users.sort_by_key(|it| it.id);
    all.service_accounts.sort_by_key(|it| it.id);
    all.sessions.sort_by_key(|it| it.id);
    all.heard.clear();
    all
}
