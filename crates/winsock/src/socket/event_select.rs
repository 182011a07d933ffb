//! WSAEventSelect and WSAEnumNetworkEvents.

use crate::error::{WsaError, WsaResult, fail, finish, is_bad};
use crate::objects::event;
use crate::socket::arrivals::{self, Target};
use crate::socket::lock;
use crate::types::*;

/// Every event that can be selected.
pub(crate) const ALL_EVENTS: u32 = (1 << FD_MAX_EVENTS) - 1;

/// Sets an event object whenever a network event of `lnetworkevents` (FD_READ, FD_ACCEPT …) is recorded for a socket, and
/// makes the socket non-blocking; 0 events end that.
///
/// Events are recorded whether they are selected or not, until [`WSAEnumNetworkEvents`] takes them: those that are
/// recorded and not taken yet set the event at once. What was taken is not recorded again by selecting again, but by a
/// new arrival, or by a call such as recv that leaves more. The event is never reset here. A selection for a window ends.
/// FD_QOS, FD_GROUP_QOS, FD_ROUTING_INTERFACE_CHANGE and FD_ADDRESS_LIST_CHANGE may be selected and never happen.
///
/// Differs from Windows: a second urgent byte makes the first an ordinary one, which FD_READ tells of, or, if the first
/// was next to be received, takes its place.
///
/// # Errors
/// SOCKET_ERROR with WSAENOTSOCK, WSAEINVAL if events are selected and `heventobject` is no event, WSAENOBUFS.
///
/// # Safety
/// Nothing is asked of the caller; unsafe as every function of this contract.
///
/// ```
/// use winsock::*;
/// // SAFETY: the pointers lead to live values.
/// unsafe {
///     let mut data = WSADATA::default();
///     WSAStartup(0x0202, &mut data);
///     let s = socket(AF_INET.into(), SOCK_DGRAM, IPPROTO_UDP);
///     let event = CreateEventW(std::ptr::null(), TRUE, FALSE, std::ptr::null());
///     assert_eq!(WSAEventSelect(s, event as WSAEVENT, (FD_READ | FD_WRITE) as i32), 0);
///     let name = SOCKADDR_IN { sin_family: AF_INET, ..Default::default() };
///     assert_eq!(bind(s, (&raw const name).cast(), 16), 0);
///     WaitForSingleObject(event, INFINITE);
///     let mut events = WSANETWORKEVENTS::default();
///     assert_eq!(WSAEnumNetworkEvents(s, event as WSAEVENT, &mut events), 0);
///     assert_eq!(events.lNetworkEvents as u32, FD_WRITE);
///     closesocket(s);
///     CloseHandle(event);
///     WSACleanup();
/// }
/// ```
#[doc(alias = "FD_READ")]
#[unsafe(export_name = "ws_WSAEventSelect")]
pub unsafe extern "system" fn WSAEventSelect(s: SOCKET, heventobject: WSAEVENT, lnetworkevents: i32) -> i32 {
    finish(lock(s).and_then(|mut socket| {
        let selected = lnetworkevents as u32 & ALL_EVENTS;
        if selected == 0 {
            arrivals::deselect(&mut socket);
            return Ok(());
        }
        let event = event::find(heventobject as usize).ok_or(WsaError(WSAEINVAL))?;
        arrivals::select(&mut socket, selected, Target::Event(event))
    }))
}

/// Takes the network events of a socket that are recorded and selected, each with its error, and resets `heventobject`
/// unless it is null.
///
/// `iErrorCode` is written for the events that are returned only. What comes after the call sets the event again.
///
/// # Errors
/// SOCKET_ERROR with WSAENOTSOCK, WSAEFAULT for a bad pointer, WSAEINVAL if `heventobject` is neither null nor an event;
/// then nothing has changed.
///
/// # Safety
/// `lpnetworkevents` is null or writable.
#[unsafe(export_name = "ws_WSAEnumNetworkEvents")]
pub unsafe extern "system" fn WSAEnumNetworkEvents(
    s: SOCKET,
    heventobject: WSAEVENT,
    lpnetworkevents: *mut WSANETWORKEVENTS,
) -> i32 {
    let run = || -> WsaResult<()> {
        let mut socket = lock(s)?;
        if is_bad(lpnetworkevents) {
            return fail(WSAEFAULT);
        }
        let event = match heventobject {
            0 => None,
            handle => Some(event::find(handle as usize).ok_or(WsaError(WSAEINVAL))?),
        };
        let mut all = 0;
        arrivals::enumerate(&mut socket, |event, error| {
            all |= event;
            // SAFETY: not null, so writable, as the caller promises.
            unsafe { (&raw mut (*lpnetworkevents).iErrorCode[event.trailing_zeros() as usize]).write_unaligned(error) };
        });
        // SAFETY: as above.
        unsafe { (&raw mut (*lpnetworkevents).lNetworkEvents).write_unaligned(all as i32) };
        // Under the lock under which events are recorded: one that comes later finds the event reset (V29).
        event.into_iter().for_each(|event| event.reset());
        Ok(())
    };
    finish(run())
}
