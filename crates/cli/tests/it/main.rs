//! The program itself, from outside, against a small receiver that stands in for the control plane. What a real one says
//! is tested in the end-to-end suite.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop the test they help")]

mod admin;
mod adopt;
mod applying;
mod auth;
mod browser;
mod cluster;
mod commands;
mod effects;
mod forward;
mod help;
mod keyring;
mod kubectl;
mod logs;
mod numbers;
mod permissions;
mod receiver;
mod reference;
mod remedies;
mod renewal;
mod secret_assets;
mod serving;
mod sessions;
mod sign_in;
mod terminal;
mod websocket;
