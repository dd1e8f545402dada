//! Signing in through identity providers: real ones, some that lie, and a stand-in for OpenShift.

mod authenticator_page;
mod browser;
mod devices;
mod hostile;
mod idps;
mod modules;
mod openshift;
mod openshift_attacks;
mod pages;
pub(crate) mod passkeys;
mod real;
mod saml;
mod settings;
mod stand_in_openshift;
mod visitor;
