//! The words every part of Reeve shares: ids, checked names, POSIX identities, secrets that cannot be printed, time.
//!
//! A value of a type in this crate has been checked: the only constructors are the parsers, so the rest of the program
//! never looks again. No input or output happens here, and nothing reads a clock or an environment.

pub mod clock;
pub mod error_chain;
pub mod id;
pub mod kubernetes;
pub mod list;
pub mod names;
pub mod namespaces;
pub mod posix;
pub mod revision_token;
pub mod secret;
pub mod session;

pub use clock::{Clock, Timestamp};
pub use error_chain::ErrorChain;
pub use id::{
    AccessRuleId, ClusterId, DepartmentId, ProjectId, Revision, ServiceAccountId, SessionId, UserId,
    WorkloadId,
};
pub use names::{
    ClusterName, Email, GroupName, InvalidName, OrgUnitName, RoleName, ServiceAccountName, WorkloadName,
};
pub use namespaces::{NamespacePattern, ReservedNamespaces};
pub use posix::{Gid, InvalidPosix, LowestId, PosixIdentity, Uid};
pub use revision_token::{InvalidRevisionToken, RevisionToken};
pub use secret::Secret;
pub use session::{MAX_SESSION_GROUPS, SignInMethod, SubjectId};
