//! The engine, two encodings in Cedar, regorus and casbin on one rule set, in one run.
//!
//! Every answer that is timed was compared with the naive evaluator's first, as far as that gets in its time. Checks are timed one
//! by one, on one thread, with the question built beforehand and read just before, in rounds that take turns: each engine once, then
//! again. Memory is what a process of its own grew by, which did nothing else.

mod apart;
mod generator;
mod peers;
mod plot;
mod run;
mod weight;

pub use apart::{Bounds, Loaded, apart};
pub use peers::Kind;
pub use plot::svg;
pub use run::{Figures, Questions, Spread, csv, measure, questions};
pub use weight::{Weight, weigh};
