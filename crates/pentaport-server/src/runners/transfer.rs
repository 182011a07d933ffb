//! Receiving and sending what goes at once, which the runners with workers all do in the same way.

use std::io::ErrorKind;

use pentaport::Result;
use pentaport::socket::Socket;

use super::lost;
use crate::Service;
use crate::conversation::{Conversation, Worker};

/// What is sent without an operation if it goes at once. More than this might be taken in part, and be copied by the
/// system to be sent later.
const SHORT: usize = 4096;

/// What a receive found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Not even an end.
    Nothing,
    /// All that was there, or an end.
    All,
    /// As much as there was room for: there is likely more.
    Full,
}

/// Receives into `scratch` what is there, and tells the conversation.
pub(super) fn receive<S: Service>(
    socket: &Socket,
    scratch: &mut Vec<u8>,
    conversation: &mut Conversation<S>,
    worker: &mut Worker<'_, S>,
) -> Found {
    match socket.recv(scratch) {
        Ok(0) => conversation.end_of_stream(worker),
        Ok(count) => {
            conversation.received(worker, scratch, count);
            if count == scratch.len() {
                return Found::Full;
            }
        }
        Err(error) => {
            conversation.received_nothing();
            if error.kind() == ErrorKind::WouldBlock {
                return Found::Nothing;
            }
            lost(conversation, error);
        }
    }
    Found::All
}

/// Sends what waits if it is short and goes at once, as an answer nearly always does: that needs no operation, which
/// costs more than the rest. False if it did not: an operation will tell why.
pub(super) fn sends_at_once<S: Service>(
    socket: &Socket,
    conversation: &mut Conversation<S>,
    worker: &mut Worker<'_, S>,
) -> bool {
    let front = conversation.front();
    if front.len() > SHORT {
        return false;
    }
    let sent: Result<usize> = socket.send(front);
    if let Ok(count) = sent {
        conversation.sent(worker, count);
    }
    sent.is_ok()
}
