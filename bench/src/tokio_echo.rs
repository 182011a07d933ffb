//! An echo server over tokio.
//!
//! Each thread has a current-thread runtime and a listener (SO_REUSEPORT) of its own: nothing is shared, so no task is
//! ever sent to another thread, and a wake-up costs no atomic queue. Tokio's multi-thread runtime, which steals tasks
//! among threads, pays where tasks compute for longer than an echo does.
//!
//! A connection is a task. It reads into a buffer that all tasks of the thread share, within one poll, and writes from
//! there in the same poll; so an idle connection holds no buffer. (Reading through `poll_read` rather than `try_read`
//! matters: only that takes a read that is short for the end of what is there, and saves the one that would say so.)

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::yield_now;

use crate::BUFFER;

/// Serves from one thread.
pub fn serve(listener: TcpListener) -> io::Result<Infallible> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(accept(listener))
}

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]);
}

async fn accept(listener: TcpListener) -> io::Result<Infallible> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(echo(stream));
            }
            // The caller has gone, or there are no descriptors until others go.
            Err(_) => yield_now().await,
        }
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    while let Some(unsent) =
        poll_fn(|cx| SCRATCH.with_borrow_mut(|scratch| poll_echo(&mut stream, scratch, cx))).await?
    {
        stream.write_all(&unsent).await?;
    }
    Ok(())
}

/// Answers until nothing is there, the stream ends (`None`), or the client does not take what is left over. Tokio's
/// budget sees to it that others have their turn.
fn poll_echo(stream: &mut TcpStream, scratch: &mut [u8], cx: &mut Context<'_>) -> Poll<io::Result<Option<Vec<u8>>>> {
    let mut stream = Pin::new(stream);
    loop {
        let mut read = ReadBuf::new(scratch);
        ready!(stream.as_mut().poll_read(cx, &mut read))?;
        let mut unsent = read.filled();
        if unsent.is_empty() {
            return Poll::Ready(Ok(None));
        }
        while !unsent.is_empty() {
            match stream.as_mut().poll_write(cx, unsent)? {
                Poll::Ready(count) => unsent = &unsent[count..],
                Poll::Pending => return Poll::Ready(Ok(Some(unsent.to_vec()))),
            }
        }
    }
}
