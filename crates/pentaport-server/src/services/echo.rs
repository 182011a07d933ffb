use crate::{Connection, Reply, Service};

/// Sends back what it receives (RFC 862, without the UDP half).
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

impl Service for Echo {
    type Session = ();

    fn open(&self, _: &Connection, _: &mut Reply<'_>) {}

    fn receive(&self, (): &mut (), data: &[u8], reply: &mut Reply<'_>) {
        reply.send(data);
    }
}
