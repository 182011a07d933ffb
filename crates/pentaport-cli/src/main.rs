//! The command `pentaport`.
fn main() {}
