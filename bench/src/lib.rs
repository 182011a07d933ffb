//! What pentaport is measured against: the loops that an expert would write by hand.

#[cfg(target_os = "linux")]
pub mod epoll_echo;
#[cfg(target_os = "linux")]
pub mod sys;
