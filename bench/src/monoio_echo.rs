//! An echo server over monoio, on its io_uring driver.
//!
//! Each thread has a runtime and a listener (SO_REUSEPORT) of its own, which is how monoio is meant to be used. A
//! connection is a task with a buffer of its own, which goes to the kernel and comes back: monoio has no provided
//! buffers. (Memory that was never received into costs nothing: the buffer is not cleared.)

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;

use io_uring_of_monoio::IoUring;
use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::TcpStream;
use monoio::{IoUringDriver, RuntimeBuilder, spawn};

use crate::sys;

const SUBMISSIONS: u32 = 1024;
const COMPLETIONS: u32 = 16 * 1024;
const BUFFER: usize = 16 * 1024;

/// Serves from one thread.
pub fn serve(listener: TcpListener) -> io::Result<Infallible> {
    // Of a non-blocking one io_uring would only ask once.
    listener.set_nonblocking(false)?;
    let mut ring = IoUring::builder();
    ring.setup_cqsize(COMPLETIONS).setup_single_issuer().setup_defer_taskrun();
    let runtime = RuntimeBuilder::<IoUringDriver>::new().with_entries(SUBMISSIONS).uring_builder(ring).build();
    runtime.map_err(sys::explain_uring)?.block_on(accept(listener))
}

async fn accept(listener: TcpListener) -> io::Result<Infallible> {
    let listener = monoio::net::TcpListener::from_std(listener)?;
    loop {
        // Else the caller has gone, or there are no descriptors until others go.
        if let Ok((stream, _)) = listener.accept().await {
            spawn(echo(stream));
        }
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        let (read, data) = stream.read(buffer).await;
        if read? == 0 {
            return Ok(());
        }
        let (written, data) = stream.write_all(data).await;
        written?;
        buffer = data;
    }
}
