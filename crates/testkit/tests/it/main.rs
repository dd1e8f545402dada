//! The testbed itself: what starts, what runs on it, and that nothing is left of it.

mod api_server;
mod authentication;
mod controllers;
mod endings;
mod node;
mod probing;
mod services;
mod skipping;
