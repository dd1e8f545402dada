//! Adopting a namespace: the report by itself, and the command against a receiver. What a real cluster says is tested in
//! the end-to-end suite.

#![expect(clippy::indexing_slicing, reason = "helpers of tests stop the test they help")]

mod fake;
mod flow;
mod marks;
mod objects;
mod plan;
mod report;
