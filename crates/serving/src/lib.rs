//! What the serving operator decides and builds. Pure: values in, values out; no client, no clock, no runtime.
//!
//! | module | what |
//! |---|---|
//! | [`names`], [`hash`], [`image`] | names of what is made; part of the contract |
//! | [`config`], [`mod@env`] | the runtime configuration in force, environment variables from several places |
//! | [`model`], [`discovery`] | templates of a model; the Job that asks the image, and its answer |
//! | [`select`], [`service`] | which template a service gets; how it stands |
//! | [`source`], [`metadata`] | which images of a registry become models; what the labels of an image say |
//! | [`cache`], [`artifact`], [`download`] | which artifacts a cache has and lacks; claim and Jobs of a stored model; how a download stands |
//! | [`inference`], [`path`] | InferenceService and HTTPRoute |
//! | [`fault`], [`inspect`], [`log`], [`engine`], [`news`] | what is in the way, and what conditions, status, decision and events follow |
//! | [`plan`] | what a pass over an object of each kind wants: components, objects, status |
//! | [`stamp`] | whose work something is, in a project of Reeve |
//! | [`rights`] | what the operator may do, and the helper roles |
//! | [`labels`], [`owner`], [`security`], [`gpu`], [`quantity`], [`duration`] | what these are made of |
//!
//! Promises: names are those that the reference operator gave, byte by byte; every pod built here passes Pod Security
//! `restricted`; the same input gives the same output, in the same order. References to Secrets are carried as they are, values
//! never seen.

pub mod artifact;
pub mod cache;
pub mod config;
pub mod discovery;
pub mod download;
pub mod duration;
pub mod engine;
pub mod env;
pub mod fault;
pub mod gpu;
pub mod hash;
pub mod image;
pub mod inference;
pub mod inspect;
pub mod labels;
pub mod log;
pub mod metadata;
pub mod model;
pub mod names;
pub mod news;
pub mod owner;
pub mod path;
pub mod plan;
pub mod quantity;
pub mod rights;
pub mod security;
pub mod select;
pub mod service;
pub mod source;
pub mod stamp;
