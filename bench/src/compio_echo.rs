//! An echo server over compio, on its io_uring driver.
//!
//! Each thread has a runtime and a listener (SO_REUSEPORT) of its own, which is how compio is meant to be used. The
//! listener has one multishot accept. A connection is a task with a buffer of its own, which goes to the kernel and comes
//! back. (Memory that was never received into costs nothing: the buffer is not cleared.)
//!
//! Reads from the runtime's pool of provided buffers were tried, with 1,024 to 8,192 of them: they cost more CPU per
//! message, most of all at 10,000 connections, where a pool that was large enough for all was the slowest for few.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;

use compio::buf::BufResult;
use compio::driver::ProactorBuilder;
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::TcpStream;
use compio::runtime::{Runtime, spawn};
use futures_util::StreamExt;

use crate::sys;

const SUBMISSIONS: u32 = 1024;
const COMPLETIONS: u32 = 16 * 1024;
const BUFFER: usize = 16 * 1024;

/// Serves from one thread.
pub fn serve(listener: TcpListener) -> io::Result<Infallible> {
    // Of a non-blocking one io_uring would only ask once.
    listener.set_nonblocking(false)?;
    let mut ring = ProactorBuilder::new();
    ring.capacity(SUBMISSIONS).cqsize(COMPLETIONS).single_issuer(true).defer_taskrun(true);
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
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        let BufResult(read, data) = stream.read(buffer).await;
        if read? == 0 {
            return Ok(());
        }
        let BufResult(written, mut data) = stream.write_all(data).await;
        written?;
        data.clear();
        buffer = data;
    }
}
