//! The program `longshore`: configuration, command line, and everything that is printed.
//!
//! A library so that tests and documents can use it; `main.rs` is the program's life in a page.
//! It must not know how services work: `up` hands the resolved configuration to who starts them.

#![forbid(unsafe_code)]

pub mod cli;
pub mod codes;
pub mod config;
pub mod explain;
mod loading;
pub mod logging;
pub mod wiring;
