//! `SocketAddr` to and from the system's `SOCKADDR`.

use crate::sys;
use crate::{Error, Result};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Room for an IPv4 or IPv6 address, as the system lays it out.
#[derive(Clone, Copy)]
pub(crate) struct Address {
    pub(super) storage: sys::SOCKADDR_INET,
    pub(super) length: i32,
}

/// The room that an [`Address`] offers.
const CAPACITY: i32 = size_of::<sys::SOCKADDR_INET>() as i32;

impl Address {
    /// Room for the system to write an address into. No address yet.
    pub(crate) fn room() -> Self {
        // SAFETY: all zero is a value of this union of plain numbers.
        Self { storage: unsafe { std::mem::zeroed() }, length: CAPACITY }
    }

    /// The pointer for a call that reads the address.
    pub(super) fn as_ptr(&self) -> *const sys::SOCKADDR {
        (&raw const self.storage).cast()
    }

    /// The pointer for a call that writes an address.
    pub(super) fn as_mut_ptr(&mut self) -> *mut sys::SOCKADDR {
        (&raw mut self.storage).cast()
    }

    /// The address, if one is there.
    ///
    /// # Errors
    /// `WSAEAFNOSUPPORT` if it is neither IPv4 nor IPv6.
    pub(crate) fn get(&self) -> Result<SocketAddr> {
        // SAFETY: every value of this union has initialised bytes (it was zeroed first), and every bit pattern is an
        // IPv4 address, an IPv6 address and a family.
        unsafe {
            match self.storage.si_family {
                sys::AF_INET => Ok(SocketAddr::V4(from_v4(&self.storage.Ipv4))),
                sys::AF_INET6 => Ok(SocketAddr::V6(from_v6(&self.storage.Ipv6))),
                _ => Err(Error::from_code(sys::WSAEAFNOSUPPORT)),
            }
        }
    }

    /// The address at `pointer`, which the system gave with its length.
    ///
    /// # Safety
    /// `length` bytes at `pointer` can be read.
    pub(super) unsafe fn read(pointer: *const sys::SOCKADDR, length: i32) -> Result<SocketAddr> {
        let mut address = Self::room();
        let length = usize::try_from(length.min(CAPACITY)).unwrap_or(0);
        // SAFETY: the source is readable by the caller's promise, the target is ours and as large.
        unsafe {
            pointer.cast::<u8>().copy_to_nonoverlapping(address.as_mut_ptr().cast(), length);
        }
        address.get()
    }
}

impl From<&SocketAddr> for Address {
    fn from(address: &SocketAddr) -> Self {
        let mut result = Self::room();
        match address {
            SocketAddr::V4(v4) => {
                result.storage.Ipv4 = to_v4(v4);
                result.length = size_of::<sys::SOCKADDR_IN>() as i32;
            }
            SocketAddr::V6(v6) => {
                result.storage.Ipv6 = to_v6(v6);
                result.length = size_of::<sys::SOCKADDR_IN6>() as i32;
            }
        }
        result
    }
}

fn to_v4(address: &SocketAddrV4) -> sys::SOCKADDR_IN {
    sys::SOCKADDR_IN {
        sin_family: sys::AF_INET,
        sin_port: address.port().to_be(),
        sin_addr: sys::IN_ADDR { S_un: sys::IN_ADDR_0 { S_addr: u32::from_ne_bytes(address.ip().octets()) } },
        sin_zero: [0; 8],
    }
}

fn to_v6(address: &SocketAddrV6) -> sys::SOCKADDR_IN6 {
    sys::SOCKADDR_IN6 {
        sin6_family: sys::AF_INET6,
        sin6_port: address.port().to_be(),
        sin6_flowinfo: address.flowinfo(),
        sin6_addr: sys::IN6_ADDR { u: sys::IN6_ADDR_0 { Byte: address.ip().octets() } },
        Anonymous: sys::SOCKADDR_IN6_0 { sin6_scope_id: address.scope_id() },
    }
}

fn from_v4(address: &sys::SOCKADDR_IN) -> SocketAddrV4 {
    // SAFETY: every bit pattern is an address.
    let ip = unsafe { address.sin_addr.S_un.S_addr };
    SocketAddrV4::new(Ipv4Addr::from(ip.to_ne_bytes()), u16::from_be(address.sin_port))
}

fn from_v6(address: &sys::SOCKADDR_IN6) -> SocketAddrV6 {
    // SAFETY: every bit pattern is an address and a scope.
    let (ip, scope) = unsafe { (address.sin6_addr.u.Byte, address.Anonymous.sin6_scope_id) };
    let port = u16::from_be(address.sin6_port);
    SocketAddrV6::new(Ipv6Addr::from(ip), port, address.sin6_flowinfo, scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_way_there_and_back() {
        for text in ["127.0.0.1:5150", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:7", "[::]:0"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Address::from(&address).get(), Ok(address));
        }
        let scoped = SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 9, 3, 2));
        assert_eq!(Address::from(&scoped).get(), Ok(scoped));
    }

    #[test]
    fn no_address_is_an_error() {
        assert_eq!(Address::room().get(), Err(Error::from_code(sys::WSAEAFNOSUPPORT)));
    }

    #[test]
    fn a_short_address_is_not_read_past_its_end() {
        let address = Address::from(&"127.0.0.1:80".parse().unwrap());
        // SAFETY: 1 byte of the address can be read, and a negative length reads none.
        unsafe {
            assert!(Address::read(address.as_ptr(), -1).is_err());
            assert_eq!(Address::read(address.as_ptr(), address.length), address.get());
        }
    }
}
