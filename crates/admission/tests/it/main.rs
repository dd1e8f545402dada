//! The checks of admission, without a cluster and on a real API server.

mod case_table;
mod cost;
mod mutants;
mod offline;
mod ordinary;
mod random;
mod roads;
mod stage;
mod table;
mod world;
