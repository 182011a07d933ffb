//! The five Winsock I/O models as a safe API, with the same meaning on Linux and on Windows.

#[doc(hidden)]
pub mod sys;
