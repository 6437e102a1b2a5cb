//! What settings are read as.

mod nginx;
mod world;
