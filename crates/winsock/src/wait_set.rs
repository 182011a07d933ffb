//! Wait sets: waiting for any number of objects, each registered once.
//!
//! A wait for 64 handles enters the thread with 64 objects and takes it out again, each time; for 10,000 that would cost
//! more than all else that a server does. An object in a wait set puts itself into the set's ready list when it is
//! signalled, so that a wait costs what it reports.

use crate::completion_port::timeout;
use crate::deadline::Deadline;
use crate::dispatcher::{self, Object, Outcome};
use crate::types::*;
use crate::wait::waitable;

/// A set of objects to wait for, with a token for each. Not part of Winsock: on Windows threads that wait for 63 handles
/// each do the same.
///
/// What is reported, and taken from the objects, is as in WaitForMultipleObjects for one object, but that several can
/// be reported at a time, and that all have their turn: members that stay signalled come last in the next wait.
/// Several threads may wait for one set.
///
/// ```
/// use winsock::*;
/// let set = WaitSet::new().expect("a wait set");
/// // SAFETY: null attributes and a null name are allowed.
/// let event = unsafe { CreateEventW(std::ptr::null(), FALSE, TRUE, std::ptr::null()) };
/// assert_eq!(set.add(event, 7), Ok(()));
/// let mut tokens = [0; 16];
/// assert_eq!(set.wait(&mut tokens, INFINITE, false), Ok(1));
/// assert_eq!(tokens[0], 7);
/// assert_eq!(set.wait(&mut tokens, 0, false), Err(WAIT_TIMEOUT));
/// ```
pub struct WaitSet(Object);

impl WaitSet {
    /// An empty set.
    ///
    /// # Errors
    /// None here; on Windows, where it takes threads, a Win32 code.
    pub fn new() -> Result<WaitSet, WIN32_ERROR> {
        Ok(WaitSet(dispatcher::new_set()))
    }

    /// Adds the object of a handle under a token. The set keeps the object alive, also when the handle is closed: take
    /// it out before, since afterwards there is no name for it.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE; ERROR_ALREADY_EXISTS if it is in the set; ERROR_INVALID_PARAMETER for a mutex, which only
    /// a thread can own.
    pub fn add(&self, handle: HANDLE, token: usize) -> Result<(), WIN32_ERROR> {
        let object = waitable(handle as usize).ok_or(ERROR_INVALID_HANDLE)?;
        if object.is_mutex() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        if dispatcher::add_to_set(&self.0, object, token) { Ok(()) } else { Err(ERROR_ALREADY_EXISTS) }
    }

    /// Takes the object of a handle out of the set. Its token is not reported any more.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE; ERROR_NOT_FOUND if it is not in the set.
    pub fn remove(&self, handle: HANDLE) -> Result<(), WIN32_ERROR> {
        let object = waitable(handle as usize).ok_or(ERROR_INVALID_HANDLE)?;
        if dispatcher::remove_from_set(&self.0, &object) { Ok(()) } else { Err(ERROR_NOT_FOUND) }
    }

    /// Waits until objects of the set are signalled, up to `milliseconds` (INFINITE: for ever). Fills `tokens` with as
    /// many as fit and returns how many. With no room it returns 0 at once.
    ///
    /// # Errors
    /// WAIT_TIMEOUT, or WAIT_IO_COMPLETION after routines have run in an alertable wait.
    pub fn wait(&self, tokens: &mut [usize], milliseconds: u32, alertable: bool) -> Result<usize, WAIT_EVENT> {
        if tokens.is_empty() {
            return Ok(0);
        }
        let deadline = Deadline::after(timeout(milliseconds));
        loop {
            match dispatcher::wait(std::slice::from_ref(&self.0), false, deadline.remaining(), alertable) {
                Outcome::Timeout => return Err(WAIT_TIMEOUT),
                Outcome::Apc => return Err(WAIT_IO_COMPLETION),
                Outcome::Object(_) | Outcome::Abandoned(_) => {}
            }
            let count = dispatcher::take_ready(&self.0, tokens);
            if count > 0 {
                return Ok(count);
            }
            // What was signalled is not any more.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_without_room_for_tokens_is_over_at_once() {
        let set = WaitSet::new().unwrap();
        assert_eq!(set.wait(&mut [], 0, false), Ok(0));
        assert_eq!(set.wait(&mut [0], 0, false), Err(WAIT_TIMEOUT));
    }
}
