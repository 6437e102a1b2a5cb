//! What settings are read as.

mod caddy;
mod envoy;
mod export;
mod fuzz;
mod haproxy;
mod kubernetes;
mod nginx;
mod roundtrip;
mod together;
mod traefik;
mod world;
