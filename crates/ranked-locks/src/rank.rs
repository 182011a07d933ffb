//! The ranks, in the order in which their locks are taken: a thread may wait for a lock while it holds locks of ranks that
//! stand above it here, and none other. ARCHITECTURE.md has the same table (`cargo xtask check` compares).

use crate::held::Rank;

/// Defines a type for each rank, in their order.
macro_rules! ranks {
    ($(#[doc = $what:literal] $name:ident)*) => {
        /// The places, counted.
        enum Place { $($name),* }

        $(
            #[doc = $what]
            #[derive(Debug)]
            pub enum $name {}

            impl Rank for $name {
                const NAME: &'static str = stringify!($name);
                const PLACE: u8 = Place::$name as u8;
            }
        )*
    };
}

ranks! {
    /// A client of the server, in the models where several threads serve it. The service is called under it.
    Client
    /// Where the service `Print` writes to. The program's writer is called under it.
    Print
    /// How handles reach a server's runner. Held while something is sent to a connection.
    Link
    /// What was sent to a connection from outside. Under a client's, while its worker takes it.
    Mailbox
    /// The events of a `WaitSet`.
    WaitSet
    /// Windows: which thread of a wait set waits for what. Under the set's own.
    WaitSetMembers
    /// Windows: what one thread of a wait set waits for. Under that of the members.
    WaitSetPlan
    /// Windows: what a wait set has found signalled. Under that of the thread that found it.
    WaitSetReady
    /// The window of a `MessageQueue`. Held while a message is posted to it.
    Window
    /// How often Winsock was started. Held while the last cleanup closes all sockets.
    Startup
    /// How far a thread of CreateThread has got. Held while a routine is queued to it.
    Thread
    /// A standard stream that is being written to. Held while the call blocks.
    StandardStream
    /// A socket. A second one is only tried (`lock_second`): a listener has many acceptors, each of them may be held by a thread that wants the listener, and a socket that is remembered may be another by now.
    Socket
    /// Which thread has which message queue. Held while a thread's queue ends.
    MessageQueues
    /// A thread's message queue. Under a socket's, when a network event is posted.
    MessageQueue
    /// The threads that have blocked in calls. Under a socket's, when a call on it is cancelled or is to look again.
    BlockedThreads
    /// The calls that one thread is blocked in. Under that of the threads.
    BlockedCalls
    /// A queue of file operations. Under that of the blocked calls, when one of them is cancelled.
    Lane
    /// A file. Under its lane's, when an operation completes.
    File
    /// The setting of a waitable timer.
    Timer
    /// The setting of a wait or a timer of the thread pool.
    PoolWait
    /// What a handle means. Held while an event is set through it.
    Handle
    /// A completion port. Under all those whose operations complete at it; held for pushes and pops only.
    Port
    /// The names of objects. Held while a named one is made.
    Names
    /// The wait engine: all objects that can be waited for, and all threads that wait. Under nearly everything.
    Dispatcher
    /// All others. Nothing at all is locked under one.
    Leaf
}
