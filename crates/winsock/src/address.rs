//! Socket addresses, between Winsock's layout and Linux's.
//!
//! `SOCKADDR_IN` and `SOCKADDR_IN6` have the same fields at the same places on both systems. What differs is the number
//! of the IPv6 family: 23 in Winsock, 10 on Linux. So an address is kept as Linux wants it and only its family is
//! translated at the edge.

use std::fmt;
use std::mem::{offset_of, size_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::error::{WsaResult, fail};
use crate::types::*;

/// An IPv4 or IPv6 socket address, ready for a system call.
///
/// Family `AF_UNSPEC` is allowed too: connecting a datagram socket to it dissolves the association, and it stands for
/// "no address" where the system reported none.
#[derive(Clone, Copy)]
pub(crate) struct Address {
    /// Linux layout. An IPv4 address lies over the same bytes: its `sin_addr` where the flow information is.
    raw: libc::sockaddr_in6,
    len: libc::socklen_t,
}

// The overlay that `Address` relies on, and the equality of the two systems' layouts.
const _: () = {
    assert!(offset_of!(libc::sockaddr_in, sin_port) == offset_of!(libc::sockaddr_in6, sin6_port));
    assert!(offset_of!(libc::sockaddr_in, sin_addr) == offset_of!(libc::sockaddr_in6, sin6_flowinfo));
    assert!(
        offset_of!(libc::sockaddr_in, sin_zero) == offset_of!(libc::sockaddr_in6, sin6_addr)
            && V4_LEN == offset_of!(libc::sockaddr_in, sin_zero) + 8
    );
    assert!(size_of::<SOCKADDR_IN>() == V4_LEN && size_of::<SOCKADDR_IN6>() == V6_LEN);
    assert!(offset_of!(SOCKADDR_IN, sin_addr) == offset_of!(libc::sockaddr_in, sin_addr));
    assert!(offset_of!(SOCKADDR_IN6, sin6_addr) == offset_of!(libc::sockaddr_in6, sin6_addr));
    assert!(offset_of!(SOCKADDR_IN6, Anonymous) == offset_of!(libc::sockaddr_in6, sin6_scope_id));
};

const V4_LEN: usize = size_of::<libc::sockaddr_in>();
const V6_LEN: usize = size_of::<libc::sockaddr_in6>();
/// A family and nothing behind it: all that Linux reads of an `AF_UNSPEC` address.
const FAMILY_LEN: usize = size_of::<libc::sa_family_t>();

impl Address {
    /// No address: family `AF_UNSPEC`.
    pub(crate) const UNSPECIFIED: Self = Self {
        raw: libc::sockaddr_in6 {
            sin6_family: libc::AF_UNSPEC as libc::sa_family_t,
            sin6_port: 0,
            sin6_flowinfo: 0,
            sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
            sin6_scope_id: 0,
        },
        len: FAMILY_LEN as libc::socklen_t,
    };

    /// The wildcard address with port 0 of `AF_INET` or `AF_INET6`; [`Self::UNSPECIFIED`] for any other family.
    #[cfg(test)]
    pub(crate) fn any(family: ADDRESS_FAMILY) -> Self {
        let mut address = Self::UNSPECIFIED;
        match family {
            AF_INET => address.set_family(libc::AF_INET, V4_LEN),
            AF_INET6 => address.set_family(libc::AF_INET6, V6_LEN),
            _ => {}
        }
        address
    }

    /// Reads an address that a program passed.
    ///
    /// # Errors
    /// `WSAEFAULT` if `name` is null or `len` is too short for its family; `WSAEAFNOSUPPORT` for a family that is
    /// neither `AF_INET`, `AF_INET6` nor `AF_UNSPEC`.
    ///
    /// # Safety
    /// `name` is null or readable for `len` bytes. It need not be aligned.
    pub(crate) unsafe fn read(name: *const SOCKADDR, len: i32) -> WsaResult<Self> {
        let len = usize::try_from(len).unwrap_or(0);
        if name.is_null() || len < FAMILY_LEN {
            return fail(WSAEFAULT);
        }
        // SAFETY: the caller lets us read `len` bytes, which hold at least the family.
        let family = unsafe { name.cast::<ADDRESS_FAMILY>().read_unaligned() };
        let (family, size) = match family {
            AF_INET => (libc::AF_INET, V4_LEN),
            AF_INET6 => (libc::AF_INET6, V6_LEN),
            AF_UNSPEC => return Ok(Self::UNSPECIFIED),
            _ => return fail(WSAEAFNOSUPPORT),
        };
        if len < size {
            return fail(WSAEFAULT);
        }
        // SAFETY: `len`, which the caller vouches for, covers `size` bytes.
        Ok(unsafe { Self::copy(name.cast(), family, size) })
    }

    /// Gives the address to a program: copies it to `name` and its length to `len`.
    ///
    /// "No address" copies nothing and sets the length to 0.
    ///
    /// # Errors
    /// `WSAEFAULT` if a pointer is null or `*len` is too small; then neither is touched.
    ///
    /// # Safety
    /// `len` is null or points to a readable and writable `i32`; `name` is null or writable for `*len` bytes.
    pub(crate) unsafe fn write(&self, name: *mut SOCKADDR, len: *mut i32) -> WsaResult<()> {
        if name.is_null() || len.is_null() {
            return fail(WSAEFAULT);
        }
        let size = self.winsock_len();
        // SAFETY: not null, so the caller vouches for it.
        if unsafe { len.read_unaligned() } < size {
            return fail(WSAEFAULT);
        }
        let mut raw = self.raw;
        raw.sin6_family = self.family();
        // SAFETY: `*len` covers `size` bytes, which the caller made writable; `raw` is V6_LEN bytes long and no size
        // exceeds that; ours and the caller's memory cannot overlap.
        unsafe {
            std::ptr::copy_nonoverlapping((&raw const raw).cast(), name.cast::<u8>(), size as usize);
            len.write_unaligned(size);
        }
        Ok(())
    }

    /// Takes an address that Linux wrote. A family that Winsock does not know here becomes [`Self::UNSPECIFIED`].
    ///
    /// # Safety
    /// `name` is readable for `len` bytes, or `len` is less than the size of a family.
    pub(crate) unsafe fn from_libc(name: *const libc::sockaddr, len: libc::socklen_t) -> Self {
        let len = len as usize;
        if len < FAMILY_LEN {
            return Self::UNSPECIFIED;
        }
        // SAFETY: the caller lets us read `len` bytes.
        let family = i32::from(unsafe { name.cast::<libc::sa_family_t>().read_unaligned() });
        match family {
            // SAFETY: `len` covers the bytes that are copied.
            libc::AF_INET if len >= V4_LEN => unsafe { Self::copy(name.cast(), family, V4_LEN) },
            // SAFETY: as above.
            libc::AF_INET6 if len >= V6_LEN => unsafe { Self::copy(name.cast(), family, V6_LEN) },
            _ => Self::UNSPECIFIED,
        }
    }

    /// Lets a system call write an address, and answers its result and the address.
    ///
    /// The call sees a buffer that every address of the two families fits, and its length. If it writes nothing, the
    /// address is [`Self::UNSPECIFIED`].
    pub(crate) fn fill<T>(call: impl FnOnce(*mut libc::sockaddr, *mut libc::socklen_t) -> T) -> (T, Self) {
        let mut raw = Self::UNSPECIFIED.raw;
        let mut len = V6_LEN as libc::socklen_t;
        let result = call((&raw mut raw).cast(), &raw mut len);
        // A longer address than fits was cut by the system, which then reports its full length.
        let len = len.min(V6_LEN as libc::socklen_t);
        // SAFETY: `raw` is V6_LEN bytes of plain integers.
        (result, unsafe { Self::from_libc((&raw const raw).cast(), len) })
    }

    /// The address in Linux's layout, for a system call.
    pub(crate) fn as_ptr(&self) -> *const libc::sockaddr {
        (&raw const self.raw).cast()
    }

    /// How many bytes [`Self::as_ptr`] points to.
    pub(crate) fn len(&self) -> libc::socklen_t {
        self.len
    }

    /// How many bytes the address takes in Winsock's layout; 0 for `AF_UNSPEC`.
    pub(crate) fn winsock_len(&self) -> i32 {
        if self.family() == AF_UNSPEC { 0 } else { self.len as i32 }
    }

    /// `AF_INET`, `AF_INET6` or `AF_UNSPEC`, in Winsock's numbers.
    pub(crate) fn family(&self) -> ADDRESS_FAMILY {
        match i32::from(self.raw.sin6_family) {
            libc::AF_INET => AF_INET,
            libc::AF_INET6 => AF_INET6,
            _ => AF_UNSPEC,
        }
    }

    /// The port, in host byte order.
    pub(crate) fn port(&self) -> u16 {
        u16::from_be(self.raw.sin6_port)
    }

    /// The same address with another port.
    pub(crate) fn with_port(mut self, port: u16) -> Self {
        self.raw.sin6_port = port.to_be();
        self
    }

    /// Whether this is the wildcard address, in either family or mapped.
    ///
    /// Linux takes it for the local host when connecting; Windows refuses it with `WSAEADDRNOTAVAIL`.
    pub(crate) fn is_any(&self) -> bool {
        self.ip().is_some_and(|ip| ip.to_canonical().is_unspecified())
    }

    /// The IP address, or `None` for `AF_UNSPEC`.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        match self.family() {
            AF_INET => Some(Ipv4Addr::from(self.raw.sin6_flowinfo.to_ne_bytes()).into()),
            AF_INET6 => Some(Ipv6Addr::from(self.raw.sin6_addr.s6_addr).into()),
            _ => None,
        }
    }

    fn set_family(&mut self, family: i32, len: usize) {
        self.raw.sin6_family = family as libc::sa_family_t;
        self.len = len as libc::socklen_t;
    }

    /// Copies `size` bytes and gives them Linux's family.
    ///
    /// # Safety
    /// `bytes` is readable for `size` bytes, and `size` is at most `V6_LEN`.
    unsafe fn copy(bytes: *const u8, family: i32, size: usize) -> Self {
        let mut address = Self::UNSPECIFIED;
        // SAFETY: the caller vouches for the source; the destination holds V6_LEN bytes of plain integers.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes, (&raw mut address.raw).cast(), size);
        }
        address.set_family(family, size);
        if family == libc::AF_INET {
            // `sin_zero` holds whatever the program left there.
            address.raw.sin6_addr.s6_addr = [0; 16];
        }
        address
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        let key = |a: &Self| {
            let r = a.raw;
            (a.len, r.sin6_family, r.sin6_port, r.sin6_flowinfo, r.sin6_addr.s6_addr, r.sin6_scope_id)
        };
        key(self) == key(other)
    }
}

impl Eq for Address {}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip() {
            Some(ip) => write!(f, "{}", SocketAddr::new(ip, self.port())),
            None => f.write_str("no address"),
        }
    }
}

#[cfg(test)]
mod tests;
