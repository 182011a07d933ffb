use crate::{Connection, Reply, Service};

/// Sends lines of 72 printable characters, each beginning one character later than the line before, for as long as the
/// client takes them; what it receives is thrown away (RFC 864, without the UDP half).
///
/// It ends when the client ends its side, or when the server is stopped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chargen;

/// How far a client of [`Chargen`] has got.
#[derive(Debug)]
pub struct ChargenSession {
    first: usize,
    finished: bool,
}

const PRINTABLE: std::ops::RangeInclusive<u8> = b' '..=b'~';
const CHARACTERS: usize = (*PRINTABLE.end() - *PRINTABLE.start()) as usize + 1;
const COLUMNS: usize = 72;

/// All printable characters twice over, so that each line is a slice of it.
const RING: [u8; 2 * CHARACTERS] = {
    let mut ring = [0; 2 * CHARACTERS];
    let mut index = 0;
    while index < ring.len() {
        ring[index] = *PRINTABLE.start() + (index % CHARACTERS) as u8;
        index += 1;
    }
    ring
};

impl Service for Chargen {
    type Session = ChargenSession;

    fn open(&self, _: &Connection, reply: &mut Reply<'_>) -> ChargenSession {
        reply.again();
        ChargenSession { first: 0, finished: false }
    }

    fn receive(&self, _: &mut ChargenSession, _: &[u8], _: &mut Reply<'_>) {}

    fn more(&self, session: &mut ChargenSession, reply: &mut Reply<'_>) {
        if session.finished || reply.is_stopping() {
            return;
        }
        loop {
            reply.send(&RING[session.first..session.first + COLUMNS]);
            reply.send(b"\r\n");
            session.first = (session.first + 1) % CHARACTERS;
            if reply.room() < COLUMNS + 2 {
                break;
            }
        }
        reply.again();
    }

    fn finish(&self, session: &mut ChargenSession, _: &mut Reply<'_>) {
        session.finished = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_rotate_through_the_printable_characters() {
        let mut session = ChargenSession { first: 0, finished: false };
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, 74 * 96);
        Chargen.more(&mut session, &mut reply);
        assert!(reply.wants_more());

        let lines: Vec<&[u8]> = out.chunks(74).collect();
        assert_eq!(lines.len(), 96);
        assert_eq!(lines[0], b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n");
        assert_eq!(lines[1][..3], *b"!\"#");
        assert_eq!(lines[94][..3], *b"~ !");
        assert_eq!(lines[95], lines[0]);
    }

    #[test]
    fn a_queue_smaller_than_a_line_still_gets_lines() {
        let mut session = ChargenSession { first: 0, finished: false };
        let mut out = Vec::new();
        Chargen.more(&mut session, &mut Reply::new(&mut out, 1));
        assert_eq!(out.len(), 74);
    }

    #[test]
    fn nothing_follows_the_end_of_the_client() {
        let mut session = ChargenSession { first: 0, finished: false };
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, 1000);
        Chargen.finish(&mut session, &mut reply);
        Chargen.more(&mut session, &mut reply);
        assert!(!reply.wants_more());
        assert!(out.is_empty());
    }
}
