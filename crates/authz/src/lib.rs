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
//! - Questions: [`Index::reasons`], [`Index::who_can`], [`Index::what_can`].
//!
//! All of them look at rules through the same two iterators (`index/query.rs`), so a list cannot disagree with a check.
//!
//! [`Granted`] and [`Visible`] have no public constructor: a function that demands one cannot be called unchecked.
//! The few places that must write before anybody is known are the variants of [`BootstrapException`].
//!
//! Limits: the organization has four levels (account, cluster, department, project); roles are the predefined ones of
//! [`Role`]; a rule at a scope that the index does not know counts for nothing.

mod decision;
mod denial;
mod index;
mod permission;
mod role;
mod scope;
mod subject;
mod tree;
mod visible;

pub use decision::{BootstrapException, Granted, Reason};
pub use denial::Denial;
pub use index::Index;
pub use permission::{Action, Entity, Permission, Permissions, UnknownWord};
pub use role::Role;
pub use scope::{Scope, UnknownScope};
pub use subject::{InvalidSubject, Principal, Rule, SubjectKey, SubjectKind};
pub use visible::Visible;
