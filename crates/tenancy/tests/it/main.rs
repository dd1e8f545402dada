//! Tenancy without a cluster.

mod project;
mod rights;
