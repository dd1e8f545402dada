//! Which claim or attribute is what, with the usual names where none is given.

use reeve_api::identity_provider::Mappers;
use reeve_oidc::Mapper;

/// The claims' names, with these where none is given.
pub(crate) fn mapper(mappers: &Mappers, usual: Mapper) -> Mapper {
    let or = |given: &Option<String>, usual: String| given.clone().unwrap_or(usual);
    Mapper {
        email: or(&mappers.email, usual.email),
        groups: or(&mappers.groups, usual.groups),
        uid: or(&mappers.uid, usual.uid),
        gid: or(&mappers.gid, usual.gid),
        supplementary_groups: or(&mappers.supplementary_groups, usual.supplementary_groups),
    }
}

/// All of them, as they are shown.
pub(super) fn shown(mapper: &Mapper) -> Mappers {
    Mappers {
        email: Some(mapper.email.clone()),
        groups: Some(mapper.groups.clone()),
        uid: Some(mapper.uid.clone()),
        gid: Some(mapper.gid.clone()),
        supplementary_groups: Some(mapper.supplementary_groups.clone()),
        alias: None,
    }
}
