//! The window's tests: playback without a screen, and the screen without a display.

mod playback;
mod screen;
