//! The ranks, in the order in which their locks are taken: a thread may wait for a lock while it holds locks of ranks that
//! stand above it here, and no others. ARCHITECTURE.md has the same table (`cargo xtask check` compares).

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
    /// A client of the server, in models where several threads serve it. The service is called under it.
    Client
    /// Where the service `Print` writes to. Under that of a client; the program's writer is called under it.
    Print
    /// How handles reach a server's runner. Held while something is sent, by a service under a client's, too.
    Link
    /// What was sent to a connection from outside. Under a client's or a link's.
    Mailbox
    /// The events of a `WaitSet`. Held while one is added or taken out.
    WaitSet
    /// Windows: which thread of a wait set waits for what. Under the set's.
    WaitSetMembers
    /// Windows: what one thread of a wait set waits for. Under that of the members.
    WaitSetPlan
    /// Windows: what a wait set has found signalled. Under that of the members or of a thread's plan.
    WaitSetReady
    /// The window of a `MessageQueue`. Held while a message is posted to it.
    Window
    /// How often Winsock was started. Held while the last cleanup closes all sockets.
    Startup
    /// How far a thread has got that has a handle. Held while a routine is queued to it.
    Thread
    /// A standard stream that is written to. Held while the call blocks.
    StandardStream
    /// A socket. A second one is only tried, and waited for without the first (`lock_second`).
    Socket
    /// Which thread has which message queue. Held while the queue of a thread ends.
    MessageQueues
    /// A thread's message queue. Under a socket's, whose network events are posted.
    MessageQueue
    /// The threads that have blocked in calls. Under a socket's, or a standard stream's.
    BlockedThreads
    /// The calls that one thread is blocked in. Under that of the threads.
    BlockedCalls
    /// A queue of file operations. Under that of the blocked calls, of which one is cancelled.
    Lane
    /// A file. Under its lane's, where an operation completes.
    File
    /// The setting of a waitable timer. Held while its routine is queued.
    Timer
    /// The setting of a wait or a timer of the thread pool.
    PoolWait
    /// What a handle means. Held while an event is set through it.
    Handle
    /// A completion port, for pushes and pops only. Under those of what completes there: sockets, files, threads.
    Port
    /// The names of objects. Held while one with a name is made.
    Names
    /// The wait engine: all that can be waited for, and all who wait. Under any of the engine's but leaves.
    Dispatcher
    /// All others. Under any lock; nothing is locked under one, not even another leaf.
    Leaf
}
