//! The layout of a counted set of sockets (`FD_SET`), and `select`.

use super::call::last_socket_error;
use super::panic::resume_panic;
use crate::Result;
use crate::sys::{self, SOCKET};
use std::time::Duration;

/// An `FD_SET` of any size: a count, then that many sockets.
///
/// The first word holds the count in its first four bytes, as FD_SET does (on 64-bit systems four bytes of padding
/// follow, on 32-bit ones none). The count is written just before each call, and read just after.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    words: Vec<SOCKET>,
}

// The sockets begin one word after the count, whatever the size of a word.
const _: () = assert!(std::mem::offset_of!(sys::FD_SET, fd_count) == 0);
const _: () = assert!(std::mem::offset_of!(sys::FD_SET, fd_array) == size_of::<SOCKET>());

impl Set {
    pub(crate) fn new() -> Self {
        Self { words: vec![0] }
    }

    pub(crate) fn with_capacity(sockets: usize) -> Self {
        let mut words = Vec::with_capacity(sockets.saturating_add(1));
        words.push(0);
        Self { words }
    }

    pub(crate) fn sockets(&self) -> &[SOCKET] {
        &self.words[1..]
    }

    pub(crate) fn push(&mut self, socket: SOCKET) {
        self.words.push(socket);
    }

    /// Removes the socket at `index` of [`sockets`](Self::sockets); the last one takes its place.
    pub(crate) fn swap_remove(&mut self, index: usize) {
        self.words.swap_remove(index + 1);
    }

    pub(crate) fn clear(&mut self) {
        self.words.truncate(1);
    }

    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.words.clone_from(&other.words);
    }

    /// The pointer for the system, with the count written.
    fn as_fd_set(&mut self) -> *mut sys::FD_SET {
        let count = u32::try_from(self.sockets().len()).expect("fewer than 2^32 sockets");
        let words = self.words.as_mut_ptr();
        // SAFETY: there is always a first word, and it is large and aligned enough for a u32.
        unsafe { words.cast::<u32>().write(count) };
        words.cast()
    }

    /// Takes over the count that the system wrote: the ready sockets come first.
    fn settle(&mut self) {
        // SAFETY: the first word exists and is initialised.
        let count = unsafe { self.words.as_ptr().cast::<u32>().read() };
        self.words.truncate(count as usize + 1);
    }
}

/// Waits until a socket of the sets is ready or the time is over; returns how many are ready, counting each set.
pub(crate) fn select(sets: [Option<&mut Set>; 3], timeout: Option<Duration>) -> Result<usize> {
    let timeout = timeout.map(timeval);
    let timeout = timeout.as_ref().map_or(std::ptr::null(), |timeout| &raw const *timeout);
    let mut sets = sets;
    let [read, write, except] = sets.each_mut().map(|set| match set {
        Some(set) => set.as_fd_set(),
        None => std::ptr::null_mut(),
    });
    // SAFETY: each set is null, or a count with as many sockets behind it: the system reads and writes no more
    // (SEMANTICS S3). The sets are distinct, since each is borrowed mutably.
    let ready = unsafe { sys::select(0, read, write, except, timeout) };
    // The error is read first: settling must not come between. It also happens after a failure, which may have
    // emptied a set (S40).
    let result = usize::try_from(ready).map_err(|_| last_socket_error());
    for set in sets.into_iter().flatten() {
        set.settle();
    }
    // The wait may have called routines.
    resume_panic();
    result
}

/// Rounded up, so that a wait is never shorter than asked for.
fn timeval(timeout: Duration) -> sys::TIMEVAL {
    let microseconds = timeout.as_nanos().div_ceil(1000);
    match i32::try_from(microseconds / 1_000_000) {
        Ok(tv_sec) => sys::TIMEVAL { tv_sec, tv_usec: (microseconds % 1_000_000) as i32 },
        Err(_) => sys::TIMEVAL { tv_sec: i32::MAX, tv_usec: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_that_of_fd_set() {
        let mut set = Set::with_capacity(64);
        for socket in 1..=64 {
            set.push(socket * 4);
        }
        // SAFETY: 64 sockets are exactly an FD_SET.
        let seen = unsafe { &*set.as_fd_set() };
        assert_eq!(seen.fd_count, 64);
        assert_eq!((seen.fd_array[0], seen.fd_array[63]), (4, 256));
    }

    #[test]
    fn the_system_shortens_the_set() {
        let mut set = Set::new();
        for socket in [4, 8, 12] {
            set.push(socket);
        }
        let pointer = set.as_fd_set().cast::<u32>();
        // SAFETY: the count is the first word.
        unsafe { pointer.write(2) };
        set.settle();
        assert_eq!(set.sockets(), [4, 8]);
    }

    #[test]
    fn timeouts_are_rounded_up() {
        let parts = |timeout| {
            let value = timeval(timeout);
            (value.tv_sec, value.tv_usec)
        };
        assert_eq!(parts(Duration::ZERO), (0, 0));
        assert_eq!(parts(Duration::from_nanos(1)), (0, 1));
        assert_eq!(parts(Duration::from_micros(1_500_000)), (1, 500_000));
        assert_eq!(parts(Duration::new(0, 999_999_999)), (1, 0));
        assert_eq!(parts(Duration::MAX), (i32::MAX, 0));
    }
}
