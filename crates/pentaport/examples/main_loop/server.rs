//! The server, its clients, and the loop that they are in.
//!
//! The loop has three sources: the message queue, by its descriptor; a channel, by which the clients' threads say that
//! they are done; and a timer. All of their callbacks run on the loop's thread, with the loop's data, `App`, at hand:
//! that is what a main loop is for, and why nothing here has a lock.

use calloop::channel::{self, Sender};
use calloop::generic::Generic;
use calloop::timer::{TimeoutAction, Timer};
use calloop::{EventLoop, Interest, Mode, PostAction};
use pentaport::async_select::{Message, MessageQueue, NetworkEvents, NetworkMessage};
use pentaport::socket::{Socket, SocketId};
use std::collections::HashMap;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

/// What is counted until all clients are done.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Clients that got back what they had sent.
    pub(crate) clients: usize,
    /// How many bytes the server sent.
    pub(crate) bytes: usize,
    /// How often the timer went off.
    pub(crate) ticks: usize,
}

/// The loop's data.
struct App {
    listener: Socket,
    connections: HashMap<SocketId, Connection>,
    /// Of the clients that are done.
    results: Vec<io::Result<()>>,
    report: Report,
}

struct Connection {
    socket: Socket,
    /// Received, and not sent yet.
    waiting: Vec<u8>,
    /// CLOSE came: what is left is received without further messages.
    closing: bool,
}

/// Serves that many clients, each of which sends that many messages, and returns when all are done and gone.
pub(crate) fn run(clients: usize, messages: usize) -> Result<Report, Box<dyn Error>> {
    let queue = MessageQueue::new()?;
    let listener = Socket::tcp(&"127.0.0.1:0".parse()?)?;
    listener.bind(&"127.0.0.1:0".parse()?)?;
    listener.listen(64)?;
    queue.select(&listener, NetworkEvents::ACCEPT)?;
    let address = listener.local_addr()?;

    let mut main_loop: EventLoop<'_, App> = EventLoop::try_new()?;
    let handle = main_loop.handle();
    // The queue goes into the loop. Level-triggered: the loop calls again as long as there are messages.
    handle.insert_source(Generic::new(queue, Interest::READ, Mode::Level), |_, queue, app| {
        while let Some(message) = queue.peek()? {
            app.react(queue, message)?;
        }
        Ok(PostAction::Continue)
    })?;
    let (sender, done) = channel::channel();
    handle.insert_source(done, |event, (), app| {
        if let channel::Event::Msg(result) = event {
            app.results.push(result);
        }
    })?;
    let tick = Duration::from_millis(1);
    handle.insert_source(Timer::from_duration(tick), move |_, (), app| {
        app.report.ticks += 1;
        TimeoutAction::ToDuration(tick)
    })?;

    for number in 0..clients {
        start_client(number, messages, address, sender.clone());
    }
    let mut app = App { listener, connections: HashMap::new(), results: Vec::new(), report: Report::default() };
    while app.results.len() < clients || !app.connections.is_empty() {
        main_loop.dispatch(None, &mut app)?;
    }
    let results = app.results.into_iter().collect::<io::Result<Vec<()>>>()?;
    Ok(Report { clients: results.len(), ..app.report })
}

impl App {
    /// One message, one call that enables the next.
    fn react(&mut self, queue: &MessageQueue, message: Message) -> pentaport::Result<()> {
        let Message::Network(NetworkMessage { socket, event, .. }) = message else { return Ok(()) };
        if event == NetworkEvents::ACCEPT {
            // Whoever was there may be gone again; then there is nothing to accept.
            if let Ok((socket, _)) = self.listener.accept() {
                queue.select(&socket, NetworkEvents::READ | NetworkEvents::WRITE | NetworkEvents::CLOSE)?;
                self.connections.insert(socket.id(), Connection { socket, waiting: Vec::new(), closing: false });
            }
            return Ok(());
        }
        // Messages of a connection that is closed by now are late, and there is nothing to do.
        let Some(connection) = self.connections.get_mut(&socket) else { return Ok(()) };
        connection.closing |= event == NetworkEvents::CLOSE;
        match connection.echo() {
            Ok(sent) => self.report.bytes += sent,
            Err(Gone) => drop(self.connections.remove(&socket)),
        }
        Ok(())
    }
}

/// The client ended the connection, or it broke.
struct Gone;

impl Connection {
    /// Sends what waits, then receives and sends once, or to the end if that is near; how much was sent.
    fn echo(&mut self) -> Result<usize, Gone> {
        let mut total = self.send()?;
        let mut buffer = [0; 4096];
        while self.waiting.is_empty() {
            match self.socket.recv(&mut buffer) {
                Ok(0) => return Err(Gone),
                Ok(count) => self.waiting.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Err(Gone),
            }
            total += self.send()?;
            if !self.closing {
                // Was there more, there is another message now.
                break;
            }
        }
        Ok(total)
    }

    fn send(&mut self) -> Result<usize, Gone> {
        if self.waiting.is_empty() {
            return Ok(0);
        }
        match self.socket.send(&self.waiting) {
            Ok(sent) => {
                self.waiting.drain(..sent);
                Ok(sent)
            }
            // A message says when there is room.
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            Err(_) => Err(Gone),
        }
    }
}

/// A client in a thread of its own, which knows nothing of the loop but its address and its channel.
fn start_client(number: usize, messages: usize, address: SocketAddr, done: Sender<io::Result<()>>) {
    thread::spawn(move || {
        // If the loop is gone, nobody wants to know.
        let _ = done.send(converse(number, messages, address));
    });
}

fn converse(number: usize, messages: usize, address: SocketAddr) -> io::Result<()> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(Duration::from_secs(60)))?;
    for round in 0..messages {
        let sent = format!("message {round} of client {number}, ").repeat(1 + round % 100);
        connection.write_all(sent.as_bytes())?;
        let mut received = vec![0; sent.len()];
        connection.read_exact(&mut received)?;
        if received != sent.as_bytes() {
            return Err(ErrorKind::InvalidData.into());
        }
    }
    connection.shutdown(net::Shutdown::Write)?;
    match connection.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}
