//! From a submitted workload to the Job that runs it.
//!
//! Pure: [`job`] cannot fail, because everything it is given was checked. The Job says of itself everything that the
//! admission policies would otherwise fill in, so that one answer holds on clusters with and without them; its pod
//! template bears the stamp of the identity the server verified.

mod container;
mod home;
mod job;
mod literal;
mod passwd;
mod security;
mod volumes;

pub use home::{home_directory, user_name};
pub use job::{Owner, job};
pub use literal::literal;
pub use passwd::is_names_container;

/// The label on a workload's Job and pods: the workload's name.
pub const WORKLOAD_LABEL: &str = "reeve.dev/workload";
/// The label on a workload's Job and pods: its id in the control plane.
pub const WORKLOAD_ID_LABEL: &str = "reeve.dev/workload-id";
