//! select and its sets, of any size.

use super::{Bad, Outcome, Socket, count_or_error};
use pentaport::sys;
use std::time::Duration;

/// How many entries behind the counted ones are watched for reads and writes.
const CANARIES: usize = 8;

/// What stands behind the counted entries: no socket, so a select that reads it fails with WSAENOTSOCK.
const CANARY: usize = 0x5A5A_5A5A;

/// A counted set of sockets: an `fd_set` with as many entries as it needs.
#[derive(Clone, Debug)]
pub struct FdSet {
    /// The count in the first word (an `u_int` and padding), the entries, and the canaries.
    words: Vec<usize>,
    capacity: usize,
}

impl FdSet {
    /// A set of these sockets, in this order, doubles included.
    pub fn of(sockets: &[&Socket]) -> Self {
        let entries: Vec<usize> = sockets.iter().map(|socket| socket.raw()).collect();
        Self::of_raw(&entries)
    }

    /// A set of these handle values.
    pub fn of_raw(entries: &[usize]) -> Self {
        let mut words = vec![0];
        words.extend_from_slice(entries);
        words.extend_from_slice(&[CANARY; CANARIES]);
        let mut set = Self { words, capacity: entries.len() };
        // SAFETY: the first word has room for the count, which an `fd_set` begins with.
        unsafe { set.pointer().cast::<u32>().write(entries.len() as u32) };
        set
    }

    /// `fd_count`.
    pub fn count(&self) -> usize {
        // SAFETY: the first word begins with the count.
        unsafe { self.words.as_ptr().cast::<u32>().read() as usize }
    }

    /// The entries that are counted now.
    pub fn sockets(&self) -> &[usize] {
        &self.words[1..=self.count()]
    }

    /// All entries that the set was made with, those beyond the count included.
    pub fn slots(&self) -> &[usize] {
        &self.words[1..=self.capacity]
    }

    /// Whether the socket is in the set.
    pub fn contains(&self, socket: &Socket) -> bool {
        self.sockets().contains(&socket.raw())
    }

    /// Whether nothing behind the last entry was written.
    pub fn canaries_alive(&self) -> bool {
        self.words[1 + self.capacity..].iter().all(|&word| word == CANARY)
    }

    fn pointer(&mut self) -> *mut sys::FD_SET {
        self.words.as_mut_ptr().cast()
    }
}

/// select; `None` for a timeout waits for ever.
pub fn select(
    read: Option<&mut FdSet>,
    write: Option<&mut FdSet>,
    except: Option<&mut FdSet>,
    timeout: Option<Duration>,
) -> Outcome<usize> {
    let timeout = timeout.map(|time| (time.as_secs() as i32, time.subsec_micros() as i32));
    select_with_timeval(0, read, write, except, timeout).0
}

/// select with its ignored first argument and the timeout in seconds and microseconds: the outcome and the timeout as
/// the call left it.
pub fn select_with_timeval(
    nfds: i32,
    read: Option<&mut FdSet>,
    write: Option<&mut FdSet>,
    except: Option<&mut FdSet>,
    timeout: Option<(i32, i32)>,
) -> (Outcome<usize>, Option<(i32, i32)>) {
    let time = timeout.map(|(tv_sec, tv_usec)| sys::TIMEVAL { tv_sec, tv_usec });
    let pointer = |set: Option<&mut FdSet>| set.map_or(std::ptr::null_mut(), FdSet::pointer);
    let time_pointer = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: each set has as many entries as it counts and is borrowed for the call, as is the timeout.
    let result = unsafe { sys::select(nfds, pointer(read), pointer(write), pointer(except), time_pointer) };
    (count_or_error(result), time.map(|time| (time.tv_sec, time.tv_usec)))
}

/// select with one set passed both for reading and for writing.
pub fn select_same_set(set: &mut FdSet, timeout: Duration) -> Outcome<usize> {
    let time = sys::TIMEVAL { tv_sec: timeout.as_secs() as i32, tv_usec: timeout.subsec_micros() as i32 };
    let set = set.pointer();
    // SAFETY: the set has as many entries as it counts; it and the timeout outlive the call. That both arguments are
    // one set is what the contract allows.
    count_or_error(unsafe { sys::select(0, set, set, std::ptr::null_mut(), &time) })
}

/// Which of the three sets of select.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// The set for reading.
    Read,
    /// The set for writing.
    Write,
    /// The set for exceptions.
    Except,
}

impl Set {
    /// All three.
    pub const ALL: [Set; 3] = [Set::Read, Set::Write, Set::Except];
}

/// select with this set alone.
pub fn select_one(which: Set, set: &mut FdSet, timeout: Option<Duration>) -> Outcome<usize> {
    match which {
        Set::Read => select(Some(set), None, None, timeout),
        Set::Write => select(None, Some(set), None, timeout),
        Set::Except => select(None, None, Some(set), timeout),
    }
}

/// select with a bad pointer for one set and no other.
pub fn select_bad(which: Set, bad: Bad) -> Outcome<usize> {
    let null = std::ptr::null_mut;
    let at = |this: Set| if this == which { bad.pointer() } else { null() };
    let time = sys::TIMEVAL { tv_sec: 0, tv_usec: 0 };
    let (read, write, except) = (at(Set::Read), at(Set::Write), at(Set::Except));
    // SAFETY: the contract says that a pointer without access is refused; the timeout outlives the call.
    count_or_error(unsafe { sys::select(0, read, write, except, &time) })
}

/// In which sets a select that polls finds the socket: of `r`, `w` and `e` those that apply, in this order.
#[track_caller]
pub fn readiness(socket: &Socket) -> String {
    let mut sets = [0; 3].map(|_| FdSet::of(&[socket]));
    let [read, write, except] = &mut sets;
    let count = select(Some(read), Some(write), Some(except), Some(Duration::ZERO));
    let letters: String = sets.iter().zip(["r", "w", "e"]).filter(|(set, _)| set.count() > 0).map(|(_, l)| l).collect();
    assert_eq!(count, Ok(letters.len()), "the count is that of the sets");
    letters
}
