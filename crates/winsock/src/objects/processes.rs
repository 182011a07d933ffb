//! Other processes as objects: to wait for, and to ask for their exit codes.

use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;

use crate::dispatcher::Object;
use crate::error::last_errno;
use crate::objects::{self, table};
use crate::types::*;

/// A process that this one has started, behind its handles.
pub(crate) struct ProcessObject {
    /// Set from the process's end on.
    pub(crate) exited: Object,
    exit_code: AtomicU32,
    id: u32,
    /// Its number may be another process's soon.
    ended: Mutex<bool>,
}

impl ProcessObject {
    /// Starts a process; a thread of its own waits for its end.
    pub(crate) fn start(mut command: Command) -> std::io::Result<Arc<ProcessObject>> {
        let child = command.spawn()?;
        let exited = Object::event(true, false);
        let process =
            Arc::new(ProcessObject { exited, exit_code: AtomicU32::new(0), id: child.id(), ended: Mutex::new(false) });
        let mine = process.clone();
        std::thread::Builder::new().name("winsock-process".into()).spawn(move || mine.wait_for(child))?;
        Ok(process)
    }

    fn wait_for(&self, mut child: Child) {
        use std::os::unix::process::ExitStatusExt;
        // Its number is its own until it has been waited for: without taking it away first.
        // SAFETY: all zeros is a valid siginfo, which lives through the call.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            while libc::waitid(libc::P_PID, self.id, &mut info, libc::WEXITED | libc::WNOWAIT) != 0
                && last_errno() == libc::EINTR
            {}
        }
        *self.ended.lock() = true;
        // As a shell says it, if a signal was the end.
        let code =
            child.wait().map_or(1, |status| status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()));
        self.exit_code.store(code as u32, Ordering::Release);
        self.exited.set();
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// STILL_ACTIVE while it runs.
    pub(crate) fn exit_code(&self) -> u32 {
        if self.exited.is_set() { self.exit_code.load(Ordering::Acquire) } else { STILL_ACTIVE as u32 }
    }

    /// Ends it, if it has not ended.
    pub(crate) fn kill(&self) {
        let ended = self.ended.lock();
        if !*ended {
            // SAFETY: a signal to a child of this process, which keeps its number while the lock is held.
            unsafe { libc::kill(self.id as i32, libc::SIGKILL) };
        }
    }
}

/// The process that a handle means.
pub(crate) fn find(handle: usize) -> Option<Arc<ProcessObject>> {
    match table::object(handle) {
        Some(objects::Object::Process(process)) => Some(process),
        _ => None,
    }
}
