//! An echo server over plain io_uring.
//!
//! Each thread has a ring (SINGLE_ISSUER, DEFER_TASKRUN) and a listener (SO_REUSEPORT) of its own. One multishot accept
//! puts connections into the ring's own table of files, and each connection has one multishot receive, which takes its
//! buffers from a ring of provided ones: an idle connection holds none. What came is sent from the buffer that it came
//! into, one send at a time (MSG_WAITALL: the kernel sends on until all is sent), and the buffer is provided again.
//! What is to be submitted goes in the same system call that waits.
//!
//! A connection whose peer does not read has its receive cancelled when so many buffers wait for it, and started again
//! when they have gone. There are as many buffers as were needed at once: when the kernel finds none it ends the
//! receive, which is started again with more.

mod buffers;

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use io_uring::types::{Fd, Fixed};
use io_uring::{CompletionQueue, IoUring, SubmissionQueue, Submitter, cqueue, opcode, squeue};

use self::buffers::{Buffers, GROUP, Queue};
use crate::sys;

const SUBMISSIONS: u32 = 1024;
const COMPLETIONS: u32 = 16 * 1024;
/// The ring's table of files is made for all at once. Who comes when it is full is closed by the kernel.
const MOST_CONNECTIONS: u32 = 64 * 1024;
/// Buffers that may wait to be sent on one connection before no more is received. What one burst of a receive brings
/// (32 in Linux) does not count as slow.
const MOST_QUEUED: u16 = 32;

/// Serves from one thread.
pub fn serve(listener: TcpListener) -> io::Result<Infallible> {
    // Of a non-blocking one io_uring would only ask once.
    listener.set_nonblocking(false)?;
    let mut ring = IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_submit_all()
        .setup_cqsize(COMPLETIONS)
        .build(SUBMISSIONS)
        .map_err(sys::explain_uring)?;
    let files = sys::raise_descriptor_limit().min(MOST_CONNECTIONS);
    let (mut submitter, submissions, completions) = ring.split();
    submitter.register_ring_fd()?;
    submitter.register_files_sparse(files)?;
    let buffers = Buffers::register(&submitter)?;
    let connections = Vec::new();
    Loop { submitter, submissions, buffers, connections, listener, starved: Vec::new(), accept_parked: false }
        .run(completions)
}

struct Loop<'r> {
    submitter: Submitter<'r>,
    submissions: SubmissionQueue<'r>,
    buffers: Buffers,
    /// By their place in the ring's table of files.
    connections: Vec<Connection>,
    listener: TcpListener,
    /// Connections that receive again when there is a buffer.
    starved: Vec<u32>,
    /// To accept again when a connection has closed.
    accept_parked: bool,
}

#[derive(Default)]
struct Connection {
    /// Received, to be sent. The first is being sent.
    queue: Queue,
    /// How much of the first is sent.
    sent: u32,
    /// A receive is in flight.
    receiving: bool,
    /// It is being cancelled.
    cancelling: bool,
    /// Nothing more is to be received: the stream has ended, or the connection failed.
    ended: bool,
    closed: bool,
}

/// What a completion is of; the connection's place is in the upper half of its number.
#[derive(Clone, Copy)]
enum Operation {
    Accept,
    Receive,
    Send,
    Cancel,
    Close,
}

impl Operation {
    fn number(self, place: u32) -> u64 {
        u64::from(place) << 32 | self as u64
    }

    fn from_number(number: u64) -> (Operation, u32) {
        use Operation::*;
        ([Accept, Receive, Send, Cancel, Close][number as u32 as usize], (number >> 32) as u32)
    }
}

impl Loop<'_> {
    fn run(mut self, mut completions: CompletionQueue<'_>) -> io::Result<Infallible> {
        self.accept()?;
        loop {
            self.buffers.publish();
            self.submit(1)?;
            completions.sync();
            for completion in &mut completions {
                self.completed(&completion)?;
            }
            completions.sync();
        }
    }

    fn completed(&mut self, completion: &cqueue::Entry) -> io::Result<()> {
        let result = completion.result();
        let more = cqueue::more(completion.flags());
        match Operation::from_number(completion.user_data()) {
            (Operation::Accept, _) => self.accepted(result, more),
            (Operation::Receive, place) => {
                let buffer = cqueue::buffer_select(completion.flags());
                self.received(place, result, buffer, more)
            }
            (Operation::Send, place) => self.sent(place, result),
            (Operation::Cancel, _) => Ok(()),
            (Operation::Close, _) if self.accept_parked => self.accept(),
            (Operation::Close, _) => Ok(()),
        }
    }

    fn accepted(&mut self, result: i32, more: bool) -> io::Result<()> {
        if let Ok(place) = u32::try_from(result) {
            let index = place as usize;
            if self.connections.len() <= index {
                self.connections.resize_with(index + 1, Connection::default);
            }
            self.connections[index] = Connection::default();
            self.receive(place)?;
        }
        match -result {
            _ if more => Ok(()),
            libc::ENFILE | libc::EMFILE | libc::ENOMEM | libc::ENOBUFS => {
                self.accept_parked = true;
                Ok(())
            }
            // The caller has gone, or the kernel ended the operation though all was well.
            _ => self.accept(),
        }
    }

    fn received(&mut self, place: u32, result: i32, buffer: Option<u16>, more: bool) -> io::Result<()> {
        let connection = &mut self.connections[place as usize];
        connection.receiving = more;
        connection.cancelling &= more;
        self.buffers.took(buffer);
        match (result, buffer) {
            (1.., Some(buffer)) if !connection.ended => {
                let idle = connection.queue.is_empty();
                self.buffers.push(&mut connection.queue, buffer, result as u32);
                if idle {
                    self.send(place)?;
                }
            }
            (_, buffer) => {
                if let Some(buffer) = buffer {
                    self.buffers.provide(buffer);
                }
                match -result {
                    libc::ENOBUFS if self.buffers.provide_more() => {}
                    libc::ENOBUFS => {
                        self.starved.push(place);
                        return Ok(());
                    }
                    libc::ECANCELED => {}
                    _ => connection.ended = true,
                }
            }
        }
        self.proceed(place)
    }

    fn sent(&mut self, place: u32, result: i32) -> io::Result<()> {
        let connection = &mut self.connections[place as usize];
        match u32::try_from(result) {
            Ok(count) => {
                connection.sent += count;
                if connection.sent == self.buffers.first(&connection.queue).1 {
                    connection.sent = 0;
                    let buffer = self.buffers.pop(&mut connection.queue);
                    self.buffers.provide(buffer);
                }
            }
            Err(_) => {
                connection.ended = true;
                while !connection.queue.is_empty() {
                    let buffer = self.buffers.pop(&mut connection.queue);
                    self.buffers.provide(buffer);
                }
            }
        }
        if !self.connections[place as usize].queue.is_empty() {
            self.send(place)?;
        }
        while let Some(starved) = self.starved.pop_if(|_| self.buffers.are_there()) {
            self.proceed(starved)?;
        }
        self.proceed(place)
    }

    /// Starts or stops to receive, or closes, as things are.
    fn proceed(&mut self, place: u32) -> io::Result<()> {
        let connection = &mut self.connections[place as usize];
        let queued = connection.queue.len();
        let receive = Operation::Receive.number(place);
        match (connection.receiving, connection.ended) {
            _ if connection.closed => Ok(()),
            (true, ended) if (ended || queued >= MOST_QUEUED) && !connection.cancelling => {
                connection.cancelling = true;
                self.push(opcode::AsyncCancel::new(receive).build(), Operation::Cancel, place)
            }
            (false, true) if queued == 0 => {
                connection.closed = true;
                self.push(opcode::Close::new(Fixed(place)).build(), Operation::Close, place)
            }
            (false, false) if queued < MOST_QUEUED / 2 => self.receive(place),
            _ => Ok(()),
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        self.accept_parked = false;
        let listener = Fd(self.listener.as_raw_fd());
        self.push(opcode::AcceptMulti::new(listener).allocate_file_index(true).build(), Operation::Accept, 0)
    }

    fn receive(&mut self, place: u32) -> io::Result<()> {
        self.connections[place as usize].receiving = true;
        self.push(opcode::RecvMulti::new(Fixed(place), GROUP).build(), Operation::Receive, place)
    }

    /// Sends what is left of the first buffer in the queue.
    fn send(&mut self, place: u32) -> io::Result<()> {
        let connection = &self.connections[place as usize];
        let (start, len) = self.buffers.first(&connection.queue);
        let send = opcode::Send::new(Fixed(place), start.wrapping_add(connection.sent as usize), len - connection.sent)
            .flags(libc::MSG_WAITALL | libc::MSG_NOSIGNAL)
            .build();
        self.push(send, Operation::Send, place)
    }

    fn push(&mut self, entry: squeue::Entry, operation: Operation, place: u32) -> io::Result<()> {
        let entry = entry.user_data(operation.number(place));
        // SAFETY: what is sent lies in the buffers, which live as long as the process, and is not provided to the
        // kernel again before the send has completed.
        while unsafe { self.submissions.push(&entry) }.is_err() {
            self.submit(0)?;
        }
        Ok(())
    }

    fn submit(&mut self, want: usize) -> io::Result<()> {
        self.submissions.sync();
        let submitted = self.submitter.submit_and_wait(want);
        self.submissions.sync();
        match submitted {
            Ok(_) => Ok(()),
            // A signal; or completions are to be taken first.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINTR | libc::EBUSY | libc::EAGAIN)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
