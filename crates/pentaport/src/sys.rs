//! The one place that knows which Winsock is underneath: `windows-sys` on Windows, the crate `winsock` on Linux.
//!
//! Both declare the same functions with the same signatures, so nothing above this module has a `cfg(windows)`.

#[allow(unsafe_code)]
pub mod ext;

#[cfg(not(windows))]
pub use winsock::*;
#[cfg(windows)]
pub use {
    windows_sys::Win32::Foundation::*,
    windows_sys::Win32::Networking::WinSock::*,
    windows_sys::Win32::Storage::FileSystem::*,
    windows_sys::Win32::System::IO::*,
    windows_sys::Win32::System::Threading::*,
    windows_sys::Win32::System::WindowsProgramming::*,
    windows_sys::Win32::UI::WindowsAndMessaging::*,
    windows_sys::core::{BOOL, GUID, PCSTR, PCWSTR, PSTR},
};
