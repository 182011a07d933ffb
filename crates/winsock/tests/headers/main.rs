//! The headers for C and C++ against the compilers, the library, its Rust signatures and `windows-sys`.
#![cfg(target_os = "linux")]
#![allow(non_snake_case)]

mod compile;
mod crt;
mod declarations;
mod layouts;
mod prototypes;
mod rust_functions;
mod symbols;
mod toolchain;
