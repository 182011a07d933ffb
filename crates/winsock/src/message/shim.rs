//! Stands in for the wait engine's objects until they are there: events, and a wait for them that does not pump.

use crate::deadline::Deadline;
use crate::types::*;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[derive(Clone)]
pub(super) struct Object(Arc<AtomicBool>);
pub(super) enum Outcome {
    Object(usize),
    #[allow(dead_code)]
    Abandoned(usize),
    Timeout,
    #[allow(dead_code)]
    Apc,
}
static G: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
impl Object {
    pub(super) fn event(_m: bool, set: bool) -> Object {
        Object(Arc::new(AtomicBool::new(set)))
    }
    pub(super) fn set(&self) {
        let _g = G.0.lock();
        self.0.store(true, Ordering::SeqCst);
        G.1.notify_all();
    }
    pub(super) fn reset(&self) {
        let _g = G.0.lock();
        self.0.store(false, Ordering::SeqCst);
    }
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
pub(super) fn objects(handles: &[HANDLE]) -> Result<Vec<Object>, WIN32_ERROR> {
    if handles.is_empty() { Ok(Vec::new()) } else { Err(ERROR_INVALID_HANDLE) }
}
pub(super) fn wait(objects: &[Object], all: bool, timeout: Option<Duration>, _alertable: bool) -> Outcome {
    let d = Deadline::after(timeout);
    let mut g = G.0.lock();
    loop {
        let mut set = objects.iter().map(Object::is_set);
        if all {
            if set.all(|s| s) {
                return Outcome::Object(0);
            }
        } else if let Some(i) = set.position(|s| s) {
            return Outcome::Object(i);
        }
        match d.remaining() {
            Some(Duration::ZERO) => return Outcome::Timeout,
            Some(r) => drop(G.1.wait_for(&mut g, r)),
            None => G.1.wait(&mut g),
        }
    }
}
