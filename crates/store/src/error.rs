//! What can go wrong, in words a caller may be shown, except for [`StoreError::Database`] and [`StoreError::Corrupt`].

use reeve_types::{Timestamp, Uid};

/// A refused or failed operation of the store. Nothing was changed, except that after [`StoreError::Database`] a write may
/// have been committed all the same: whoever keeps a copy in memory reads it again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something of this name is there already.
    #[error("{what} `{name}` already exists{context}")]
    Conflict {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
        /// Where, with a leading space, or empty.
        context: &'static str,
    },
    /// What the operation refers to is not there.
    #[error("{what} `{id}` does not exist")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Its id or name.
        id: String,
    },
    /// The account would be left without a local System administrator.
    #[error("this would remove the last local System administrator of the account; make another one first")]
    LastAdministrator,
    /// A uid that somebody has or had.
    #[error("uid `{0}` belongs or belonged to somebody else and is never given again; choose another")]
    UidTaken(Uid),
    /// A uid that is not to be released now.
    #[error("uid `{uid}` cannot be released: {why}")]
    UidInUse {
        /// Which.
        uid: Uid,
        /// Who or what has it, and what to do.
        why: String,
    },
    /// An email whose last owner had signed in and was deleted a moment ago.
    #[error(
        "user `{email}` was deleted, and the last Kubernetes token of that user may be good until {until}: make the new user after that"
    )]
    EmailRests {
        /// Which.
        email: String,
        /// When it may be given again.
        until: Timestamp,
    },
    /// A namespace whose last project was another department's.
    #[error(
        "namespace `{namespace}` belonged to a project of another department, and what was left in it may still be there: \
         choose another name, or ask somebody with `project:create` in the whole cluster to make the project"
    )]
    NamespaceOfOthers {
        /// Which.
        namespace: String,
    },
    /// A project that has as many workloads as it may.
    #[error(
        "project `{project}` has {most} workloads, as many as a project may have: delete workloads that have ended (`reeve delete NAME`), \
         or ask who runs the control plane for more (`--workloads-per-project`)"
    )]
    ProjectFull {
        /// Which.
        project: String,
        /// How many.
        most: u32,
    },
    /// A department or project that has as many access rules as it may.
    #[error(
        "{scope} has {most} access rules, as many as a department or project may have: delete some, or give a rule to a group"
    )]
    ScopeFull {
        /// Which.
        scope: String,
        /// How many.
        most: i64,
    },
    /// A scope that has as many assets of a kind as it may.
    #[error("{scope} has {most} {what}, as many as a scope may have: delete some")]
    AssetsFull {
        /// Of what kind, in the plural.
        what: &'static str,
        /// Which.
        scope: String,
        /// How many.
        most: i64,
    },
    /// A role that access rules give.
    #[error("role `{role}` is given by access rules: {rules}. Delete those first")]
    RoleInUse {
        /// Which.
        role: String,
        /// How many rules.
        rules: i64,
    },
    /// An account that has as many roles of its own as it may.
    #[error("the account has {most} roles of its own, as many as it may have: delete some")]
    RolesFull {
        /// How many.
        most: i64,
    },
    /// An account that has as many identity providers as it may.
    #[error("the account has {most} identity providers, as many as it may have: delete some")]
    ProvidersFull {
        /// How many.
        most: i64,
    },
    /// A person who has as many access keys as somebody may.
    #[error(
        "you have {most} access keys, as many as somebody may have: delete one that is not used any more"
    )]
    AccessKeysFull {
        /// How many.
        most: i64,
    },
    /// A person who has as many passkeys as somebody may.
    #[error("you have {most} passkeys, as many as somebody may have: remove one that is not used any more")]
    PasskeysFull {
        /// How many.
        most: i64,
    },
    /// The permission shown is not the one this operation needs: a fault of the program.
    #[error("to {operation}, the permission shown does not fit")]
    Gate {
        /// What was tried.
        operation: &'static str,
    },
    /// A row that does not say what it should: somebody else wrote to the database, or a fault of the program.
    #[error("the database holds a {what} that cannot be read: {reason}")]
    Corrupt {
        /// What kind of row or column.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// There is no room on the disk for what was to be written.
    #[error("failed to {operation}: the disk is full")]
    Full {
        /// What was tried.
        operation: &'static str,
    },
    /// The database is away, or cannot be written to for now: it may be there again in a moment.
    #[error("failed to {operation}: the database is not available")]
    Unavailable {
        /// What was tried.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Undone, since something else was changed at the same time: it is to be decided and done again.
    #[error("failed to {operation}: something else was changed at the same time")]
    Again {
        /// What was tried.
        operation: &'static str,
    },
    /// The database did not do what it was asked for.
    #[error("failed to {operation}")]
    Database {
        /// What was tried.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
