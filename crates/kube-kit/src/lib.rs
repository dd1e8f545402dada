//! What an operator needs beyond the client: written once, so that every reconciler of ours behaves alike. It knows no kind
//! of resource of ours and nothing of the control plane.
//!
//! - [`context`]: the client, the clock, events, readiness and the field manager: what every controller is given.
//! - [`cache`]: a copy of every object of a kind, that tells of each change what was before and what is now.
//! - [`watch`](mod@watch): what is asked of the API server for a cache, and what of each object is kept.
//! - [`optional`]: a cache that is not always wanted, or not always allowed.
//! - [`controller`]: one controller as a value: what wakes it, its queue, its pass.
//! - [`registry`]: runs watches and controllers: starts, waits until every cache is complete, measures, stops.
//! - [`queue`]: keys to reconcile, each at most once at a time, retried as the error says, every pass observed.
//! - [`write`](mod@write): create, apply, delete and report as one field manager, each bounded in time.
//! - [`apply`]: what would have to be written, so that nothing is written at rest.
//! - [`condition`]: conditions whose transition time moves only when the status does, and the fields every status has.
//! - [`events`]: events, published on a transition and not on every pass.
//! - [`lease`]: one leader; who loses the lease stops.
//! - [`program`]: the client, signals, and running while the lease is held.
//! - [`serve`]: health, readiness with reasons, and metrics over HTTPS.
//! - [`error`]: what went wrong, and when to try again.

pub mod apply;
pub mod cache;
pub mod condition;
pub mod context;
pub mod controller;
pub mod error;
pub mod events;
pub mod lease;
pub mod observe;
pub mod optional;
pub mod program;
pub mod queue;
pub mod registry;
pub mod serve;
pub mod storage;
pub mod subscribers;
pub mod watch;
pub mod write;

pub use cache::{Cache, Change, ObjectName};
pub use context::Context;
pub use controller::Controller;
pub use error::{ClientError, ReconcileError, Retry};
pub use optional::{Optional, Readable};
pub use queue::Queue;
pub use registry::Registry;
pub use subscribers::Subscribers;
pub use watch::Watch;
pub use watch::{Turns, keep};
pub use write::{ConfidentialFailure, FieldManager, WriteFailed};
