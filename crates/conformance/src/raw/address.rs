//! Socket addresses of the raw contract and of the standard library.

use pentaport::sys;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An address as the raw contract takes and gives it.
#[derive(Clone, Copy)]
pub(super) struct RawAddress {
    pub(super) storage: sys::SOCKADDR_STORAGE,
    pub(super) length: i32,
}

pub(super) const STORAGE_LENGTH: i32 = size_of::<sys::SOCKADDR_STORAGE>() as i32;

impl RawAddress {
    /// Room for an address that a call shall fill in.
    pub(super) fn room() -> Self {
        Self { storage: Default::default(), length: STORAGE_LENGTH }
    }

    pub(super) fn of(address: SocketAddr) -> Self {
        let mut raw = Self::room();
        raw.storage.ss_family = if address.is_ipv4() { sys::AF_INET } else { sys::AF_INET6 };
        let mut bytes = [0; 28];
        bytes[..2].copy_from_slice(&raw.storage.ss_family.to_ne_bytes());
        bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
        match address {
            SocketAddr::V4(v4) => {
                bytes[4..8].copy_from_slice(&v4.ip().octets());
                raw.length = size_of::<sys::SOCKADDR_IN>() as i32;
            }
            SocketAddr::V6(v6) => {
                bytes[4..8].copy_from_slice(&v6.flowinfo().to_ne_bytes());
                bytes[8..24].copy_from_slice(&v6.ip().octets());
                bytes[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
                raw.length = size_of::<sys::SOCKADDR_IN6>() as i32;
            }
        }
        // SAFETY: the storage is larger than the 28 bytes of the longer of the two layouts, and plain data.
        unsafe { (&raw mut raw.storage).cast::<[u8; 28]>().write(bytes) };
        raw
    }

    /// The address, or `None` if the family is neither IPv4 nor IPv6.
    pub(super) fn decode(&self) -> Option<SocketAddr> {
        // SAFETY: the storage is larger than 28 bytes, initialised, and plain data.
        let bytes = unsafe { (&raw const self.storage).cast::<[u8; 28]>().read() };
        let port = u16::from_be_bytes([bytes[2], bytes[3]]);
        let ip = match self.storage.ss_family {
            sys::AF_INET => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(&bytes[4..8]).expect("four bytes"))),
            sys::AF_INET6 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[8..24]).expect("sixteen bytes"))),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    pub(super) fn as_ptr(&self) -> *const sys::SOCKADDR {
        (&raw const self.storage).cast()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut sys::SOCKADDR {
        (&raw mut self.storage).cast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_raw_form() {
        for text in ["127.0.0.1:5150", "[::1]:5150", "0.0.0.0:0", "[fe80::1:2]:65535"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(RawAddress::of(address).decode(), Some(address));
        }
        assert_eq!(RawAddress::room().decode(), None);
    }
}
