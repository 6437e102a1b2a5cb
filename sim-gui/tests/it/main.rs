//! The window's tests: playback without a screen, and the screen without a display.

mod director;
mod doctor;
mod drop;
mod experiment;
mod figures;
mod flow;
mod forks;
mod form;
mod lab;
mod layout;
mod lesson;
mod link;
mod panels;
mod pictures;
mod playback;
mod plots;
mod raster;
mod screen;
mod undo;
mod watched;
mod what_if;
mod worker;
mod zoom;
