//! What is required of every runner.

pub(crate) mod endings;
pub(crate) mod flow;
pub(crate) mod harness;
pub(crate) mod outside;
pub(crate) mod rest;
pub(crate) mod services;
pub(crate) mod stops;
