//! Plots as SVG: figures as pictures, with the same bytes everywhere.
//!
//! Each kind of plot is a file that takes plain data and gives a text. They are drawn by hand on
//! [`svg`] with axes of [`axis`]: no fonts, no scripts, no dependencies, and nothing that changes
//! from machine to machine, so that a plot can be compared and kept like any other result.

pub mod axis;
pub mod heat_map;
pub mod intervals;
pub mod lines;
pub mod svg;
