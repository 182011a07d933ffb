//! WSAEventSelect, WSAEnumNetworkEvents and WSAAsyncSelect.

use super::{Bad, Event, Outcome, Socket, UNTOUCHED, Window, zero_or_error};
use pentaport::sys;

/// What WSAEnumNetworkEvents wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkEvents {
    /// `lNetworkEvents`.
    pub events: u32,
    /// `iErrorCode`; the slots that the call did not write hold [`UNTOUCHED`].
    pub errors: [i32; sys::FD_MAX_EVENTS as usize],
}

impl NetworkEvents {
    /// What stands in the structure before the call.
    pub const BEFORE: NetworkEvents =
        NetworkEvents { events: UNTOUCHED, errors: [UNTOUCHED as i32; sys::FD_MAX_EVENTS as usize] };

    /// The error that came with one event.
    pub fn error(&self, event: u32) -> i32 {
        assert!(event.is_power_of_two());
        self.errors[event.trailing_zeros() as usize]
    }
}

impl Socket {
    /// WSAEventSelect.
    pub fn wsa_event_select(&self, event: Option<&Event>, events: u32) -> Outcome<()> {
        self.wsa_event_select_handle(event.map_or(0, Event::handle), events)
    }

    /// WSAEventSelect with any value for the event.
    pub fn wsa_event_select_handle(&self, handle: usize, events: u32) -> Outcome<()> {
        // SAFETY: no pointers; both handles are checked by the call.
        zero_or_error(unsafe { sys::WSAEventSelect(self.raw(), handle as sys::WSAEVENT, events as i32) })
    }

    /// WSAEnumNetworkEvents.
    pub fn wsa_enum_network_events(&self, event: Option<&Event>) -> Outcome<NetworkEvents> {
        let (outcome, found) = self.wsa_enum_network_events_handle(event.map_or(0, Event::handle));
        outcome.map(|()| found)
    }

    /// WSAEnumNetworkEvents with any value for the event, and the structure as the call left it, also if it failed.
    pub fn wsa_enum_network_events_handle(&self, handle: usize) -> (Outcome<()>, NetworkEvents) {
        let before = NetworkEvents::BEFORE;
        let mut raw = sys::WSANETWORKEVENTS { lNetworkEvents: before.events as i32, iErrorCode: before.errors };
        // SAFETY: the structure outlives the call; both handles are checked by the call.
        let result = unsafe { sys::WSAEnumNetworkEvents(self.raw(), handle as sys::WSAEVENT, &mut raw) };
        (zero_or_error(result), NetworkEvents { events: raw.lNetworkEvents as u32, errors: raw.iErrorCode })
    }

    /// WSAEnumNetworkEvents with a bad pointer for what it writes.
    pub fn wsa_enum_network_events_bad(&self, event: &Event, bad: Bad) -> Outcome<()> {
        let event = event.handle() as sys::WSAEVENT;
        // SAFETY: the contract says that a pointer without access is refused.
        zero_or_error(unsafe { sys::WSAEnumNetworkEvents(self.raw(), event, bad.pointer()) })
    }

    /// WSAAsyncSelect.
    pub fn wsa_async_select(&self, window: &Window, message: u32, events: u32) -> Outcome<()> {
        self.wsa_async_select_handle(window.handle(), message, events)
    }

    /// WSAAsyncSelect with any value for the window.
    pub fn wsa_async_select_handle(&self, window: usize, message: u32, events: u32) -> Outcome<()> {
        // SAFETY: no pointers but a window's handle, which the call checks.
        zero_or_error(unsafe { sys::WSAAsyncSelect(self.raw(), window as sys::HWND, message, events as i32) })
    }
}
