//! What the tests of network events set up again and again: an event or a window that is told of them, and the proof
//! that neither was told of something.

use crate::fixture::DEADLINE_MS;
use crate::raw::{Event, FdSet, Message, Socket, Window, listener, msg_wait, pair, readiness, select, tcp};
use crate::until;
use pentaport::sys;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

/// The network events by short names.
pub const READ: u32 = sys::FD_READ;
/// FD_WRITE.
pub const WRITE: u32 = sys::FD_WRITE;
/// FD_OOB.
pub const OOB: u32 = sys::FD_OOB;
/// FD_ACCEPT.
pub const ACCEPT: u32 = sys::FD_ACCEPT;
/// FD_CONNECT.
pub const CONNECT: u32 = sys::FD_CONNECT;
/// FD_CLOSE.
pub const CLOSE: u32 = sys::FD_CLOSE;
/// All six.
pub const ALL: u32 = READ | WRITE | OOB | ACCEPT | CONNECT | CLOSE;

/// The message that an [`Inbox`] selects.
pub const MESSAGE: u32 = sys::WM_USER + 5;

/// A socket and the event that WSAEventSelect gave it.
pub struct Watch<'a> {
    socket: &'a Socket,
    /// A manual-reset event.
    pub event: Event,
}

impl<'a> Watch<'a> {
    /// Selects these network events of the socket for a new event.
    #[track_caller]
    pub fn new(socket: &'a Socket, events: u32) -> Self {
        let watch = Self { socket, event: Event::manual(false) };
        watch.select(events);
        watch
    }

    /// Selects again, for the same event; 0 for none.
    #[track_caller]
    pub fn select(&self, events: u32) {
        let event = (events != 0).then_some(&self.event);
        assert_eq!(self.socket.wsa_event_select(event, events), Ok(()));
    }

    /// WSAEnumNetworkEvents with the event, which it resets; every event's error must be 0.
    #[track_caller]
    pub fn enumerate(&self) -> u32 {
        let found = self.socket.wsa_enum_network_events(Some(&self.event)).expect("WSAEnumNetworkEvents");
        for bit in (0..32).map(|bit| 1 << bit).filter(|bit| found.events & bit != 0) {
            assert_eq!(found.error(bit), 0, "the error of event {bit:#x}");
        }
        found.events
    }

    /// Waits until exactly these are recorded and takes them; in one WSAEnumNetworkEvents or in several, each once.
    #[track_caller]
    pub fn records(&self, events: u32) {
        let mut seen = 0;
        while seen != events {
            self.is_signalled();
            let new = self.enumerate();
            assert_eq!(new & !events, 0, "{new:#x} is recorded where only {events:#x} may be");
            assert_eq!(new & seen, 0, "{new:#x} is recorded again");
            seen |= new;
        }
        assert!(!self.event.is_set(), "WSAEnumNetworkEvents resets the event");
    }

    /// Waits until exactly these are recorded and takes them all by one WSAEnumNetworkEvents.
    #[track_caller]
    pub fn records_at_once(&self, events: u32) {
        self.is_signalled();
        assert_eq!(self.enumerate(), events, "recorded together");
        assert!(!self.event.is_set(), "WSAEnumNetworkEvents resets the event");
    }

    /// Waits for the event, which stays set.
    #[track_caller]
    pub fn is_signalled(&self) {
        assert_eq!(self.event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0, "the event is never set");
    }

    /// Asserts that what has happened so far is not recorded: that it neither set the event nor can be taken.
    #[track_caller]
    pub fn nothing(&self) {
        settle();
        assert!(!self.event.is_set(), "the event is set, for {:#x}", self.enumerate());
        assert_eq!(self.enumerate(), 0, "recorded without the event");
    }
}

/// A window of the calling thread.
pub struct Inbox {
    /// The window.
    pub window: Window,
}

impl Inbox {
    /// A new window.
    #[expect(clippy::new_without_default, reason = "it makes a window, which is nobody's default")]
    pub fn new() -> Self {
        Self { window: Window::new() }
    }

    /// A new window, for which these network events of the socket are selected.
    #[track_caller]
    pub fn of(socket: &Socket, events: u32) -> Self {
        let inbox = Self::new();
        inbox.select(socket, events);
        inbox
    }

    /// Selects these network events of the socket, as [`MESSAGE`]; 0 for none.
    #[track_caller]
    pub fn select(&self, socket: &Socket, events: u32) {
        let message = if events == 0 { 0 } else { MESSAGE };
        assert_eq!(socket.wsa_async_select(&self.window, message, events), Ok(()));
    }

    /// Waits for the next message.
    #[track_caller]
    pub fn next(&self) -> Message {
        loop {
            if let Some(message) = self.window.take(MESSAGE) {
                return message;
            }
            assert_eq!(msg_wait(&[], DEADLINE_MS), sys::WAIT_OBJECT_0, "no message is posted");
        }
    }

    /// Waits until a message lies in the queue and leaves it there.
    #[track_caller]
    pub fn has_one(&self) {
        while self.window.look(MESSAGE).is_none() {
            assert_eq!(msg_wait(&[], DEADLINE_MS), sys::WAIT_OBJECT_0, "no message is posted");
        }
    }

    /// Asserts that the next message says this of the socket, without error.
    #[track_caller]
    pub fn gets(&self, socket: &Socket, event: u32) {
        self.gets_error(socket, event, 0);
    }

    /// Asserts that the next message says this of the socket, with this error.
    #[track_caller]
    pub fn gets_error(&self, socket: &Socket, event: u32, error: i32) {
        let next = self.next();
        assert_eq!(
            (next.wparam, next.event(), next.error()),
            (socket.raw(), event, error),
            "socket, event and error of {next:x?}"
        );
    }

    /// Asserts that what has happened so far leaves no message in the queue.
    #[track_caller]
    pub fn nothing(&self) {
        settle();
        if let Some(message) = self.window.take(MESSAGE) {
            panic!("posted: event {:#x}, error {} of {message:x?}", message.event(), message.error());
        }
    }
}

/// Lets everything become known that has happened to sockets of the calling thread until now.
///
/// What comes to a socket reaches an event or a queue in the order in which it came. So a byte is sent to another
/// socket, and when that one's event is set, all that came before has had its effect.
#[track_caller]
pub fn settle() {
    let (peer, socket) = pair();
    let event = Event::manual(false);
    assert_eq!(socket.wsa_event_select(Some(&event), READ), Ok(()));
    assert_eq!(peer.send(b"."), Ok(1));
    assert_eq!(event.wait(DEADLINE_MS), sys::WAIT_OBJECT_0, "a byte came to another socket, whose event is not set");
}

/// Sends these bytes and waits until as many wait at the other end.
#[track_caller]
pub fn deliver(from: &Socket, data: &[u8], to: &Socket) {
    let before = to.bytes_waiting();
    assert_eq!(from.send(data), Ok(data.len()));
    until("the bytes came", || to.bytes_waiting() as usize >= before as usize + data.len());
}

/// Sends an urgent byte and waits until it is there.
#[track_caller]
pub fn deliver_urgent(from: &Socket, byte: u8, to: &Socket) {
    assert_eq!(from.send_flags(&[byte], sys::MSG_OOB), Ok(1));
    let mut except = FdSet::of(&[to]);
    let outcome = select(None, None, Some(&mut except), Some(Duration::from_millis(u64::from(DEADLINE_MS))));
    assert_eq!(outcome, Ok(1), "the urgent byte comes");
}

/// Waits until a select for reading finds the socket ready: data, a connection, the end of the stream.
#[track_caller]
pub fn is_readable(socket: &Socket) {
    let mut read = FdSet::of(&[socket]);
    let outcome = select(Some(&mut read), None, None, Some(Duration::from_millis(u64::from(DEADLINE_MS))));
    assert_eq!(outcome, Ok(1), "ready for reading");
}

/// A connection to this listener's address, which waits to be accepted when this returns.
#[track_caller]
pub fn connection(to: SocketAddr) -> Socket {
    let client = tcp();
    assert_eq!(client.connect(to), Ok(()));
    client
}

/// Begins a connect that cannot end at once.
#[track_caller]
pub fn begin_connect(socket: &Socket, to: SocketAddr) {
    assert_eq!(socket.connect(to), Err(sys::WSAEWOULDBLOCK));
}

/// Sends by `send`, which is given a block of bytes, until there is no room.
#[track_caller]
pub fn fill(mut send: impl FnMut(&[u8]) -> Result<(), i32>) {
    let block = vec![0x55; 1 << 20];
    for _ in 0..100_000 {
        match send(&block) {
            Ok(()) => {}
            Err(code) => return assert_eq!(code, sys::WSAEWOULDBLOCK, "how a send ends without room"),
        }
    }
    panic!("100,000 sends found room");
}

/// Takes, and throws away, what comes to a nonblocking socket, until `enough`.
#[track_caller]
pub fn drain(socket: &Socket, mut enough: impl FnMut() -> bool) {
    let mut buffer = vec![0; 1 << 20];
    until("what was sent has been taken", || {
        while matches!(socket.recv(&mut buffer), Ok(1..)) {}
        enough()
    });
}

/// Asserts that a connected socket without data is nonblocking, or blocking; it is good for nothing else afterwards.
#[track_caller]
pub fn assert_nonblocking(socket: &Socket, nonblocking: bool) {
    // A blocking receive ends by its time-out; a nonblocking one never comes to it.
    socket.set_sol_option(sys::SO_RCVTIMEO, 20).expect("SO_RCVTIMEO");
    let code = if nonblocking { sys::WSAEWOULDBLOCK } else { sys::WSAETIMEDOUT };
    assert_eq!(socket.recv(&mut [0; 1]), Err(code));
}

/// A socket for which the condition of one network event can be made to hold.
pub struct Scene {
    /// Which event.
    pub event: u32,
    /// The socket: a listener for FD_ACCEPT; one that is not connected yet for FD_WRITE; an accepted one for the others.
    pub socket: Socket,
    others: RefCell<Vec<Socket>>,
    address: SocketAddr,
}

impl Scene {
    /// The scene for one event; the condition does not hold yet.
    #[track_caller]
    pub fn new(event: u32) -> Self {
        println!("for the network event {event:#x}");
        let (listener, address) = listener();
        match event {
            ACCEPT => Self { event, socket: listener, others: RefCell::default(), address },
            WRITE => Self { event, socket: tcp(), others: RefCell::new(vec![listener]), address },
            _ => {
                let peer = connection(address);
                let (socket, _) = listener.accept().expect("accept");
                Self { event, socket, others: RefCell::new(vec![peer]), address }
            }
        }
    }

    /// Makes the condition hold and returns when it does. With FD_ACCEPT, FD_READ and FD_OOB it may be done again:
    /// another connection, more data, another urgent byte.
    #[track_caller]
    pub fn begin(&self) {
        match self.event {
            ACCEPT => {
                self.others.borrow_mut().push(connection(self.address));
                is_readable(&self.socket);
            }
            READ => deliver(&self.others.borrow()[0], b"data", &self.socket),
            OOB => deliver_urgent(&self.others.borrow()[0], b'!', &self.socket),
            WRITE => {
                self.socket.set_nonblocking(true);
                begin_connect(&self.socket, self.address);
                until("the connection stands", || readiness(&self.socket) == "w");
            }
            CLOSE => {
                assert_eq!(self.others.borrow()[0].shutdown(sys::SD_SEND), Ok(()));
                is_readable(&self.socket);
            }
            other => panic!("no scene for event {other:#x}"),
        }
    }

    /// Takes the one connection, the one lot of data or the urgent byte, so that the condition holds no more.
    #[track_caller]
    pub fn end(&self) {
        match self.event {
            ACCEPT => {
                let (accepted, _) = self.socket.accept().expect("accept");
                assert_eq!(accepted.wsa_event_select(None, 0), Ok(()));
                self.others.borrow_mut().push(accepted);
            }
            READ => assert_eq!(self.socket.recv_exact(4), b"data"),
            OOB => assert_eq!(self.socket.recv_flags(&mut [0], sys::MSG_OOB), Ok(1)),
            other => panic!("event {other:#x} cannot be taken"),
        }
    }
}
