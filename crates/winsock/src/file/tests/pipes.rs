use super::*;

use std::io::{Read, Write};

/// Both ends of a pipe: ours, overlapped or not, for reading; the other for the test to write to.
fn readable(flags: u32) -> (Handle, std::fs::File) {
    let place = Place::fifo();
    // Open for both, so that nobody waits for anybody.
    let other = std::fs::File::options().read(true).write(true).open(&place.0).unwrap();
    (place.open(GENERIC_READ, OPEN_EXISTING, flags), other)
}

#[test]
fn a_read_waits_for_what_comes_and_ignores_the_offset() {
    let (pipe, mut other) = readable(FILE_FLAG_OVERLAPPED);
    let reads = [Operation::to_read(1000, 3), Operation::to_read(0, 10)];
    for read in &reads {
        assert_eq!(read.read(pipe.0), PENDING);
    }
    other.write_all(b"abcdef").unwrap();
    assert_eq!(reads[0].result(pipe.0), Ok(3));
    assert_eq!(reads[1].result(pipe.0), Ok(3), "in posting order");
    assert_eq!((reads[0].data(), &reads[1].data()[..3]), (&b"abc"[..], &b"def"[..]));
}

#[test]
fn an_ordinary_handle_blocks_in_the_call() {
    let (pipe, mut other) = readable(0);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut buffer = [0; 10];
            (pipe.read(&mut buffer), buffer)
        });
        other.write_all(b"abc").unwrap();
        let (result, buffer) = reader.join().unwrap();
        assert_eq!((result, &buffer[..3]), (Ok(3), &b"abc"[..]));
    });
    assert_eq!(Operation::to_read(0, 0).read(pipe.0), Ok(0));
}

#[test]
fn a_read_that_waits_can_be_cancelled() {
    let (pipe, mut other) = readable(FILE_FLAG_OVERLAPPED);
    let reads: Vec<_> = (0..3).map(|_| Operation::to_read(0, 10)).collect();
    for read in &reads {
        assert_eq!(read.read(pipe.0), PENDING);
    }
    for read in [reads[1], reads[0]] {
        // SAFETY: the OVERLAPPED is only compared.
        assert_eq!(unsafe { CancelIoEx(pipe.0, read.overlapped) }, TRUE);
        assert_eq!(read.result(pipe.0), Err(ERROR_OPERATION_ABORTED));
    }
    other.write_all(b"abc").unwrap();
    assert_eq!(reads[2].result(pipe.0), Ok(3));
    let again = Operation::to_read(0, 10);
    assert_eq!(again.read(pipe.0), PENDING);
    std::thread::scope(|scope| {
        // SAFETY: no precondition.
        scope.spawn(|| assert_eq!(unsafe { CancelIo(pipe.value()) }, TRUE, "another thread's is left alone"));
    });
    assert_eq!(again.internal().0, STATUS_PENDING as usize);
    // SAFETY: no precondition.
    assert_eq!(unsafe { CancelIo(pipe.0) }, TRUE);
    assert_eq!(again.result(pipe.0), Err(ERROR_OPERATION_ABORTED));
}

#[test]
fn closing_the_handle_ends_reads_that_wait() {
    let ((pipe, _other), port) = (readable(FILE_FLAG_OVERLAPPED), Handle::port());
    assert_eq!(pipe.associate(&port, 4), Ok(()));
    let reads = [Operation::to_read(0, 10), Operation::to_read(0, 10)];
    for read in &reads {
        assert_eq!(read.read(pipe.0), PENDING);
    }
    drop(pipe);
    let mut ended = reads.map(|_| packet(&port, INFINITE).expect("a packet"));
    ended.sort_by_key(|&(overlapped, ..)| overlapped != reads[0].overlapped);
    assert_eq!(ended, reads.map(|read| (read.overlapped, 4, Err(ERROR_OPERATION_ABORTED))));
}

#[test]
fn the_end_of_the_thread_ends_reads_that_wait_but_the_ports() {
    let ((pipe, _other), (with_port, mut other), port) =
        (readable(FILE_FLAG_OVERLAPPED), readable(FILE_FLAG_OVERLAPPED), Handle::port());
    assert_eq!(with_port.associate(&port, 5), Ok(()));
    let (read, to_port) = (Operation::to_read(0, 10), Operation::to_read(0, 10));
    std::thread::scope(|scope| {
        let started = scope.spawn(|| {
            assert_eq!(read.read(pipe.value()), PENDING);
            assert_eq!(to_port.read(with_port.value()), PENDING);
        });
        started.join().unwrap();
    });
    assert_eq!(read.internal(), (STATUS_CANCELLED as u32 as usize, 0));
    other.write_all(b"abc").unwrap();
    assert_eq!(packet(&port, 30_000), Some((to_port.overlapped, 5, Ok(3))));
}

#[test]
fn a_write_that_waits_for_room_is_done_whole() {
    let place = Place::fifo();
    let mut other = std::fs::File::options().read(true).write(true).open(&place.0).unwrap();
    let pipe = place.open(GENERIC_WRITE, OPEN_EXISTING, FILE_FLAG_OVERLAPPED);
    let write = Operation::new(0, &[5; 300_000]);
    assert_eq!(write.write(pipe.0), PENDING);
    let mut came = vec![0; 300_000];
    other.read_exact(&mut came).unwrap();
    assert_eq!(write.result(pipe.0), Ok(300_000));
    assert!(came.iter().all(|&byte| byte == 5));
}

#[test]
fn a_pipe_without_a_reader_kills_nobody() {
    let place = Place::fifo();
    let reader = std::fs::File::options().read(true).write(true).open(&place.0).unwrap();
    let (pipe, ordinary) =
        (place.open(GENERIC_WRITE, OPEN_EXISTING, FILE_FLAG_OVERLAPPED), place.open(GENERIC_WRITE, OPEN_EXISTING, 0));
    drop(reader);
    let write = Operation::new(0, b"nobody reads");
    assert_eq!(write.write(pipe.0), PENDING);
    assert_eq!(write.result(pipe.0), Err(ERROR_NO_DATA));
    assert_eq!(ordinary.write(b"nobody reads"), Err(ERROR_NO_DATA));
}

#[test]
fn the_end_of_a_pipe_is_the_end_of_a_file() {
    let place = Place::fifo();
    let other = std::fs::File::options().read(true).write(true).open(&place.0).unwrap();
    let (pipe, ordinary) =
        (place.open(GENERIC_READ, OPEN_EXISTING, FILE_FLAG_OVERLAPPED), place.open(GENERIC_READ, OPEN_EXISTING, 0));
    drop(other);
    let read = Operation::to_read(0, 10);
    assert_eq!(read.read(pipe.0), PENDING);
    assert_eq!(read.result(pipe.0), Err(ERROR_HANDLE_EOF));
    assert_eq!(ordinary.read(&mut [0; 4]), Ok(0));
    assert_eq!(ordinary.seek(0, FILE_BEGIN), Err(ERROR_INVALID_FUNCTION));
}

#[test]
fn devices_are_files_as_well() {
    let null_device = std::mem::ManuallyDrop::new(Place("/dev/null".into()));
    let file = null_device.ordinary();
    assert_eq!(file.write(b"anything"), Ok(8));
    assert_eq!(file.read(&mut [0; 4]), Ok(0));
    let zeros = std::mem::ManuallyDrop::new(Place("/dev/zero".into()));
    let file = zeros.open(GENERIC_READ, OPEN_EXISTING, FILE_FLAG_OVERLAPPED);
    let read = Operation::new(99, &[1; 20]);
    assert_eq!(read.read(file.0), PENDING);
    assert_eq!(read.result(file.0), Ok(20));
    assert_eq!(read.data(), [0; 20]);
}

#[test]
fn a_call_that_waits_for_a_pipe_is_cancelled_by_the_handle_and_by_its_thread() {
    for by_thread in [false, true] {
        let (pipe, mut other) = readable(0);
        let handle = pipe.0 as usize;
        std::thread::scope(|scope| {
            let (tell, told) = std::sync::mpsc::channel();
            let pipe = &pipe;
            let call = scope.spawn(move || {
                tell.send(own_handle()).unwrap();
                pipe.read(&mut [0; 4])
            });
            let thread = told.recv().unwrap();
            // As long as the call does not wait, there is nothing to cancel.
            until("the call is cancelled", || match by_thread {
                // SAFETY: the handles are open.
                false => unsafe { CancelIoEx(handle as HANDLE, std::ptr::null()) != FALSE },
                // SAFETY: as above.
                true => unsafe { CancelSynchronousIo(thread as HANDLE) != FALSE },
            });
            assert_eq!(call.join().unwrap(), Err(ERROR_OPERATION_ABORTED), "by thread: {by_thread}");
        });
        // SAFETY: the handle is open.
        assert_eq!((unsafe { CancelIoEx(pipe.0, std::ptr::null()) }, last_error()), (FALSE, ERROR_NOT_FOUND));
        other.write_all(b"abc").unwrap();
        let mut came = [0; 4];
        assert_eq!((pipe.read(&mut came), &came[..3]), (Ok(3), b"abc".as_slice()));
    }
}

/// A handle of the calling thread for others.
fn own_handle() -> usize {
    let mut handle = null_mut();
    // SAFETY: the place lives through the call.
    unsafe {
        let process = GetCurrentProcess();
        let same = DUPLICATE_SAME_ACCESS;
        assert_ne!(DuplicateHandle(process, GetCurrentThread(), process, &mut handle, 0, FALSE, same), FALSE);
    }
    handle as usize
}
