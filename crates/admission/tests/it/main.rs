//! The checks of admission, without a cluster and on a real API server.

mod offline;
mod table;
mod world;
