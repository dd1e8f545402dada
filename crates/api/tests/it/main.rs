//! Snapshots of what must not change unseen; bodies and the OpenAPI document against each other.

mod bodies;
mod openapi;
mod rights;
mod shapes;
