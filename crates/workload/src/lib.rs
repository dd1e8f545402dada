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
mod placement;
mod probe;
mod security;
mod volumes;

pub use container::own_container;
pub use home::{home_directory, user_name};
pub use job::{Owner, job, run_on_pool};
pub use literal::literal;
pub use passwd::is_names_container;

pub use reeve_types::kubernetes::{WORKLOAD_ID_LABEL, WORKLOAD_LABEL};

/// As Kubernetes has numbers; what is kept to bounds fits.
fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
