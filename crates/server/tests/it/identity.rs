//! Signing in through identity providers: a real one, and one that lies.

mod browser;
mod hostile;
mod idps;
mod modules;
mod pages;
mod real;
mod saml;
mod settings;
mod visitor;
