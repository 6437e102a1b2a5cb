//! The rules, by what they are about.

pub(super) mod health;
pub(super) mod key;
pub(super) mod limit;
pub(super) mod panic;
pub(super) mod retry;
pub(super) mod spare;
pub(super) mod time;
pub(super) mod weight;
