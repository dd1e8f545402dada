//! What Reeve takes and what it holds, measured: decisions in process, and the stack on a real Kubernetes.
//!
//! Nothing here is a test; the bars of `DESIGN.md` 6 are read off the printed figures.

pub mod authz;
pub mod clusters;
pub mod credentials;
pub mod figures;
pub mod flood;
pub mod held;
pub mod identities;
pub mod lists;
pub mod pods;
pub mod replicas;
mod seed;
pub mod stack;
pub mod submissions;
mod watch;
