//! The operator: its logic without a cluster, and the whole of it on a real API server.

mod cluster;
mod pure;
mod rig;
mod scripted_link;
