use std::io::Write;

use ranked_locks::{Mutex, rank};

use crate::{Close, Connection, ConnectionId, Reply, Service};

/// The documents' printing server: writes what it receives and says when a client came and left, and whether it left by
/// closing the connection or by resetting it. It sends nothing.
///
/// What arrives is written at once, each line of it after the name of its connection. Control characters are escaped,
/// and bytes that are no UTF-8 are shown as U+FFFD, so that no client can steer the terminal of the server.
///
/// An error of the sink is counted ([`write_errors`](Self::write_errors)), and the server goes on.
#[derive(Debug)]
pub struct Print<W> {
    sink: Mutex<Sink<W>, rank::Print>,
}

#[derive(Debug)]
struct Sink<W> {
    to: W,
    errors: u64,
}

/// What [`Print`] keeps for a client: the beginning of a character whose rest has not arrived.
#[derive(Debug)]
pub struct PrintSession {
    id: ConnectionId,
    begun: Vec<u8>,
}

impl<W: Write + Send + 'static> Print<W> {
    /// A printing server that writes to `sink`.
    pub fn new(sink: W) -> Self {
        Print { sink: Mutex::new(Sink { to: sink, errors: 0 }) }
    }

    /// How many writes failed.
    pub fn write_errors(&self) -> u64 {
        self.sink.lock().errors
    }

    fn write(&self, text: &str) {
        let mut sink = self.sink.lock();
        let written = sink.to.write_all(text.as_bytes()).and_then(|()| sink.to.flush());
        if written.is_err() {
            sink.errors += 1;
        }
    }
}

impl<W: Write + Send + 'static> Service for Print<W> {
    type Session = PrintSession;

    fn open(&self, connection: &Connection, _: &mut Reply<'_>) -> PrintSession {
        self.write(&format!("{} connected from {}\n", connection.id(), connection.peer()));
        PrintSession { id: connection.id(), begun: Vec::new() }
    }

    fn receive(&self, session: &mut PrintSession, data: &[u8], _: &mut Reply<'_>) {
        let mut bytes = std::mem::take(&mut session.begun);
        bytes.extend_from_slice(data);
        session.begun = bytes.split_off(bytes.len() - begun_character(&bytes));
        if !bytes.is_empty() {
            self.write(&lines(session.id, &bytes));
        }
    }

    fn close(&self, session: PrintSession, why: Close) {
        let mut text = String::new();
        if !session.begun.is_empty() {
            text = lines(session.id, &session.begun);
        }
        text.push_str(&format!("{} {why}\n", session.id));
        self.write(&text);
    }
}

/// `bytes` as lines that begin with `id` and hold nothing that steers a terminal.
fn lines(id: ConnectionId, bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        text.push_str(&format!("{id}: "));
        for character in String::from_utf8_lossy(line).chars() {
            if character.is_control() && character != '\t' {
                text.extend(character.escape_default());
            } else {
                text.push(character);
            }
        }
        text.push('\n');
    }
    text
}

/// How many bytes at the end of `bytes` are the beginning of a UTF-8 character that is not complete.
fn begun_character(bytes: &[u8]) -> usize {
    for count in 1..=bytes.len().min(3) {
        let length = match bytes[bytes.len() - count] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => 1,
        };
        return if count < length { count } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn printed(data: &[&[u8]], why: Close) -> String {
        let paper = Paper::default();
        let print = Print::new(paper.clone());
        let address = "127.0.0.1:5050".parse().unwrap();
        let connection = Connection::new(ConnectionId::new(7), address, address);
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, 100);
        let mut session = print.open(&connection, &mut reply);
        for data in data {
            print.receive(&mut session, data, &mut reply);
        }
        print.close(session, why);
        assert!(out.is_empty());
        let printed = paper.0.lock().unwrap().clone();
        String::from_utf8(printed).unwrap()
    }

    #[test]
    fn a_client_that_closes_is_told_from_one_that_resets() {
        assert_eq!(
            printed(&[b"hello\r\nwor", b"ld"], Close::Peer),
            "#7 connected from 127.0.0.1:5050\n#7: hello\n#7: wor\n#7: ld\n#7 closed by the peer\n"
        );
        assert_eq!(printed(&[], Close::Reset), "#7 connected from 127.0.0.1:5050\n#7 reset by the peer\n");
    }

    #[test]
    fn a_client_cannot_steer_the_terminal() {
        assert!(printed(&[b"\x1b[2Jgone\n"], Close::Peer).contains("#7: \\u{1b}[2Jgone\n"));
        assert!(printed(&[b"caf\xe9\n"], Close::Peer).contains("#7: caf\u{fffd}\n"));
    }

    #[test]
    fn a_character_that_arrives_in_two_pieces_is_one() {
        let text = "端口".as_bytes();
        for split in 0..=text.len() {
            let printed = printed(&[&text[..split], &text[split..]], Close::Peer);
            let written: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("#7: ")).collect();
            assert_eq!(written.concat(), "端口", "split at {split}");
        }
        assert!(printed(&[&text[..2]], Close::Peer).contains("#7: \u{fffd}\n"));
    }

    #[test]
    fn a_sink_that_fails_is_counted() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let print = Print::new(Broken);
        print.write("x");
        assert_eq!(print.write_errors(), 1);
    }
}
