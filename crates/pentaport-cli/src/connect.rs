//! `pentaport connect`: the documents' client.

use crate::failure::Failure;
use crate::{address, output, text, value};
use anyhow::Context;
use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A longer line is sent as several messages.
const LONGEST_LINE: u64 = 1 << 20;
/// How much is sent ahead of what has come back. Far below any socket buffer, so that server and
/// client never both wait for the other to read.
const AHEAD: usize = 16 * 1024;

/// Send lines to an echo server and print what comes back.
///
/// Each line of standard input is sent without its end; then as many bytes as were sent are read
/// back. An empty line sends nothing. Ends at the end of input.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The server.
    #[arg(value_name = "ADDR:PORT")]
    address: String,
    /// How long to wait for the connection and for each answer.
    #[arg(long, value_name = "TIME", default_value = "10s", allow_hyphen_values = true, value_parser = value::duration)]
    timeout: Duration,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let stream = address::connect(&arguments.address, arguments.timeout)?;
    let cannot_set = "cannot set up the connection";
    stream.set_nodelay(true).context(cannot_set)?;
    stream.set_read_timeout(Some(arguments.timeout)).context(cannot_set)?;
    stream.set_write_timeout(Some(arguments.timeout)).context(cannot_set)?;
    let mut client = Client { stream, name: &arguments.address, timeout: arguments.timeout };
    let mut input = io::stdin().lock();
    loop {
        output::write("Send:")?;
        let Some(message) = read_line(&mut input).context("cannot read standard input")? else {
            return output::write("\n");
        };
        if message.is_empty() {
            continue;
        }
        let answer = client.exchange(&message)?;
        let mut line = format!("Received [{} bytes]: '", answer.len()).into_bytes();
        line.extend_from_slice(&answer);
        line.extend_from_slice(b"'\n");
        output::write(line)?;
    }
}

/// The next line without its end, or None at the end of input.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if input.take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_some() {
        line.pop_if(|last| *last == b'\r');
    }
    Ok(Some(line))
}

struct Client<'a> {
    stream: TcpStream,
    name: &'a str,
    timeout: Duration,
}

impl Client<'_> {
    fn exchange(&mut self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut answer = vec![0; message.len()];
        let (mut sent, mut read) = (0, 0);
        while read < message.len() {
            let may_send = message.len().min(read + AHEAD);
            let moved = if sent < may_send {
                self.stream.write(&message[sent..may_send]).map(|n| sent += n)
            } else {
                match self.stream.read(&mut answer[read..sent]) {
                    Ok(0) => return Err(self.closed(read, message.len()).into()),
                    outcome => outcome.map(|n| read += n),
                }
            };
            match moved {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    return Err(self.gone(&error, read, message.len()).into());
                }
                _ => {}
            }
        }
        Ok(answer)
    }

    fn closed(&self, read: usize, sent: usize) -> Failure {
        Failure::new(
            format!("{} closed the connection after {read} of {sent} bytes", self.name),
            "the server ended or refused this client; its own output may say why",
        )
    }

    fn gone(&self, error: &io::Error, read: usize, sent: usize) -> Failure {
        let name = self.name;
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::new(
                format!(
                    "{name} sent back {read} of {sent} bytes and nothing more for {}",
                    text::duration(self.timeout)
                ),
                "is it an echo server? Others may never answer",
            ),
            io::ErrorKind::BrokenPipe => self.closed(read, sent),
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Failure::new(
                format!("{name} reset the connection after {read} of {sent} bytes"),
                "the server was killed or refused this client; its own output may say why",
            ),
            _ => Failure::new(
                format!("connection to {name} lost after {read} of {sent} bytes: {error}"),
                "try again; if it stays, look at the network between",
            ),
        }
    }
}
