//! What rules, expressions and tests do, as those see it who use the library.

mod bytes;
mod files;
mod language;
mod promtool;
mod testing;
mod watching;
