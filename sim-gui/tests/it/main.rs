//! The window's tests: playback without a screen, and the screen without a display.

mod lesson;
mod playback;
mod screen;
