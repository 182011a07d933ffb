//! The kinds of steps that a sequence is made of, by the names that cases in files have them.

use std::fmt;
use std::str::FromStr;

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident $text:literal $weight:literal,)*) => {
        /// What one step does. Operands are chosen among what exists when the step is carried out.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Call {
            $($(#[$doc])* $name,)*
        }

        impl Call {
            /// All kinds with how often each is generated, the simplest first: shrinking goes that way.
            pub const WEIGHTS: &'static [(Call, u32)] = &[$((Call::$name, $weight),)*];

            /// The name in files and tables.
            pub fn name(self) -> &'static str {
                match self {
                    $(Call::$name => $text,)*
                }
            }
        }
    };
}

calls! {
    /// WSARecv.
    Receive "receive" 14,
    /// WSASend.
    Send "send" 14,
    /// GetQueuedCompletionStatus with a time of 0.
    PortPoll "port-poll" 6,
    /// GetQueuedCompletionStatus without a limit.
    PortWait "port-wait" 3,
    /// GetQueuedCompletionStatusEx.
    PortMany "port-many" 3,
    /// PostQueuedCompletionStatus.
    Post "post" 3,
    /// recv, which blocks if the socket does.
    ReceiveNow "receive-now" 4,
    /// send, which blocks if the socket does.
    SendNow "send-now" 4,
    /// AcceptEx without or with data, on a socket that is new or was used before.
    AcceptEx "accept-ex" 6,
    /// A client that connects to a listener by connect.
    Connect "connect" 6,
    /// ConnectEx, without or with data, on a socket that is new or was used before.
    ConnectEx "connect-ex" 3,
    /// accept, which may block.
    Accept "accept" 2,
    /// DisconnectEx, mostly with TF_REUSE_SOCKET.
    Disconnect "disconnect-ex" 4,
    /// TransmitFile, at times with TF_DISCONNECT and TF_REUSE_SOCKET.
    Transmit "transmit-file" 3,
    /// shutdown.
    Shutdown "shutdown" 2,
    /// closesocket.
    Close "close" 4,
    /// SO_LINGER with 0 seconds, and closesocket.
    Reset "reset" 3,
    /// CancelIo.
    CancelMine "cancel-io" 2,
    /// CancelIoEx with a null OVERLAPPED.
    CancelAll "cancel-io-ex-all" 2,
    /// CancelIoEx of one operation.
    CancelOne "cancel-io-ex" 3,
    /// CancelSynchronousIo.
    CancelThread "cancel-synchronous-io" 1,
    /// GetOverlappedResult that waits for an operation with an event.
    WaitResult "wait-result" 2,
    /// WaitForMultipleObjects for events of operations.
    WaitEvents "wait-events" 2,
    /// HasOverlappedIoCompleted of some operation.
    Look "look" 2,
    /// SleepEx, alertable, for no time.
    Alertable "alertable" 5,
    /// SleepEx, alertable, without a limit.
    AlertableWait "alertable-wait" 1,
    /// QueueUserAPC to some worker.
    QueueApc "queue-apc" 2,
    /// WSARecvFrom or WSARecvMsg.
    ReceiveDatagram "receive-datagram" 5,
    /// WSASendTo, sendto or WSASendMsg.
    SendDatagram "send-datagram" 6,
    /// WSAEventSelect.
    EventSelect "event-select" 3,
    /// WSAEnumNetworkEvents.
    EnumEvents "enum-events" 3,
    /// WSAAsyncSelect to a window of the thread.
    AsyncSelect "async-select" 2,
    /// PeekMessageW until there is no message.
    Messages "messages" 2,
    /// select.
    Select "select" 2,
    /// WSAPoll.
    Poll "poll" 2,
    /// FIONBIO.
    Nonblocking "nonblocking" 2,
    /// A pair of connected sockets.
    Pair "pair" 2,
    /// The thread ends, and another goes on in its place.
    ThreadEnd "thread-end" 1,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Call {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Call> {
        let found = Call::WEIGHTS.iter().map(|&(call, _)| call).find(|call| call.name() == text);
        found.ok_or_else(|| anyhow::anyhow!("no step is called {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for &(call, _) in Call::WEIGHTS {
            assert_eq!(call.to_string().parse::<Call>().unwrap(), call);
        }
        assert!("nothing".parse::<Call>().is_err());
    }
}
