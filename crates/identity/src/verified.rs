//! What every way of signing in ends in.

use reeve_types::{
    AccessKeyId, GroupName, MAX_SESSION_GROUPS, PosixIdentity, ServiceAccountId, SignInMethod, SubjectId,
    UserId,
};

/// Somebody who proved who they are, and what was shown of them on the way. A session is begun from this and from nothing
/// else; only the constructors below make one, one for each way of signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedIdentity {
    subject: SubjectId,
    method: SignInMethod,
    groups: Vec<GroupName>,
    posix: Option<PosixIdentity>,
    access_key: Option<AccessKeyId>,
}

/// An identity provider says that somebody is in more groups than a session can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the identity provider sends {0} groups, and {MAX_SESSION_GROUPS} are possible: let it send only the groups that access \
     rules name"
)]
pub struct TooManyGroups(pub usize);

impl VerifiedIdentity {
    /// A local user who gave the right password. A password shows no groups and no POSIX identity.
    pub const fn by_password(user: UserId) -> Self {
        Self::alone(SubjectId::User(user), SignInMethod::Password)
    }

    /// A local user whose passkey was shown. It shows no groups and no POSIX identity.
    pub const fn by_passkey(user: UserId) -> Self {
        Self::alone(SubjectId::User(user), SignInMethod::Passkey)
    }

    /// A service account that gave the right secret. It is in no group and runs nothing as itself.
    pub const fn by_client_secret(account: ServiceAccountId) -> Self {
        Self::alone(SubjectId::ServiceAccount(account), SignInMethod::ClientSecret)
    }

    /// A user whose access key was shown, with the right secret. A key shows no groups and no POSIX identity: what counts is what
    /// a session of the user's own shows at each request.
    pub const fn by_access_key(user: UserId, key: AccessKeyId) -> Self {
        let mut identity = Self::alone(SubjectId::User(user), SignInMethod::AccessKey);
        identity.access_key = Some(key);
        identity
    }

    /// A user for whom an identity provider speaks, with the groups that it names, compared exactly as sent, and the POSIX
    /// identity that it gives, if any. Which user the provider's subject is, the caller has decided, by issuer and subject.
    ///
    /// # Errors
    /// [`TooManyGroups`].
    pub fn by_provider(
        user: UserId,
        mut groups: Vec<GroupName>,
        posix: Option<PosixIdentity>,
    ) -> Result<Self, TooManyGroups> {
        groups.sort_unstable();
        groups.dedup();
        if groups.len() > MAX_SESSION_GROUPS {
            return Err(TooManyGroups(groups.len()));
        }
        Ok(Self {
            subject: SubjectId::User(user),
            method: SignInMethod::IdentityProvider,
            groups,
            posix,
            access_key: None,
        })
    }

    const fn alone(subject: SubjectId, method: SignInMethod) -> Self {
        Self {
            subject,
            method,
            groups: Vec::new(),
            posix: None,
            access_key: None,
        }
    }

    /// Who.
    pub const fn subject(&self) -> SubjectId {
        self.subject
    }

    /// How.
    pub const fn method(&self) -> SignInMethod {
        self.method
    }

    /// In which groups: sorted, each once.
    pub fn groups(&self) -> &[GroupName] {
        &self.groups
    }

    /// The access key that was shown, if it was one.
    pub const fn access_key(&self) -> Option<AccessKeyId> {
        self.access_key
    }

    /// The POSIX identity that the provider gives.
    pub const fn posix(&self) -> Option<&PosixIdentity> {
        self.posix.as_ref()
    }
}

/// Who gave a POSIX identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PosixSource {
    /// An administrator of the account, on the user.
    Administrator,
    /// The identity provider, at the sign-in.
    IdentityProvider,
}

/// As whom somebody's containers run, and who says so. **An administrator's word comes first, and it is taken whole**: the
/// provider's counts only where no administrator set anything. uid of the one and groups of the other would be an identity that
/// nobody gave.
pub const fn effective_posix<'a>(
    administrator: Option<&'a PosixIdentity>,
    provider: Option<&'a PosixIdentity>,
) -> Option<(&'a PosixIdentity, PosixSource)> {
    match (administrator, provider) {
        (Some(posix), _) => Some((posix, PosixSource::Administrator)),
        (None, Some(posix)) => Some((posix, PosixSource::IdentityProvider)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;
    use reeve_types::{Gid, Uid};
    use uuid::Uuid;

    use super::*;

    fn posix() -> impl Strategy<Value = PosixIdentity> {
        let groups = proptest::collection::vec(2000_i64..2100, 0..5);
        (1000_i64..60_000, 1000_i64..60_000, groups).prop_map(|(uid, gid, groups)| {
            let groups = groups.into_iter().map(|gid| Gid::new(gid).unwrap()).collect();
            PosixIdentity::new(Uid::new(uid).unwrap(), Gid::new(gid).unwrap(), groups).unwrap()
        })
    }

    /// What the function promises, said another way: the answer is one of the two as given, the administrator's whenever
    /// there is one. Answers whether `decide` keeps it.
    fn keeps_its_word(
        decide: impl Fn(Option<&PosixIdentity>, Option<&PosixIdentity>) -> Option<PosixIdentity>,
        administrator: Option<&PosixIdentity>,
        provider: Option<&PosixIdentity>,
    ) -> bool {
        let decided = decide(administrator, provider);
        let first = [administrator, provider].into_iter().flatten().next();
        decided.as_ref() == first
    }

    /// A planted fault: the numbers of the one with the groups of the other.
    fn mixed(
        administrator: Option<&PosixIdentity>,
        provider: Option<&PosixIdentity>,
    ) -> Option<PosixIdentity> {
        let (first, _) = effective_posix(administrator, provider)?;
        let groups = provider.unwrap_or(first).supplementary_groups().to_vec();
        PosixIdentity::new(first.uid(), first.gid(), groups).ok()
    }

    /// A planted fault: the provider first.
    fn turned(
        administrator: Option<&PosixIdentity>,
        provider: Option<&PosixIdentity>,
    ) -> Option<PosixIdentity> {
        effective_posix(provider, administrator).map(|(posix, _)| posix.clone())
    }

    fn decided(
        administrator: Option<&PosixIdentity>,
        provider: Option<&PosixIdentity>,
    ) -> Option<PosixIdentity> {
        effective_posix(administrator, provider).map(|(posix, _)| posix.clone())
    }

    proptest! {
        #[test]
        fn an_administrators_posix_identity_comes_first_and_is_taken_whole(
            administrator in option::of(posix()), provider in option::of(posix()),
        ) {
            let (administrator, provider) = (administrator.as_ref(), provider.as_ref());
            prop_assert!(keeps_its_word(decided, administrator, provider));
            let source = effective_posix(administrator, provider).map(|(_, source)| source);
            prop_assert_eq!(source == Some(PosixSource::Administrator), administrator.is_some());
        }

        #[test]
        fn a_session_has_each_group_once_and_no_other(names in proptest::collection::vec("[ab/]{1,3}", 0..8)) {
            let groups: Vec<GroupName> = names.iter().map(|name| name.parse().unwrap()).collect();
            let user = UserId::from_uuid(Uuid::nil());
            let identity = VerifiedIdentity::by_provider(user, groups.clone(), None).unwrap();
            prop_assert!(identity.groups().is_sorted_by(|a, b| a < b));
            prop_assert!(groups.iter().all(|group| identity.groups().contains(group)));
            prop_assert!(identity.groups().iter().all(|group| groups.contains(group)));
        }
    }

    #[test]
    fn a_fault_in_the_order_shows() {
        let identity = |uid, group| {
            let groups = vec![Gid::new(group).unwrap()];
            PosixIdentity::new(Uid::new(uid).unwrap(), Gid::new(5000).unwrap(), groups).unwrap()
        };
        let (one, other) = (identity(70_001, 5001), identity(70_002, 5002));
        let (one, other) = (Some(&one), Some(&other));
        assert!(keeps_its_word(decided, one, other));
        assert!(!keeps_its_word(mixed, one, other));
        assert!(!keeps_its_word(turned, one, other));
    }

    #[test]
    fn more_groups_than_a_session_can_have_are_refused_and_never_cut() {
        let user = UserId::from_uuid(Uuid::nil());
        let groups = |count: usize| (0..count).map(|n| format!("g{n}").parse().unwrap()).collect();
        let most = VerifiedIdentity::by_provider(user, groups(MAX_SESSION_GROUPS), None).unwrap();
        assert_eq!(most.groups().len(), MAX_SESSION_GROUPS);
        let more = VerifiedIdentity::by_provider(user, groups(MAX_SESSION_GROUPS + 1), None);
        assert_eq!(more, Err(TooManyGroups(MAX_SESSION_GROUPS + 1)));
    }
}
