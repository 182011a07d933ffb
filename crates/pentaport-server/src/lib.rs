//! pentaport-server
