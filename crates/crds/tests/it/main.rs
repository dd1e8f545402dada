//! The definitions as text, and the conversions.

mod convert;
mod definitions;
