//! The whole of Reeve on one machine.
