//! Who may do what, where, and why: access rules and the decisions that follow from them.
//!
//! A rule says `<subject> is a <role> in a <scope>` and reaches everything below the scope, now and later. Rules only
//! add up; nothing subtracts. The crate is pure: no input or output, no clock, no runtime. The server feeds an
//! [`Index`] with the organization and the rules and asks it.
//!
//! - One check: [`Index::decide`] answers [`Granted`], which names the rule, the role, the subject and the scope it
//!   came from, or [`Denial`], which names what is missing, where it could be granted, and by whom.
//! - Lists: [`Index::visible`] answers [`Visible`], the filter every list is read through.
//! - Granting: [`Index::may_grant`]; nobody grants what they do not hold.
//! - Questions: [`Index::explain`], [`Index::who_can`], [`Index::what_can`], and what a change would give and take:
//!   [`Index::preview`].
//!
//! All of them look at rules through the same two iterators (`index/query.rs`), so a list cannot disagree with a check.
//!
//! [`Granted`] and [`Visible`] have no public constructor: a function that demands one cannot be called unchecked.
//! The few places that must write before anybody is known are the variants of [`BootstrapException`].
//!
//! Roles, resource types and what a role may do with them stand in `roles.txt`, from which this crate is built: one column a
//! role, one line a resource type. An [`Index`] begins with the predefined roles and takes others at run time
//! ([`Index::put_role`]); nothing tells the two apart.
//!
//! Limits: the organization has four levels (account, cluster, department, project); a rule at a scope, or with a role, that
//! the index does not know counts for nothing.

mod decision;
mod denial;
mod entity;
mod index;
mod permission;
mod preview;
mod role;
mod roles;
mod scope;
mod subject;
mod tree;
mod visible;
mod word;

pub use decision::{BootstrapException, Granted, GrantedRole, Reason};
pub use denial::Denial;
pub use entity::Entity;
pub use index::Index;
pub use permission::{Action, Permission, PermissionSet};
pub use preview::{Change, Difference, Preview, Reach};
pub use role::{CustomRole, InvalidRole, Role, RoleId};
pub use scope::{Scope, UnknownScope};
pub use subject::{InvalidSubject, Principal, Rule, SubjectKey, SubjectKind};
pub use visible::Visible;
pub use word::UnknownWord;
