//! What settings are read as.

mod envoy;
mod nginx;
mod world;
