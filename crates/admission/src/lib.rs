//! Who a pod runs as.

pub mod names;
