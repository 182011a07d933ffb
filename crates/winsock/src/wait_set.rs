//! Wait sets: waiting for any number of objects, registered once.

use crate::types::*;

/// A set of objects to wait for, with a token for each.
pub struct WaitSet(());

impl WaitSet {
    /// An empty set.
    ///
    /// # Errors
    /// A Win32 code.
    pub fn new() -> Result<WaitSet, WIN32_ERROR> {
        Ok(WaitSet(()))
    }

    /// Adds an object under a token.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE; ERROR_ALREADY_EXISTS if it is in the set; ERROR_INVALID_PARAMETER for a mutex.
    pub fn add(&self, _handle: HANDLE, _token: usize) -> Result<(), WIN32_ERROR> {
        Err(ERROR_NOT_SUPPORTED)
    }

    /// Takes an object out of the set. Its token is not reported any more.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOT_FOUND.
    pub fn remove(&self, _handle: HANDLE) -> Result<(), WIN32_ERROR> {
        Err(ERROR_NOT_SUPPORTED)
    }

    /// Waits until an object of the set is signalled; fills `tokens` with those of as many as fit and returns how many.
    ///
    /// # Errors
    /// WAIT_TIMEOUT, or WAIT_IO_COMPLETION after routines have run in an alertable wait.
    pub fn wait(&self, _tokens: &mut [usize], _milliseconds: u32, _alertable: bool) -> Result<usize, WAIT_EVENT> {
        Err(WAIT_TIMEOUT)
    }
}
