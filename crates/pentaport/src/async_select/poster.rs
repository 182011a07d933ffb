//! Posting from other threads.

use super::PostedMessage;
use super::selections::NETWORK_BEGIN;
use crate::raw::window::{Address, NUMBERS_BEGIN};
use crate::{Error, Result, sys};

/// Posts messages to a [`MessageQueue`](super::MessageQueue), from any thread.
///
/// ```
/// use pentaport::async_select::{Message, MessageQueue, PostedMessage};
/// # fn main() -> pentaport::Result<()> {
/// let queue = MessageQueue::new()?;
/// let poster = queue.poster();
/// let other = std::thread::spawn(move || poster.post(7, 42, -1));
/// assert_eq!(queue.get()?, Message::Posted(PostedMessage { number: 7, wparam: 42, lparam: -1 }));
/// other.join().expect("no panic")
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Poster {
    address: Address,
}

impl Poster {
    /// The largest number that a message can have.
    pub const MAX_NUMBER: u32 = NETWORK_BEGIN - NUMBERS_BEGIN - 1;

    pub(super) fn new(address: Address) -> Self {
        Self { address }
    }

    /// Queues a message, after those that are queued already. What the number and the parameters mean is the program's.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400) if the queue is gone, `ERROR_INVALID_PARAMETER` for a number beyond
    /// [`MAX_NUMBER`](Self::MAX_NUMBER); on Windows `ERROR_NOT_ENOUGH_QUOTA` if 10,000 messages are queued.
    #[doc(alias = "PostMessageW")]
    #[doc(alias = "PostThreadMessageW")]
    pub fn post(&self, number: u32, wparam: usize, lparam: isize) -> Result<()> {
        if number > Self::MAX_NUMBER {
            return Err(Error::from_code(sys::ERROR_INVALID_PARAMETER as i32));
        }
        self.address.post(PostedMessage { number, wparam, lparam }.encode())
    }
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Poster>();
};
