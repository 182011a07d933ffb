//! The keyboard: keys without waiting for Enter.

use std::ffi::c_int;

/// The next key, without showing it. Enter is 13, as on Windows. Without a terminal: the next byte of standard input, -1 at
/// its end.
#[unsafe(export_name = "ws__getch")]
pub extern "system" fn _getch() -> c_int {
    key(false)
}

/// As [`_getch`], and shows it.
#[unsafe(export_name = "ws__getche")]
pub extern "system" fn _getche() -> c_int {
    key(true)
}

/// Whether a key waits. Without a terminal none ever does.
#[unsafe(export_name = "ws__kbhit")]
pub extern "system" fn _kbhit() -> c_int {
    let Some(_keys) = Keys::enter(false) else { return 0 };
    let mut input = libc::pollfd { fd: libc::STDIN_FILENO, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, and no time.
    c_int::from(unsafe { libc::poll(&mut input, 1, 0) } == 1 && input.revents & libc::POLLIN != 0)
}

/// Shows a character at once.
#[unsafe(export_name = "ws__putch")]
pub extern "system" fn _putch(character: c_int) -> c_int {
    // SAFETY: takes a number, and flushes all that is open for writing.
    unsafe {
        let result = libc::putchar(character);
        libc::fflush(std::ptr::null_mut());
        result
    }
}

fn key(echo: bool) -> c_int {
    // What the program has printed shows before it waits. SAFETY: flushes all that is open for writing.
    unsafe { libc::fflush(std::ptr::null_mut()) };
    let Some(_keys) = Keys::enter(echo) else {
        // SAFETY: takes nothing.
        return unsafe { libc::getchar() };
    };
    let mut byte = 0u8;
    loop {
        // SAFETY: one byte, and room for it.
        match unsafe { libc::read(libc::STDIN_FILENO, (&raw mut byte).cast(), 1) } {
            1 if byte == b'\n' => return c_int::from(b'\r'),
            1 => return c_int::from(byte),
            -1 if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {}
            _ => return libc::EOF,
        }
    }
}

/// While it lives, the terminal gives single keys.
struct Keys {
    before: libc::termios,
}

impl Keys {
    fn enter(echo: bool) -> Option<Self> {
        // SAFETY: all bits zero are a value of it.
        let mut before: libc::termios = unsafe { std::mem::zeroed() };
        // SAFETY: there is room for the answer.
        if unsafe { libc::tcgetattr(libc::STDIN_FILENO, &mut before) } != 0 {
            return None;
        }
        let mut keys = before;
        keys.c_lflag &= !libc::ICANON;
        if !echo {
            keys.c_lflag &= !libc::ECHO;
        }
        keys.c_cc[libc::VMIN] = 1;
        keys.c_cc[libc::VTIME] = 0;
        // SAFETY: what the terminal had, changed.
        (unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &keys) } == 0).then_some(Self { before })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // SAFETY: what the terminal had.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &self.before) };
    }
}
