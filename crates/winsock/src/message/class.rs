//! Window classes.
//!
//! A class is what its name says, for the whole process: a program on Linux is one module, so that its instance handle
//! says nothing and is not part of the name.

use std::sync::Arc;

use ranked_locks::{Mutex, rank};

use super::name::ClassName;
use super::procedure::DefWindowProcA;
use crate::error::{finish_bool, is_bad, set_last_error};
use crate::types::*;

/// Atoms of strings lie here; those below are numbers.
const FIRST_ATOM: u16 = 0xc000;

/// Classes that nobody need register, for those who want a window and will set its procedure themselves.
const PREDEFINED: [&str; 2] = ["message", "static"];

pub(super) struct Class {
    atom: u16,
    name: String,
    /// The window procedure of a new window.
    pub(super) procedure: WNDPROC,
    /// How many bytes of the program's own each window has.
    pub(super) extra: usize,
}

static CLASSES: Mutex<Vec<Arc<Class>>, rank::Leaf> = Mutex::new(Vec::new());

/// The class of a name. While it is held, the class counts as having a window.
pub(super) fn find(name: &ClassName) -> Option<Arc<Class>> {
    let mut classes = CLASSES.lock();
    if classes.is_empty() {
        classes.extend((FIRST_ATOM..).zip(PREDEFINED).map(|(atom, name)| {
            Arc::new(Class { atom, name: name.to_owned(), procedure: Some(DefWindowProcA), extra: 0 })
        }));
    }
    let is_meant = |class: &&Arc<Class>| match name {
        ClassName::Atom(atom) => class.atom == *atom,
        ClassName::Text(name) => class.name == *name,
    };
    classes.iter().find(is_meant).cloned()
}

fn register(name: Option<ClassName>, procedure: WNDPROC, extra: i32) -> Result<u16, WIN32_ERROR> {
    let Some(name) = name.filter(|_| procedure.is_some()) else { return Err(ERROR_INVALID_PARAMETER) };
    let extra = usize::try_from(extra).map_err(|_| ERROR_INVALID_PARAMETER)?;
    if find(&name).is_some() {
        return Err(ERROR_CLASS_ALREADY_EXISTS);
    }
    let ClassName::Text(name) = name else { return Err(ERROR_INVALID_PARAMETER) };
    let mut classes = CLASSES.lock();
    // Another thread may have been quicker.
    if classes.iter().any(|class| class.name == name) {
        return Err(ERROR_CLASS_ALREADY_EXISTS);
    }
    let is_free = |atom: &u16| classes.iter().all(|class| class.atom != *atom);
    let atom = (FIRST_ATOM..=u16::MAX).find(is_free).ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
    classes.push(Arc::new(Class { atom, name, procedure, extra }));
    Ok(atom)
}

fn unregister(name: Option<ClassName>) -> Result<(), WIN32_ERROR> {
    let name = name.ok_or(ERROR_CLASS_DOES_NOT_EXIST)?;
    let class = find(&name).ok_or(ERROR_CLASS_DOES_NOT_EXIST)?;
    let mut classes = CLASSES.lock();
    let place = classes.iter().position(|other| Arc::ptr_eq(other, &class)).ok_or(ERROR_CLASS_DOES_NOT_EXIST)?;
    // The registry's reference and ours; every window has one more.
    if PREDEFINED.contains(&class.name.as_str()) || Arc::strong_count(&class) > 2 {
        return Err(ERROR_CLASS_HAS_WINDOWS);
    }
    classes.swap_remove(place);
    Ok(())
}

/// Registers a class; answers its atom, or 0 with the last error.
pub(crate) fn register_named(name: Option<ClassName>, procedure: WNDPROC, extra: i32) -> u16 {
    finish_atom(register(name, procedure, extra))
}

/// Forgets a class; FALSE with the last error if it cannot.
pub(crate) fn unregister_named(name: Option<ClassName>) -> BOOL {
    finish_bool(unregister(name))
}

fn finish_atom(atom: Result<u16, WIN32_ERROR>) -> u16 {
    atom.unwrap_or_else(|code| {
        set_last_error(code);
        0
    })
}

/// Registers a window class; returns its atom, by which it can be named as well.
///
/// Of the class, procedure, name and `cbWndExtra` count: there is no screen. Names are compared without case; as bytes
/// they are UTF-8 or, if they are not valid UTF-8, Latin-1. Unlike on Windows the instance is not part of the name.
///
/// # Errors
/// 0 with ERROR_CLASS_ALREADY_EXISTS; ERROR_INVALID_PARAMETER without a name or a procedure; ERROR_NOACCESS.
///
/// # Safety
/// `lpwndclass` points to a class whose name is a string that ends with a zero; its procedure is one.
#[unsafe(export_name = "ws_RegisterClassA")]
pub unsafe extern "system" fn RegisterClassA(lpwndclass: *const WNDCLASSA) -> u16 {
    if is_bad(lpwndclass) {
        return finish_atom(Err(ERROR_NOACCESS));
    }
    // SAFETY: the caller's promise.
    let (class, name) = unsafe { (&*lpwndclass, ClassName::from_bytes((*lpwndclass).lpszClassName)) };
    register_named(name, class.lpfnWndProc, class.cbWndExtra)
}

/// As [`RegisterClassA`], with a name in UTF-16.
///
/// # Errors
/// As for [`RegisterClassA`].
///
/// # Safety
/// As for [`RegisterClassA`].
pub unsafe extern "system" fn RegisterClassW(lpwndclass: *const WNDCLASSW) -> u16 {
    if is_bad(lpwndclass) {
        return finish_atom(Err(ERROR_NOACCESS));
    }
    // SAFETY: the caller's promise.
    let (class, name) = unsafe { (&*lpwndclass, ClassName::from_wide((*lpwndclass).lpszClassName)) };
    register_named(name, class.lpfnWndProc, class.cbWndExtra)
}

/// As [`RegisterClassA`], with a larger structure.
///
/// # Errors
/// As for [`RegisterClassA`]; ERROR_INVALID_PARAMETER for a wrong `cbSize`.
///
/// # Safety
/// As for [`RegisterClassA`].
#[unsafe(export_name = "ws_RegisterClassExA")]
pub unsafe extern "system" fn RegisterClassExA(param0: *const WNDCLASSEXA) -> u16 {
    if is_bad(param0) {
        return finish_atom(Err(ERROR_NOACCESS));
    }
    // SAFETY: the caller's promise.
    let class = unsafe { &*param0 };
    if class.cbSize as usize != size_of::<WNDCLASSEXA>() {
        return finish_atom(Err(ERROR_INVALID_PARAMETER));
    }
    // SAFETY: the caller's promise.
    let name = unsafe { ClassName::from_bytes(class.lpszClassName) };
    register_named(name, class.lpfnWndProc, class.cbWndExtra)
}

/// As [`RegisterClassExA`], with a name in UTF-16.
///
/// # Errors
/// As for [`RegisterClassExA`].
///
/// # Safety
/// As for [`RegisterClassA`].
pub unsafe extern "system" fn RegisterClassExW(param0: *const WNDCLASSEXW) -> u16 {
    if is_bad(param0) {
        return finish_atom(Err(ERROR_NOACCESS));
    }
    // SAFETY: the caller's promise.
    let class = unsafe { &*param0 };
    if class.cbSize as usize != size_of::<WNDCLASSEXW>() {
        return finish_atom(Err(ERROR_INVALID_PARAMETER));
    }
    // SAFETY: the caller's promise.
    let name = unsafe { ClassName::from_wide(class.lpszClassName) };
    register_named(name, class.lpfnWndProc, class.cbWndExtra)
}

/// Forgets a window class. The instance is ignored.
///
/// # Errors
/// FALSE with ERROR_CLASS_DOES_NOT_EXIST, or ERROR_CLASS_HAS_WINDOWS.
///
/// # Safety
/// `lpclassname` is an atom or a string that ends with a zero.
#[unsafe(export_name = "ws_UnregisterClassA")]
pub unsafe extern "system" fn UnregisterClassA(lpclassname: PCSTR, _hinstance: HINSTANCE) -> BOOL {
    // SAFETY: the caller's promise.
    finish_bool(unregister(unsafe { ClassName::from_bytes(lpclassname) }))
}

/// As [`UnregisterClassA`], with a name in UTF-16.
///
/// # Errors
/// As for [`UnregisterClassA`].
///
/// # Safety
/// As for [`UnregisterClassA`].
pub unsafe extern "system" fn UnregisterClassW(lpclassname: PCWSTR, _hinstance: HINSTANCE) -> BOOL {
    // SAFETY: the caller's promise.
    finish_bool(unregister(unsafe { ClassName::from_wide(lpclassname) }))
}
