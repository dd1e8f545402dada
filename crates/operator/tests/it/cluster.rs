//! On a real API server, under the generated rights and policies.

mod adoption;
mod deleted;
mod life;
mod parts;
mod repair;
mod resume;
mod rights;
