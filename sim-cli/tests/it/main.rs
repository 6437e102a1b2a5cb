//! The command as its users meet it: processes, their output, their exit codes.

mod analyse;
mod by_demand;
mod check;
mod deadline;
mod dependencies;
mod doctor;
mod exits;
mod experiments;
mod export;
mod faults;
mod files;
mod hostile;
mod import;
mod inside;
mod lists;
mod logs;
mod output;
mod pages;
mod rare;
mod remedy;
mod report;
mod stampede;
mod stress;
mod suite;
mod sweep;
mod tidy;
