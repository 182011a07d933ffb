use super::Host;
use crate::Service;
use pentaport::socket::Socket;
use std::io;
pub(crate) fn run<S: Service>(_: Host<S>, _: Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
