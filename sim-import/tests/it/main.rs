//! What settings are read as.

mod envoy;
mod fuzz;
mod kubernetes;
mod nginx;
mod together;
mod traefik;
mod world;
