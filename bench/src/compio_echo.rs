//! An echo server over compio, on its io_uring driver.
//!
//! Each thread has a runtime and a listener (SO_REUSEPORT) of its own, which is how compio is meant to be used. The
//! listener has one multishot accept. A connection is a task that reads into a buffer of the runtime's pool, which the
//! kernel takes when there is data, so an idle connection holds none; and writes from there. If the kernel finds the
//! pool empty, that one read is done with a buffer of the connection's own.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::num::NonZero;

use compio::buf::BufResult;
use compio::driver::ProactorBuilder;
use compio::io::{AsyncRead, AsyncReadManaged, AsyncWriteExt};
use compio::net::TcpStream;
use compio::runtime::{Runtime, spawn};
use futures_util::StreamExt;

use crate::sys;

const SUBMISSIONS: u32 = 1024;
const COMPLETIONS: u32 = 16 * 1024;
const BUFFERS: NonZero<u16> = NonZero::new(1024).expect("it is not zero");
const BUFFER: usize = 16 * 1024;

/// Serves from one thread.
pub fn serve(listener: TcpListener) -> io::Result<Infallible> {
    // Of a non-blocking one io_uring would only ask once.
    listener.set_nonblocking(false)?;
    let mut ring = ProactorBuilder::new();
    ring.capacity(SUBMISSIONS).cqsize(COMPLETIONS).single_issuer(true).defer_taskrun(true);
    ring.buffer_pool_size(BUFFERS).buffer_pool_buffer_len(BUFFER);
    let runtime = Runtime::builder().with_proactor(ring).build().map_err(sys::explain_uring)?;
    runtime.block_on(accept(listener))
}

async fn accept(listener: TcpListener) -> io::Result<Infallible> {
    let listener = compio::net::TcpListener::from_std(listener)?;
    let mut incoming = listener.incoming();
    loop {
        // Else the caller has gone, or there are no descriptors until others go.
        if let Some(Ok(stream)) = incoming.next().await {
            spawn(echo(stream)).detach();
        }
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    loop {
        match stream.read_managed(BUFFER).await {
            Ok(Some(data)) => stream.write_all(data).await.0?,
            Ok(None) => return Ok(()),
            // Compio's word for ENOBUFS.
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                let BufResult(read, data) = stream.read(Vec::with_capacity(BUFFER)).await;
                if read? == 0 {
                    return Ok(());
                }
                stream.write_all(data).await.0?;
            }
            Err(error) => return Err(error),
        }
    }
}
