//! The operator's logic, without a cluster.

mod link;
mod policies;
mod project;
pub(crate) mod project_index;
mod secrets;
mod settings;
mod slim;
mod status_outbox;
mod survey;
mod workload;
