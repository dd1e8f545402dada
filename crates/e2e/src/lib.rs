//! End-to-end tests of the whole road; see `tests/it`.
