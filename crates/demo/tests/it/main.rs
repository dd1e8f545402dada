//! The whole road, driven from outside: REST, the command line, kubectl, on a real Kubernetes with real containers.
//!
//! Tests share one road and make people and projects of their own. Tests that stop a part or count every request have a
//! road to themselves.

mod attacks;
mod crashes;
mod harness;
mod identity;
mod link;
mod quiet;
mod rules;
mod scopes;
mod secrets;
mod wrong_input;
