//! Snapshots of what must not change unseen.

mod rights;
mod shapes;
