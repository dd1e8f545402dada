//! On a real API server, under the generated rights and policies.

mod adoption;
mod cluster_config;
mod credentials;
mod deleted;
mod faults;
mod life;
mod limit_range;
mod openshift;
mod parts;
mod pod_rules;
mod repair;
mod resume;
mod rights;
mod secrets;
mod switches;
