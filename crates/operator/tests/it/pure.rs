//! The operator's logic, without a cluster.

mod board;
mod config;
mod link;
mod org;
mod policies;
mod project;
mod survey;
mod workload;
