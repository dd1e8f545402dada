//! The charts: what Helm makes of them, and what it is like to live with them.

mod installed;
mod rendered;
