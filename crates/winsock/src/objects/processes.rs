//! Other processes as objects: to wait for, to end, and to ask for their exit codes.
//!
//! A thread for each waits for its end. It looks first and reaps then, under a lock, so that a signal never goes to another
//! process that the system has given the same number.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, mpsc};
use std::thread;

use ranked_locks::{Mutex, rank};

use crate::dispatcher::Object;
use crate::objects::threads::ThreadObject;
use crate::objects::{self, table};
use crate::os;

const STACK_OF_WAITER: usize = 128 * 1024;

/// A process that this one has started, behind its handles.
pub(crate) struct ProcessObject {
    id: u32,
    /// Set from the process's end on. Not its thread's: a program may wait for both at once.
    pub(crate) exited: Object,
    /// Its first thread, which ends with it and with the same exit code.
    pub(crate) main: Arc<ThreadObject>,
    state: Mutex<State, rank::Leaf>,
}

struct State {
    /// None once it is reaped.
    child: Option<Child>,
    /// The exit code that TerminateProcess asked for.
    terminated_with: Option<u32>,
}

impl ProcessObject {
    /// Starts a process, and the thread that waits for its end.
    pub(crate) fn start(command: &mut Command) -> io::Result<Arc<ProcessObject>> {
        // The thread first: without one the process would never be reaped.
        let (tell, told) = mpsc::sync_channel::<Arc<ProcessObject>>(1);
        thread::Builder::new().name("winsock-process".into()).stack_size(STACK_OF_WAITER).spawn(move || {
            os::file::block_signals();
            if let Ok(process) = told.recv() {
                process.wait();
            }
        })?;
        let child = command.spawn()?;
        let id = child.id();
        let process = Arc::new(ProcessObject {
            id,
            exited: Object::event(true, false),
            main: ThreadObject::of_process(id),
            state: Mutex::new(State { child: Some(child), terminated_with: None }),
        });
        // The thread waits for it.
        let _ = tell.send(process.clone());
        Ok(process)
    }

    fn wait(&self) {
        os::wait_for_end_of(self.id);
        let code = {
            let mut state = self.state.lock();
            let status = state.child.take().and_then(|mut child| child.wait().ok());
            exit_code(status, state.terminated_with)
        };
        self.main.exit_with(code);
        self.main.ended();
        self.exited.set();
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// STILL_ACTIVE while it runs.
    pub(crate) fn exit_code(&self) -> u32 {
        self.main.exit_code()
    }

    /// Ends it. False if it has ended.
    pub(crate) fn terminate(&self, code: u32) -> bool {
        let mut state = self.state.lock();
        let Some(child) = &mut state.child else { return false };
        // One that has ended and is not reaped yet takes the signal without an effect.
        let _ = child.kill();
        state.terminated_with.get_or_insert(code);
        true
    }
}

/// The code that a process ended with, or 128 and the number of the signal that ended it.
fn exit_code(status: Option<ExitStatus>, terminated_with: Option<u32>) -> u32 {
    // Somebody else in this process has reaped it.
    let Some(status) = status else { return 1 };
    match (status.code(), status.signal().unwrap_or_default(), terminated_with) {
        (Some(code), ..) => code as u32,
        (None, libc::SIGKILL, Some(code)) => code,
        (None, signal, _) => 128 + signal as u32,
    }
}

/// The process that a handle means.
pub(crate) fn find(handle: usize) -> Option<Arc<ProcessObject>> {
    match table::object(handle) {
        Some(objects::Object::Process(process)) => Some(process),
        _ => None,
    }
}
