//! The port.

use super::{Failed, Operation, Packet, PortSocket};
use crate::Result;
use crate::raw::port::Port;
use crate::socket::Socket;
use std::fmt;
use std::time::Duration;

/// A completion port, with keys of type `K` and operations with contexts of type `C`.
///
/// It is a handle: clones are the same port, and any number of threads may use it at once. See the
/// [module](super) for how ports work.
#[doc(alias = "IOCP")]
pub struct CompletionPort<K, C> {
    pub(super) port: Port<K, C>,
}

impl<K: Send + Sync + 'static, C: Send + 'static> CompletionPort<K, C> {
    /// A new port that lets `concurrency` threads run at a time; 0 stands for the number of processors.
    ///
    /// # Errors
    /// `ERROR_NO_SYSTEM_RESOURCES`, `ERROR_NOT_ENOUGH_MEMORY` or `ERROR_TOO_MANY_OPEN_FILES`, by what the system
    /// lacks.
    #[doc(alias = "CreateIoCompletionPort")]
    pub fn new(concurrency: u32) -> Result<Self> {
        Port::new(concurrency).map(|port| Self { port })
    }

    /// Brings a socket to this port, for the rest of its life. The packets of its operations come here, with `key`.
    ///
    /// # Errors
    /// What the system lacks. Socket and key are dropped then.
    #[doc(alias = "CreateIoCompletionPort")]
    pub fn associate(&self, socket: Socket, key: K) -> Result<PortSocket<K, C>> {
        self.port.associate(socket, key).map(|owner| PortSocket { owner })
    }

    /// Waits for a packet and takes it; `None` if none came in time. A `timeout` of zero does not wait, `None` waits
    /// without end; others are rounded up to milliseconds.
    ///
    /// The failure of an operation is in its packet; only what is wrong with the port is an error here.
    ///
    /// # Errors
    /// `ERROR_ABANDONED_WAIT_0` (735) if the port was or is [closed](Self::close).
    #[doc(alias = "GetQueuedCompletionStatus")]
    pub fn get(&self, timeout: Option<Duration>) -> Result<Option<Packet<K, C>>> {
        Ok(self.port.get(timeout)?.map(Packet::new))
    }

    /// Waits until there is a packet, and takes up to `max` that are there, but no more than
    /// [`MAX_BATCH`](Self::MAX_BATCH), onto the end of `packets`; returns how many. 0 says that none came in time.
    ///
    /// # Errors
    /// As [`get`](Self::get); `ERROR_INVALID_PARAMETER` if `max` is 0.
    #[doc(alias = "GetQueuedCompletionStatusEx")]
    pub fn get_many(&self, packets: &mut Vec<Packet<K, C>>, max: usize, timeout: Option<Duration>) -> Result<usize> {
        packets.reserve(max.min(Self::MAX_BATCH));
        self.port.get_many(max, timeout, |landing| packets.push(Packet::new(landing)))
    }

    /// The most packets that one [`get_many`](Self::get_many) takes.
    pub const MAX_BATCH: usize = crate::raw::port::BATCH;

    /// Queues a packet that is no operation's, with `key` and `bytes` as its result; it brings `operation` along,
    /// which has the context (`context.into()` makes one without a buffer).
    ///
    /// Each call allocates for the key; [`PortSocket::post`] uses its socket's and does not.
    ///
    /// ```
    /// use pentaport::completion_port::{CompletionPort, OperationKind};
    /// # fn main() -> pentaport::Result<()> {
    /// let port = CompletionPort::new(1)?;
    /// port.post("wake up", 7, String::from("context").into())?;
    /// let packet = port.get(None)?.expect("there is a packet");
    /// assert_eq!((*packet.key(), packet.result, packet.kind()), ("wake up", Ok(7), OperationKind::Posted));
    /// assert_eq!(packet.operation.context(), "context");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the system lacks. The key is dropped then.
    #[doc(alias = "PostQueuedCompletionStatus")]
    pub fn post(&self, key: K, bytes: u32, operation: Operation<C>) -> std::result::Result<(), Failed<C>> {
        self.port.post_key(key, bytes, operation.into_record()).map_err(Failed::new)
    }

    /// Closes the port to those who take packets: who waits in [`get`](Self::get) is woken with
    /// `ERROR_ABANDONED_WAIT_0` (735), and so ends every call from now on.
    ///
    /// Packets that are still queued are not given out any more. Their operations are freed when the last handle of
    /// the port and the last of its sockets are gone. A program that wants them all closes its sockets and takes their
    /// packets, and then closes the port.
    ///
    /// # Errors
    /// What the system lacks to wake those who wait.
    #[doc(alias = "CloseHandle")]
    pub fn close(&self) -> Result<()> {
        self.port.close()
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.port.is_closed()
    }
}

impl<K, C> Clone for CompletionPort<K, C> {
    fn clone(&self) -> Self {
        Self { port: self.port.clone() }
    }
}

impl<K, C> PartialEq for CompletionPort<K, C> {
    /// Whether both are the same port.
    fn eq(&self, other: &Self) -> bool {
        self.port.is(&other.port)
    }
}

impl<K, C> Eq for CompletionPort<K, C> {}

impl<K, C> fmt::Debug for CompletionPort<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompletionPort").field("closed", &self.port.is_closed()).finish()
    }
}
