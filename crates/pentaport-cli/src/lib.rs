//! What others than the command `pentaport` use of it: the [`statistics`] of paired measurements.
#![forbid(unsafe_code)]

pub mod statistics;
