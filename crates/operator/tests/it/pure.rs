//! The operator's logic, without a cluster.

mod board;
mod config;
mod link;
mod org;
mod policies;
mod project;
mod slim;
mod survey;
mod workload;
