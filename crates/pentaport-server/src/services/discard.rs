use crate::{Connection, Reply, Service};

/// Throws away what it receives (RFC 863, without the UDP half).
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl Service for Discard {
    type Session = ();

    fn open(&self, _: &Connection, _: &mut Reply<'_>) {}

    fn receive(&self, (): &mut (), _: &[u8], _: &mut Reply<'_>) {}
}
