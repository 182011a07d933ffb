//! Names of events, semaphores, mutexes and timers, within this process.
//!
//! A name lives as long as its object, so the registry holds nothing but weak references.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use ranked_locks::{Mutex, rank};

use crate::dispatcher;
use crate::error::{is_bad, set_last_error};
use crate::objects::table;
use crate::objects::timer::Timer;
use crate::objects::{Object, finish};
use crate::types::*;

/// MAX_PATH, the longest name.
const LONGEST: usize = 260;

/// An object that is known by a name.
enum Named {
    Event(dispatcher::WeakObject),
    Semaphore(dispatcher::WeakObject),
    Mutex(dispatcher::WeakObject),
    Timer(Weak<Timer>),
}

impl Named {
    fn new(object: &Object) -> Option<Named> {
        match object {
            Object::Event(event) => Some(Named::Event(event.downgrade())),
            Object::Semaphore(semaphore) => Some(Named::Semaphore(semaphore.downgrade())),
            Object::Mutex(mutex) => Some(Named::Mutex(mutex.downgrade())),
            Object::Timer(timer) => Some(Named::Timer(Arc::downgrade(timer))),
            Object::Thread(_) | Object::Process(_) | Object::Port(_) | Object::File(_) => None,
        }
    }

    /// The object, while it lives.
    fn object(&self) -> Option<Object> {
        match self {
            Named::Event(event) => event.upgrade().map(Object::Event),
            Named::Semaphore(semaphore) => semaphore.upgrade().map(Object::Semaphore),
            Named::Mutex(mutex) => mutex.upgrade().map(Object::Mutex),
            Named::Timer(timer) => timer.upgrade().map(Object::Timer),
        }
    }
}

static NAMES: Mutex<BTreeMap<String, Named>, rank::Names> = Mutex::new(BTreeMap::new());

/// What a program gave as a name: none, or one, or one that cannot be.
pub(crate) type Name = Result<Option<String>, WIN32_ERROR>;

/// The name of an object; the prefixes that tell the sessions of a machine apart say nothing here.
pub(crate) fn name(text: &str) -> Name {
    let plain = text.strip_prefix("Global\\").or_else(|| text.strip_prefix("Local\\")).unwrap_or(text);
    if text.chars().count() > LONGEST {
        return Err(ERROR_FILENAME_EXCED_RANGE);
    }
    if plain.contains('\\') {
        return Err(ERROR_PATH_NOT_FOUND);
    }
    Ok(Some(plain.to_owned()).filter(|name| !name.is_empty()))
}

/// A name in UTF-16.
///
/// # Safety
/// `text` is null or ends with a zero.
pub(crate) unsafe fn from_utf16(text: PCWSTR) -> Name {
    if text.is_null() {
        return Ok(None);
    }
    if is_bad(text) {
        return Err(ERROR_NOACCESS);
    }
    let mut len = 0;
    // SAFETY: the caller promises a zero at the end, and nothing behind it is read.
    while unsafe { *text.add(len) } != 0 {
        len += 1;
    }
    // SAFETY: the loop has just read these.
    name(&String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, len) }))
}

/// Makes an object and its handle or, if there is one of this name and kind already, a handle of that one with
/// ERROR_ALREADY_EXISTS. Null, with the last error, if it fails.
pub(crate) fn create(
    named: Name,
    is_kind: fn(&Object) -> bool,
    make: impl FnOnce() -> Result<Object, WIN32_ERROR>,
) -> HANDLE {
    let run = || {
        let Some(name) = named? else { return Ok((make()?, false)) };
        let mut names = NAMES.lock();
        match names.get(&name).and_then(Named::object) {
            Some(object) if is_kind(&object) => Ok((object, true)),
            Some(_) => Err(ERROR_INVALID_HANDLE),
            None => {
                let object = make()?;
                names.retain(|_, named| named.object().is_some());
                names.extend(Named::new(&object).map(|named| (name, named)));
                Ok((object, false))
            }
        }
    };
    let mut existed = false;
    let handle = finish(run().map(|(object, already)| {
        existed = already;
        object
    }));
    if existed && !handle.is_null() {
        set_last_error(ERROR_ALREADY_EXISTS);
    }
    handle
}

/// A handle of the object of a name and kind. Null, with the last error, if there is none.
pub(crate) fn open(named: Name, is_kind: fn(&Object) -> bool) -> HANDLE {
    let find = || {
        let name = named?.ok_or(ERROR_INVALID_PARAMETER)?;
        let object = NAMES.lock().get(&name).and_then(Named::object).ok_or(ERROR_FILE_NOT_FOUND)?;
        let object = Some(object).filter(is_kind).ok_or(ERROR_INVALID_HANDLE)?;
        table::insert(object).ok_or(ERROR_NO_SYSTEM_RESOURCES)
    };
    match find() {
        Ok(handle) => handle as usize as HANDLE,
        Err(code) => {
            set_last_error(code);
            std::ptr::null_mut()
        }
    }
}
