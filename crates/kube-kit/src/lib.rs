//! What a controller needs beyond the client: written once, so that every reconciler of ours behaves alike.
//!
//! - [`mirror`]: a copy of every object of a kind, that tells of each change what was before and what is now.
//! - [`queue`]: keys to reconcile, each at most once at a time, retried as the error says, every pass observed.
//! - [`apply`]: server-side apply by one field manager, and only when something would change (no write at rest).
//! - [`condition`]: conditions whose transition time moves only when the status does.
//! - [`events`]: events, published on a transition and not on every pass.
//! - [`lease`]: one leader; who loses the lease stops.
//! - [`serve`]: health, readiness with reasons, and metrics over HTTPS.
//! - [`error`]: what went wrong, in one sentence, and when to try again.

pub mod apply;
pub mod condition;
pub mod error;
pub mod events;
pub mod lease;
pub mod mirror;
pub mod observe;
pub mod queue;
pub mod serve;

pub use error::{Reconcile, Retry, describe};
pub use mirror::{Change, Mirror, Name};
pub use queue::Queue;
