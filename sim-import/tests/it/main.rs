//! What settings are read as.

mod envoy;
mod kubernetes;
mod nginx;
mod traefik;
mod world;
